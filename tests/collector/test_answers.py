"""What leaves the collector: constants, and the destination sealed in a token."""

import pytest
from collector_stage import (
    ALICE,
    BOB,
    CHARLIE,
    DAY,
    DORA,
    ERIN,
    GRACE,
    HOST,
    NOW,
    OTHER,
    RETIRED,
    SHOP,
    TOKENS,
    Stage,
    facts,
    flipped,
    link,
    pixel,
)  # fmt: skip
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_track.collector.answers import NOT_OURS, PIXEL, build_answers
from consent_track.domain.observation import TokenFlag
from consent_track.domain.policy import Policies
from consent_track.domain.vocabulary import TokenClass

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get"]

# name -> path of a pixel, host, and what has to be changed on the stage first
STATES = {
    "Alice, who consented": lambda stage: pixel(ALICE),
    "Bob, who withdrew": lambda stage: pixel(BOB),
    "Charlie, who never said": lambda stage: pixel(CHARLIE),
    "Dora, who objected": lambda stage: pixel(DORA),
    "Erin, who was erased": lambda stage: pixel(ERIN),
    "Grace, with her signal": lambda stage: pixel(GRACE),
    "an expired token": lambda stage: pixel(ALICE, issued_at=NOW - 91 * DAY),
    "a token from tomorrow": lambda stage: pixel(ALICE, issued_at=NOW + DAY),
    "a token for a campaign": lambda stage: pixel(0, flags=TokenFlag.AGGREGATE),
    "a flag of a later version": lambda stage: pixel(ALICE, flags=TokenFlag(64)),
    "a token of another class": lambda stage: "/o/" + link(ALICE)[3:],
    "a preference token": lambda stage: "/o/" + TOKENS.issue(facts(token_class=TokenClass.PREFERENCE)),
    "another controller's token": lambda stage: pixel(ALICE, controller=OTHER),
    "a forged token": lambda stage: flipped(pixel(ALICE)),
    "a token with another header": lambda stage: flipped(pixel(ALICE), 3),
    "nonsense": lambda stage: "/o/nonsense",
    "nothing": lambda stage: "/o/",
    "a path below": lambda stage: pixel(ALICE) + "/x",
    "a file name": lambda stage: pixel(ALICE) + ".gif",
    "characters of another world": lambda stage: "/o/Ã©%00\x00\r\nSet-Cookie: a=b",
    "a very long one": lambda stage: "/o/" + "A" * 20_000,
}  # fmt: skip


class TestPixel:
    @pytest.mark.law("AH-02", "AH-11", "TI-09")
    @pytest.mark.parametrize("name", STATES)
    def test_the_answer_is_the_same_octets_for_every_state(self, stage, name):
        of_alice = stage.ask(pixel(ALICE))
        answer = stage.ask(STATES[name](stage))
        assert answer == of_alice
        assert (answer.status, answer.body) == ("200 OK", PIXEL)

    def test_it_is_a_gif_of_43_octets_that_programs_can_read(self):
        assert len(PIXEL) == 43
        assert PIXEL.startswith(b"GIF89a")
        assert PIXEL[6:10] == b"\x01\x00\x01\x00"  # one by one
        assert PIXEL.endswith(b";")

    @pytest.mark.law("AH-02")
    @pytest.mark.parametrize("method", METHODS)
    def test_the_method_changes_nothing_but_the_body_of_head(self, stage, method):
        of_alice, of_nobody = stage.ask(pixel(ALICE), method), stage.ask("/o/nonsense", method)
        assert of_alice == of_nobody
        assert of_alice.headers == stage.ask(pixel(ALICE)).headers
        assert of_alice.body == (b"" if method == "HEAD" else PIXEL)

    @pytest.mark.law("AH-02", "AH-03")
    def test_the_answer_is_the_same_when_nothing_can_be_read_or_written(self, stage, tmp_path):
        whole = stage.ask(pixel(ALICE))
        stage.now += 3_600  # the view is an hour old
        assert stage.ask(pixel(ALICE)) == whole
        assert (
            stage.rebuild(policies=Policies({}, {}, stage.runtime.policies.house)).ask(pixel(ALICE, message=2)) == whole
        )
        (tmp_path / "file").write_text("no folder")
        broken = Stage(tmp_path / "file" / "spool")
        assert broken.ask(pixel(ALICE)) == whole
        assert broken.spool.counts.refused == 1
        broken.collector.close()


