"""What the addresses of other senders' measuring look like: a table of hosts and paths, each with its reason.

The names are there to recognise them by (decision 22). Most services measure from a host of their customer's, so the
path has to tell; hosts are given only where the path alone would say too little. A shape matches at the beginning of
the path, upper and lower case alike; a query is part of it.
"""

import re
from dataclasses import dataclass
from typing import Final

# how | host, or any | path and query, a regular expression | where the destination can be read | whose
_TABLE: Final = r"""
pixel | any                | /wf/open\?                                   |      | SendGrid open
pixel | any                | /(?:mp)?ss/o/[\w.-]{20}                      |      | SendGrid open, newer
pixel | any                | /o/(?-i:eJ)[\w-]{20}                         |      | Mailgun open
pixel | any                | /e[1-3]t/(?:[bc]?to|o)/                      |      | HubSpot open
pixel | any                | /q/[\w-]{16,200}~                            |      | SparkPost open
pixel | any                | /(?:tr|mk)/op/(?:f/|sh/)*[\w-]{16}           |      | Brevo open
pixel | any                | /(?:[\w-]+/)?track(?:ing)?/opens?(?![\w-])   |      | Mandrill open, and others
pixel | any                | /track/open\.php                             |      | Mailchimp open
pixel | any                | /c?i0/[\w-]{20}                              |      | Amazon SES open
pixel | any                | /e/o/(?:(?-i:eyJ)[\w=-]{17}|[a-z0-9=]{40})   |      | Customer.io open
pixel | any                | /oo/[\w-]{10}                                |      | Mailjet open
pixel | any                | /link/o/                                     |      | MailerLite open
pixel | any                | /lt\.php\?.*\bl=open                         |      | ActiveCampaign open
pixel | any                | /ut\.php\?u=                                 |      | phpList open
pixel | any                | /t/[a-z]-[eo]-[a-z]{4,}-[a-z]{2,}            |      | Campaign Monitor open
pixel | any                | /(?:[\w-]+/)*open\.(?:aspx|gif|html|php)\b   |      | Salesforce, GetResponse opens
pixel | any                | /(?:[\w-]+/)*o\.gif\b                        |      | opens of several services
pixel | any                | /email/[0-9a-f]{10,}\.gif                    |      | Mautic open
pixel | any                | /campaign/[0-9a-f-]{36}/[0-9a-f-]{36}/px     |      | listmonk open
pixel | any                | /trk\?t=1                                    |      | Marketo open
pixel | any                | /u/gm\.php                                   |      | Emarsys open
pixel | any                | /(?:trk|emails?|e)/(?:open|eo)\b             |      | opens of several services
pixel | rs6.net            | /on\.jsp                                     |      | Constant Contact open
pixel | pstmrk.it          | /                                            |      | Postmark open
pixel | klaviyomail.com    | /                                            |      | Klaviyo open
pixel | klclick.com        | /                                            |      | Klaviyo open
pixel | hubspotlinks.com   | /                                            |      | HubSpot open
pixel | list-manage.com    | /track/                                      |      | Mailchimp open
pixel | convertkit-mail.com | /o/                                         |      | ConvertKit open
pixel | mailtrack.io       | /trace                                       |      | Mailtrack open
pixel | emltrk.com         | /                                            |      | Litmus open
link  | any                | /(?:ls|wf)/click\?                           |      | SendGrid and Klaviyo clicks
link  | any                | /(?:mp)?ss/c/[\w.-]{20}                      |      | SendGrid click, newer
link  | any                | /c/(?-i:eJ)[\w-]{20}                         |      | Mailgun click
link  | any                | /e[1-3]t/(?:[bc]?tc|c)/                      |      | HubSpot click
link  | any                | /f/a/[\w-]{16,200}~                          |      | SparkPost click
link  | any                | /(?:tr|mk)/(?:cl|mr)/(?:f/|sh/)*[\w-]{16}    |      | Brevo click
link  | any                | /track/click[?/.]                            |      | Mandrill and Mailchimp clicks
link  | any                | /c?l0/https?:                                | path | Amazon SES click
link  | any                | /e/c/(?:(?-i:eyJ)[\w=-]{17}|[a-z0-9=]{40})   |      | Customer.io click
link  | any                | /lnk/[\w-]{10}                               |      | Mailjet click
link  | any                | /link/c/(?-i:YT0)[\w=-]{7}                   |      | MailerLite click
link  | any                | /lt\.php\?                                   |      | ActiveCampaign and phpList clicks
link  | any                | /click\.html\?x=                             |      | GetResponse click
link  | any                | /t/[a-z]-[ijl]-[a-z]{4,}-[a-z]{2,}-[a-z]{1,2}/ |      | Campaign Monitor click
link  | any                | /\?qs=[0-9a-f]{40}                           |      | Salesforce click
link  | any                | /[au]/click\?_t=                             |      | Iterable click
link  | any                | /u/nrd\.php                                  |      | Emarsys click
link  | any                | /optiext/optiextension\.dll                  |      | Selligent click
link  | awstrack.me        | /                                            | path | Amazon SES click
link  | list-manage.com    | /track/                                      |      | Mailchimp click
link  | mandrillapp.com    | /track/                                      |      | Mandrill click
link  | hubspotlinks.com   | /                                            |      | HubSpot click
link  | pstmrk.it          | /                                            |      | Postmark click
link  | klclick.com        | /                                            |      | Klaviyo click
link  | klclick1.com       | /                                            |      | Klaviyo click
link  | klclick2.com       | /                                            |      | Klaviyo click
link  | klclick3.com       | /                                            |      | Klaviyo click
link  | rs6.net            | /tn\.jsp                                     | p    | Constant Contact click
link  | convertkit-mail.com | /                                           |      | ConvertKit click
link  | mjt.lu             | /lnk/                                        |      | Mailjet click
link  | exct.net           | /                                            |      | Salesforce click
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """One row: whose measuring it is, and which part of the address shows the destination (`path`, a parameter)."""

    why: str
    readable: str


class _Shapes:
    """The rows of one kind: one pattern for the paths of any host, and a few for each named host."""

    def __init__(self, rows: list[list[str]]) -> None:
        general = [row for row in rows if row[1] == "any"]
        self.any = [Shape(why, readable) for *_, readable, why in general]
        self.pattern = re.compile("|".join(f"({row[2]})" for row in general), re.IGNORECASE)
        self.hosts: dict[str, list[tuple[re.Pattern[str], Shape]]] = {}
        for _, host, path, readable, why in rows:
            if host != "any":
                row = (re.compile(path, re.IGNORECASE), Shape(why, readable))
                self.hosts.setdefault(host, []).append(row)

    def find(self, host: str, path: str) -> Shape | None:
        """The row that an address fits. `host` without port, `path` with its query."""
        found = self.pattern.match(path)
        if found is not None and found.lastindex is not None:
            return self.any[found.lastindex - 1]
        for pattern, shape in self.hosts.get(".".join(host.split(".")[-2:]), ()):
            if pattern.match(path):
                return shape
        return None


_ROWS: Final = [[cell.strip() for cell in line.split(" | ")] for line in _TABLE.strip().splitlines()]
PIXELS: Final = _Shapes([row for row in _ROWS if row[0] == "pixel"])
LINKS: Final = _Shapes([row for row in _ROWS if row[0] == "link"])
