"""Receipts: every field that the standard asks for, readable by an older tool and by a person, and none of it false."""

import copy
import json

import pytest

from consent_track.activities import auditing, consenting, knowing, receipting
from consent_track.activities.entering import How
from consent_track.cli.receipt import readable
from consent_track.domain import shape
from consent_track.domain.consent import Shown
from consent_track.domain.vocabulary import Grade, Purpose
from tests import world

URL = "https://mail.acme.example"
SHOWN = Shown("en", (("purpose.click_performance.text", "Acme notes that you clicked."),))
LOOP = How(
    "mailbox_loop", Grade.MAILBOX_LOOP, "subject", locale="en", shown=SHOWN, jurisdiction="FR", asked_at=world.NOW - 60
)
PROCESSORS = """
processors = [{ name = "Hosting GmbH", role = "hosting", country = "DE" }, { name = "Mailing SA", role = "sending" }]
"""


@pytest.fixture
def runtime(tmp_path):
    found = world.installation(tmp_path / "home", controller=PROCESSORS)
    yield found
    found.database.close()


def act(runtime, do, *args, how=LOOP):
    with runtime.processing() as p:
        done = do(p, 1, knowing.obtain(p, 1, "dora@example.org", "en"), *args, how)
    return done.sequence


def receipt(runtime, sequence, whole=True):
    with runtime.reading() as p:
        found = receipting.receipt_of(p, 1, knowing.find(p, 1, "dora@example.org"), sequence, whole=whole)
        return found, receipting.signed(p, found, URL), receipting.as_kantara(p, found, URL)


@pytest.fixture
def given(runtime):
    return receipt(runtime, act(runtime, consenting.grant, [Purpose.CLICK_PERFORMANCE]))