class TestLink:
    GENUINE = {
        "Alice, who consented": {"person": ALICE},
        "Bob, who withdrew": {"person": BOB},
        "Charlie, who never said": {"person": CHARLIE},
        "Dora, who objected": {"person": DORA},
        "Erin, who was erased": {"person": ERIN},
        "an expired token": {"issued_at": NOW - 3_000 * DAY},
        "a token from tomorrow": {"issued_at": NOW + DAY},
        "a token for a campaign": {"person": 0, "flags": TokenFlag.AGGREGATE},
        "a flag of a later version": {"flags": TokenFlag(128)},
        "no purposes": {"purposes": 0},
        "a mail type of a later version": {"mail_type": None},
    }

    @pytest.mark.law("AH-02", "TI-08", "TI-09")
    @pytest.mark.parametrize("name", GENUINE)
    def test_every_genuine_token_leads_to_the_authors_link_and_looks_the_same(self, stage, name):
        answer = stage.ask(link(**self.GENUINE[name]))
        assert answer == stage.ask(link(ALICE))
        assert answer.status == "302 Found"
        assert answer.header("Location") == SHOP
        assert answer.body == b""

    @pytest.mark.law("TI-09")
    def test_a_retired_key_leads_on_for_ever_and_never_records(self, stage):
        old = link(ALICE)
        answer = stage.rebuild(tokens=RETIRED).ask(old)
        assert answer.header("Location") == SHOP
        assert stage.frames() == []

    DESTINATIONS = [
        "https://shop.example/",
        "http://shop.example",
        "HTTPS://Shop.Example/A%2fB?q=%C3%A9&q=%25#frag?x",
        "https://shop.example/?next=https://other.example/&a=1;b=2",
        "https://shop.example:8443/a//b/../c?utm_source=mail",
        "https://xn--bcher-kva.example/" + "p" * 1_900,
    ]

    @pytest.mark.law("TI-08", "AH-10", "SE-03")
    @pytest.mark.parametrize("destination", DESTINATIONS)
    def test_the_location_is_byte_equal_to_what_the_author_wrote(self, stage, destination):
        assert stage.ask(link(destination=destination)).header("Location") == destination

    @pytest.mark.law("AH-10", "SE-03")
    @pytest.mark.parametrize(
        "destination",
        ["javascript:alert(1)", "//evil.example/", "/local", "data:text/html,x", "https:evil", "",
         "https://a.example/\r\nSet-Cookie: x=1", "https://a.example/ b", "ftp://a.example/"],
    )  # fmt: skip
    def test_a_destination_that_should_never_have_been_sealed_leads_nowhere(self, stage, destination):
        answer = stage.ask(link(destination=destination))
        assert answer.status == "404 Not Found"
        assert answer.header("Location") is None

    NOT_GENUINE = {
        "a forged token": lambda: flipped(link(ALICE)),
        "a signature of another": lambda: flipped(link(ALICE), -16),
        "a changed destination": lambda: flipped(link(ALICE), -20),
        "an open token": lambda: "/c/" + pixel(ALICE)[3:],
        "nonsense": lambda: "/c/nonsense",
        "nothing": lambda: "/c/",
        "a URL": lambda: "/c/https://evil.example/",
        "another host's": lambda: link(ALICE, controller=OTHER),
        "a path below": lambda: link(ALICE) + "/",
    }  # fmt: skip

    @pytest.mark.law("AH-10", "SE-03")
    @pytest.mark.parametrize("name", NOT_GENUINE)
    def test_anything_else_is_one_constant_page_and_never_a_redirect(self, stage, name):
        answer = stage.ask(self.NOT_GENUINE[name]())
        assert answer == stage.ask("/c/something-else")
        assert (answer.status, answer.body) == ("404 Not Found", NOT_OURS)
        assert answer.header("Location") is None

    @pytest.mark.parametrize("method", METHODS)
    def test_get_and_head_lead_on_and_no_other_method_does(self, stage, method):
        answer = stage.ask(link(ALICE), method)
        if method in ("GET", "HEAD"):
            assert answer.header("Location") == SHOP
        else:
            assert answer == stage.ask("/c/nonsense", method)

    @pytest.mark.law("AH-10", "SE-03", "TI-08")
    def test_a_query_changes_nothing(self, stage):
        plain = stage.ask(link(ALICE))
        for query in ("?url=https://evil.example/", "?next=//evil", "?utm_source=x", "?", "?" + "a" * 9_000):
            assert stage.ask(link(ALICE) + query) == plain
        forged = stage.ask("/c/nonsense")
        assert stage.ask("/c/nonsense?url=https://evil.example/") == forged

    @pytest.mark.law("AH-10", "SE-03")
    @given(
        place=st.integers(0, 200), bit=st.integers(0, 7), extra=st.sampled_from(["", "=", "/", "%0d%0aX: y", "A", "é"])
    )
    @settings(max_examples=80, deadline=None)
    def test_no_change_of_a_token_ever_leads_anywhere_else(self, one_stage, place, bit, extra):
        stage = one_stage
        octets = bytearray(link(BOB).encode())
        octets[3 + place % (len(octets) - 3)] ^= 1 << bit
        assert stage.ask(octets.decode("latin-1") + extra).status == "404 Not Found"
        assert stage.ask(link(BOB) + extra).header("Location") == (None if extra else SHOP)


