"""The stage's collector as a WSGI application for a real server: `collector_served:app`, its spool in STAGE_FOLDER."""

import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from collector_stage import Stage, downstream

from consent_track.collector.app import Collector
from consent_track.collector.proxies import TrustedProxies

stage = Stage(Path(os.environ["STAGE_FOLDER"]))
proxies = TrustedProxies(["127.0.0.0/8"] if os.environ.get("STAGE_BEHIND_PROXY") else [])
app = Collector(
    downstream, replace(stage.runtime, own_hosts=frozenset({"127.0.0.1", "track.example.org"}), proxies=proxies)
)