def paths(value, path=""):
    """The path of every field of a document."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield f"{path}/{name}"
            yield from paths(below, f"{path}/{name}")
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from paths(below, f"{path}/{number}")


def without(document, path):
    found = copy.deepcopy(document)
    *way, last = path.strip("/").split("/")
    # `urn:` and `dpv:` names hold no slash, so a path is its own address
    place = found
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    del place[last]
    return found


# Free text and maps whose keys are not ours to fix.
FREE = ("/@context/", "/consent-track:words/")


@pytest.mark.law("RE-03")
def test_every_field_is_there_and_one_that_is_missing_is_named(given):
    _, signed, _ = given
    signed.pop("proof")
    assert receipting.missing(signed) == []
    fields = [path for path in paths(signed) if not any(free in path for free in FREE)]
    assert len(fields) > 60
    for path in fields:
        assert f"{path.strip('/')} is missing" in receipting.missing(without(signed, path)) or optional(path), path


def optional(path):
    return path.split("/")[-2].isdecimal() and path.endswith(("dpv:hasDuration", "dpv:hasLocation"))


@pytest.mark.law("RE-03")
def test_it_says_who_what_why_where_how_long_and_how_to_end_it(given):
    record = given[1]["dpv:hasRecordOfActivity"]
    [process] = record["dpv:hasProcess"]
    [state] = process["dpv:hasConsentStatus"]
    assert record["dpv:hasDataSubject"] == "dora@example.org"
    assert record["dpv:hasDataController"]["schema:name"] == "Acme"
    assert record["dpv:hasRecipient"] == ["Acme", "Hosting GmbH", "Mailing SA"]
    assert record["dpv:hasJurisdiction"] == "loc:FR"
    assert record["dpv:hasNotice"]["consent-track:words"] == dict(SHOWN.words)
    assert record["dpv:hasConsentControl"]["dpv:isExercisedAt"] == f"{URL}/privacy"
    assert (process["dpv:hasPurpose"], process["consent-track:purpose"]) == (
        "dpv:OptimisationForController", "click_performance",
    )  # fmt: skip
    assert process["dpv:hasPersonalData"] == ["pd:EmailAddress", "pd:LinkClicked"]
    assert [one.get("dpv:hasLocation") for one in process["dpv:hasStorageCondition"]] == [None, "Hosting GmbH, DE"]
    assert (state["@type"], state["dpv:isIndicatedAtTime"], state["consent-track:asked"]) == (
        "dpv:ConsentGiven", "2026-11-18T11:06:40Z", "2026-11-18T11:05:40Z",
    )  # fmt: skip
    assert (state["dpv:isIndicatedBy"], state["dpv:hasDuration"]["rdf:value"]) == ("dpv:DataSubject", "withdrawal")


@pytest.mark.law("RE-04")
def test_it_holds_by_its_signature_and_by_nothing_else(runtime, given):
    _, signed, _ = given
    public = runtime.keys.ledger_public
    assert auditing.check_receipt(json.dumps(signed), public).whole
    for path in [path for path in paths(signed) if not path.startswith("/proof")][:80]:
        found = auditing.check_receipt(json.dumps(without(signed, path)), public)
        assert "the signature is not that of this key over this receipt" in found.faults, path


@pytest.mark.law("RE-04")
def test_an_older_tool_reads_it_in_the_fields_of_kantara_1_1(given):
    _, _, view = given
    must = """version jurisdiction consentTimestamp collectionMethod consentReceiptID language piiPrincipalId
    piiControllers policyUrl services sensitive spiCat""".split()
    assert set(must) <= set(view)
    assert view["consentTimestamp"] == world.NOW
    [purpose] = view["services"][0]["purposes"]
    assert purpose["thirdPartyName"] == "Hosting GmbH, Mailing SA"
    assert (purpose["purpose"], purpose["consentType"]) == ("click_performance", "EXPLICIT")


@pytest.mark.parametrize("locale", ["en", "fr", "de", "ar"])
@pytest.mark.law("RE-04")
def test_a_person_reads_it_without_a_tracker_in_it(runtime, given, locale):
    text = readable(given[0], runtime.wordings.texts(locale))
    assert "dora@example.org" in text
    assert "Acme notes that you clicked." in text
    assert "http" not in text


def test_a_withdrawal_confirms_that_it_is_off(runtime, given):
    off = act(runtime, consenting.turn_off)
    found, signed, view = receipt(runtime, off, whole=False)
    assert (found.kind, found.whose) == ("withdrawal", "d***@e***")
    processes = signed["dpv:hasRecordOfActivity"]["dpv:hasProcess"]
    states = {one["consent-track:purpose"]: one["dpv:hasConsentStatus"][0]["@type"] for one in processes}
    assert states["click_performance"] == "dpv:ConsentWithdrawn"
    assert states["open_performance"] == "dpv:ConsentRefused"
    assert "WITHDRAWN" in {one["consentType"] for one in view["services"][0]["purposes"]}
    assert "Confirmation: turned off" in readable(found, runtime.wordings.texts("en"))


def test_an_objection_is_about_all_measuring_and_not_about_the_mail(runtime, given):
    with runtime.processing() as p:
        consenting.object_to(p, 1, knowing.find(p, 1, "dora@example.org"), LOOP)
    _, signed, _ = receipt(runtime, 2)
    first = signed["dpv:hasRecordOfActivity"]["dpv:hasProcess"][0]
    assert (first["consent-track:purpose"], first["dpv:hasPurpose"]) == ("tracking", "dpv:OptimisationForController")
    assert first["dpv:hasConsentStatus"][0]["consent-track:status"] == "objected"


def test_a_schema_never_looks_stricter_than_it_is():
    with pytest.raises(ValueError, match="maxLength"):
        shape.faults({"type": "object", "properties": {"a": {"maxLength": 3}}}, {"a": "long"})


WRONG = [
    ({"const": 1}, 2),
    ({"enum": ["a"]}, "b"),
    ({"type": "integer"}, True),
    ({"type": "integer", "minimum": 1}, 0),
    ({"type": "string", "minLength": 1}, ""),
    ({"type": "string", "pattern": "^a$"}, "b"),
    ({"type": "array", "minItems": 1}, []),
    ({"type": "array", "items": {"type": "string"}}, ["a", 1]),
    ({"type": "object", "required": ["a"]}, {}),
    ({"$defs": {"x": {"type": "string"}}, "$ref": "#/$defs/x"}, 1),
]


@pytest.mark.parametrize(("schema", "value"), WRONG)
def test_what_has_not_the_shape_is_said(schema, value):
    assert len(shape.faults(schema, value)) == 1
