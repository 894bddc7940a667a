"""Planted: pages that a machine can press at once, and an answer that looks the address up. The figures see both."""

import random
import sys
from pathlib import Path

from consent_track.activities import confirming, knowing
from tests import world

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import known_full
import scanner_verify


def test_a_page_that_takes_a_press_at_once_is_found_by_the_scanner_suite(tmp_path, monkeypatch):
    acme = scanner_verify.Acme(tmp_path / "home", 2)
    for link in acme.links:
        scanner_verify.send_forms(acme, link)
    assert acme.counts()["used"] == 0
    monkeypatch.setattr(confirming, "READING", 0)
    for link in acme.links:
        scanner_verify.send_forms(acme, link)
    assert acme.counts()["used"] > 0
    acme.runtime.database.close()


def test_an_answer_that_opens_what_is_sealed_about_the_known_is_found_by_its_time(tmp_path):
    runtime = world.installation(tmp_path / "home")
    world.consents(runtime, "reader00000@example.org")

    def ask(address):
        with runtime.reading() as p:
            subject = knowing.find(p, 1, "reader00000@example.org" if address.startswith("reader") else address)
            if subject:
                knowing.person(p, 1, subject)

    assert abs(known_full.samples(ask, lambda: None, 1_000, random.Random(1))) >= known_full.MOST
    runtime.database.close()
