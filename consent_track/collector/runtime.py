"""What a collector is handed: keys for tokens and days, policies, the view, the spool. No table, no address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from consent_track.crypto.pseudonyms import DayKeys
from consent_track.crypto.tokens import Tokens
from consent_track.domain.decision import Scope
from consent_track.domain.observation import TokenFacts, Verdict
from consent_track.domain.policy import Policies

from .consent_view import ConsentView
from .declines import FlushDeclines
from .exempt import KeepExempt
from .networks import Networks
from .proxies import TrustedProxies
from .spool import SpoolWriter

# For the live list of the demo, in memory only; the verdict is None for what was declined.
Observe = Callable[[TokenFacts, Scope, Verdict | None], None]


@dataclass(frozen=True, slots=True)
class CollectorRuntime:
    """Everything a collector works with. Cheap to hand around; opens nothing and starts nothing by itself.

    `own_hosts` are the host names of the installation, without port; `hosts` those of controllers that have their own,
    now or formerly. A token counts only on a host of its controller. `https`: the installation is reached over TLS.
    """

    tokens: Tokens
    policies: Policies
    day_keys: DayKeys
    view: ConsentView
    spool: SpoolWriter
    flush_declines: FlushDeclines
    clock: Callable[[], float]
    own_hosts: frozenset[str]
    hosts: Mapping[int, frozenset[str]] = field(default_factory=dict)
    https: bool = False
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    networks: Networks = field(default_factory=Networks)
    observe: Observe | None = None
    keep_exempt: KeepExempt | None = None  # None: exempt modes keep nothing here
    time_zones: Mapping[int, str] = field(default_factory=dict)  # controller -> zone in which its days are counted