class TestHeaders:
    EXPECTED = """
        Cache-Control            private, no-store
        Referrer-Policy          no-referrer
        X-Robots-Tag             noindex
        X-Content-Type-Options   nosniff
        Content-Security-Policy  default-src 'none'
    """

    @pytest.mark.law("SE-04", "TI-08")
    @pytest.mark.parametrize("path", [pixel(ALICE), "/o/x", link(ALICE), "/c/x"])
    @pytest.mark.parametrize("https", [False, True])
    def test_every_answer_says_the_same_about_caches_referrers_and_robots(self, stage, path, https):
        answer = stage.rebuild(https=https).ask(path)
        for line in self.EXPECTED.strip().splitlines():
            name, value = line.split(maxsplit=1)
            assert answer.header(name) == value
        assert answer.header("Content-Length") == str(len(answer.body))
        assert (answer.header("Strict-Transport-Security") is not None) == https
        for identifier in ("Set-Cookie", "ETag", "Last-Modified", "Vary", "Age", "Expires", "Link", "Refresh"):
            assert answer.header(identifier) is None
        assert len({name.lower() for name, _ in answer.headers}) == len(answer.headers)

    def test_a_server_that_changes_the_list_it_is_given_does_not_change_the_next_answer(self, stage):
        stage.collector({"REQUEST_METHOD": "GET", "PATH_INFO": "/o/x"}, lambda _, headers: headers.append(("A", "b")))
        assert stage.ask("/o/x").header("A") is None
        assert build_answers(False).pixel == list(stage.ask("/o/x").headers)


class TestWhoseRequestItIs:
    @pytest.mark.parametrize("path", ["/", "/o", "/c", "/open/x", "/p/x", "/O/x", "//o/x", "", "/healthz", "/x/o/y"])
    def test_everything_else_goes_downstream_untouched(self, stage, path):
        answer = stage.ask(path)
        assert answer.header("X-From") == "downstream"
        assert answer.body == b"downstream " + path.encode()

    HOSTS = """
        1  t.acme.example        genuine
        1  T.Acme.Example        genuine
        1  t.acme.example:8443   genuine
        1  t.acme.example.       genuine
        1  evil.example          forged
        1  t.other.example       forged
        1  t.acme.example.evil   forged
        1  x-t.acme.example      forged
        1  -                     forged
        1  [::1]:80              forged
        2  t.other.example       genuine
        2  old.other.example     genuine
        2  t.acme.example        forged
        3  t.acme.example        genuine
        3  t.other.example       forged
    """

    @pytest.mark.parametrize("line", HOSTS.strip().splitlines())
    def test_a_token_counts_only_on_a_host_of_its_controller(self, stage, line):
        controller, host, expected = line.split()
        path = link(ALICE, controller=int(controller))
        answer = stage.ask(path, host="" if host == "-" else host, HTTP_X_FORWARDED_HOST=HOST)
        assert (answer.status == "302 Found") == (expected == "genuine")
        assert stage.ask(pixel(ALICE, controller=int(controller)), host="" if host == "-" else host).body == PIXEL
        assert [hit.controller for hit in stage.hits()] == ([int(controller)] * 2 if expected == "genuine" else [])

    def test_the_address_of_the_installation_may_be_an_ipv6_literal(self, stage):
        for written in ("[::1]", "::1", "[::1]:8080"):
            stage.rebuild(own_hosts=frozenset({written}))
            assert stage.ask(link(ALICE), host="[::1]:8080").status == "302 Found"
            assert stage.ask(link(ALICE), host="[::1]").status == "302 Found"
            assert stage.ask(link(ALICE), host="[::2]:8080").status == "404 Not Found"
