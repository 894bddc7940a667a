"""The generated notice: it says what the policies in force do, all of it, and nothing that they do not."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_track.bundled import bundled
from consent_track.domain.controller import Controller, JointController, Processor, ProcessorRole
from consent_track.domain.errors import InputRefused, PolicyRefused
from consent_track.domain.policy import Parameter, Policy, Requirement, Retention
from consent_track.domain.retention import OnErasure
from consent_track.domain.vocabulary import EXEMPT_MODES, INDIVIDUAL, RESERVED, Purpose
from consent_track.i18n import load_wordings
from consent_track.notice.compare import compare
from consent_track.notice.facts import CLASSES
from consent_track.notice.forms import FORMS, compose
from consent_track.notice.render import as_data, as_html, as_text
from consent_track.policy_files import load_pack, load_policies
from consent_track.records.datamap import HOLDINGS

WORDINGS = load_wordings(bundled("translations"))
POLICIES = load_policies([bundled("policies")])
URL = "https://mail.acme.example"
BOARD = "https://board.example/complain"
ACME = Controller(
    number=1,
    name="Acme",
    contact="privacy@acme.example",
    privacy_policy="https://acme.example/privacy",
    postal_address="1 Long Street\nLewes",
    processors=(Processor("Mail House Ltd", ProcessorRole.SENDING, "IE"), Processor("Racks SA", ProcessorRole.HOSTING)),
    complaints=BOARD,
)
PLACES = ("FR", "IT", "DE", "GB", "US-CA", "IN", "ZZ")


def made(jurisdiction="FR", locale="en", policy=None, controller=ACME):
    found = policy or POLICIES.for_jurisdiction(jurisdiction)
    return compose(WORDINGS.complete[locale], found, controller, jurisdiction, URL)


def policy_with(jurisdiction="FR", *, off=(), hits=None, house=None, **parameters):
    """The shipped policy with purposes off, another retention of hits, or other parameters."""
    policy = POLICIES.for_jurisdiction(jurisdiction)
    rules = {
        purpose: replace(rule, requirement=Requirement.NEVER, otherwise=Requirement.NEVER) if purpose in off else rule
        for purpose, rule in policy.pack.rules.items()
    }
    retention = dict(policy.pack.retention)
    if hits is not None:
        retention["hits"] = Retention(0, hits, "test", retention["hits"].confidence)
    changed = dict(policy.pack.parameters)
    for name, value in parameters.items():
        changed[name] = Parameter(value, "test", changed[name].confidence)
    pack = replace(
        policy.pack,
        rules=MappingProxyType(rules),
        retention=MappingProxyType(retention),
        parameters=MappingProxyType(changed),
    )
    return Policy(pack, house or policy.house, policy.hash)


def title(purpose, locale="en"):
    return WORDINGS.complete[locale].messages[f"purpose.{purpose}.title"]


@pytest.mark.law("DI-02", "DI-10", "ST-11", "RT-11")
@settings(max_examples=40, deadline=None)
@given(
    locale=st.sampled_from(WORDINGS.locales),
    jurisdiction=st.sampled_from(PLACES),
    on=st.sets(st.sampled_from(sorted(INDIVIDUAL)), min_size=1),
    processors=st.sets(st.sampled_from(["Mail House Ltd", "Racks SA", "Help Desk GmbH", "Zürich & Söhne"])),
    hits=st.integers(31, 396),
)
def test_every_purpose_processor_and_period_appears_and_what_is_switched_off_disappears(
    locale, jurisdiction, on, processors, hits
):
    controller = replace(ACME, processors=tuple(Processor(name, ProcessorRole.SENDING) for name in sorted(processors)))
    policy = policy_with(jurisdiction, off=INDIVIDUAL - on, hits=hits)
    notice = made(jurisdiction, locale, policy, controller)
    text = as_text(notice)
    assert {purpose for purpose in INDIVIDUAL if title(purpose, locale) in text} == on
    for name in ("Mail House Ltd", "Racks SA", "Help Desk GmbH", "Zürich & Söhne"):
        assert (name in text) == (name in processors)
    period = WORDINGS.complete[locale].period
    for name in CLASSES:
        assert period(policy.keep_days(name)) in text
    assert period(policy.number("ip_pseudonym_days")) in text
    assert ("Acme" in text, ACME.contact in text) == (True, True)
    for published in (text, as_html(notice), f"<html><p>Welcome.</p>{as_html(notice)}<p>Cookies: none.</p></html>"):
        assert not compare(notice, published)


@pytest.mark.law("DI-02", "ST-11")
@pytest.mark.parametrize("jurisdiction", ["FR", "IT", "DE", "GB", "ZZ"])
def test_a_notice_tells_all_that_the_law_asks_for(jurisdiction):
    """GDPR Art. 13: who, what for, on what ground, which data, how long, who gets them, rights, complaint, outcome."""
    slots = {slot.key: slot for slot in made(jurisdiction).slots}
    assert list(slots) == "who purposes data kept recipients refuse signals consequences complain".split()
    assert all(slot.heading and not slot.empty for slot in slots.values())
    assert all(text.endswith("Only if you agree.") for _, text in slots["purposes"].items)
    assert "link at the end" in slots["refuse"].sentences[0]
    assert "within 7 days" in slots["refuse"].sentences[1]


def test_every_class_of_data_about_people_is_told():
    """The data map is asked, so that a new table cannot be forgotten here."""
    about_people = {
        held.data_class
        for held in HOLDINGS.values()
        if held.subject_column is not None or held.data_class == "suppression"
    }
    assert about_people - {None} == set(CLASSES)
    unbounded = [held for held in HOLDINGS.values() if held.data_class is None and held.subject_column is not None]
    assert all(held.on_erasure is OnErasure.DELETE for held in unbounded)  # `until you have it erased`


@pytest.mark.law("DI-05")
class TestCalifornia:
    def rows(self, policy=None):
        (table,) = [slot for slot in made("US-CA", policy=policy).slots if slot.columns]
        return table

    def test_one_row_for_each_category_with_purposes_sale_and_retention(self):
        assert self.rows().columns == ("Category", "Purposes", "Kept", "Sold or shared")
        purposes = "; ".join(title(purpose) for purpose in Purpose if purpose in INDIVIDUAL)
        comply = "To respect and prove what you chose"
        activity = "Internet or other electronic network activity"
        email, erased = "Your email address and where your choices stand", "If you had your data erased: a code that"
        assert self.rows().items == (
            (f"{activity}: Opens and clicks", purposes, "at most 396 days (about 13 months)", "No"),
            ("Identifiers: Shortened network address", purposes, "at most 30 days", "No"),
            (f"{activity}: Which emails you got, and whether they were measured", comply,
             "at most 731 days (about 2 years)", "No"),
            ("Identifiers: Proof of what you chose", comply, "at most 2192 days (about 6 years)", "No"),
            (f"Identifiers: {erased} keeps it so", comply, "at most 36525 days (about 100 years)", "No"),
            ("Identifiers: Record of your requests", comply, "at most 1096 days (about 3 years)", "No"),
            (f"Identifiers: {email}", comply, "until you have it erased", "No"),
        )  # fmt: skip

    def test_another_retention_is_another_notice(self):
        assert self.rows(policy_with("US-CA", hits=180)).items[0][2] == "at most 180 days (about 6 months)"

    def test_it_says_where_to_opt_out_and_where_the_whole_policy_is(self):
        slots = {slot.key: slot.sentences for slot in made("US-CA").slots}
        assert slots["opt_out"][0].endswith(f"{URL}/privacy")
        assert slots["policy"][0].endswith(ACME.privacy_policy)

    def test_a_notice_regime_never_says_that_somebody_agreed(self):
        house = replace(POLICIES.house, regimes={"US-CA": Requirement.NOTICE}, notices={"US-CA": "v1"})
        text = as_text(
            made(
                "US-CA", policy=policy_with("US-CA", off={Purpose.PERSONALISATION, Purpose.SALES_FOLLOWUP}, house=house)
            )
        )
        assert "It happens until you turn it off." in text
        assert "agree" not in text


@pytest.mark.law("AH-12", "DI-06")
@pytest.mark.parametrize(
    ("dnt", "said"), [("refusal", "(DNT) is treated as a refusal"), ("ignore", "(DNT) changes nothing here")]
)
@pytest.mark.parametrize("jurisdiction", ["FR", "US-CA", "IN"])
def test_do_not_track_is_told_as_it_is_handled(jurisdiction, dnt, said):
    text = as_text(made(jurisdiction, policy=policy_with(jurisdiction, dnt=dnt)))
    assert said in text
    assert text.count("(DNT)") == 1
    assert "(GPC) is treated as a refusal" in text


@pytest.mark.law("CC-20")
class TestIndia:
    def test_it_stands_alone_and_begins_with_its_five_slots(self):
        notice = made("IN")
        assert [slot.key for slot in notice.slots[:5]] == "data purposes withdraw rights complaint".split()
        page = as_html(notice)
        assert page.startswith("<!doctype html>")
        assert f'href="{URL}/privacy"' in page
        assert 'href="mailto:privacy@acme.example"' in page
        assert f'href="{BOARD}"' in page

    def test_a_missing_slot_is_an_error_that_names_the_setting(self):
        with pytest.raises(InputRefused, match="controller: complaints: is missing: the notice of IN needs it"):
            made("IN", controller=replace(ACME, complaints=""))
        assert as_text(made("FR", controller=replace(ACME, complaints="")))

    def test_each_of_the_five_is_mandatory(self):
        assert FORMS["IN"].needed == {"data", "purposes", "withdraw", "rights", "complaint"}


@pytest.mark.law("DI-11")
def test_joint_controllers_are_told_with_the_essence_of_their_arrangement_only_if_there_are_some():
    page = "https://acme.example/joint"
    joint = replace(ACME, joint_controllers=(JointController("Acme Shop Ltd", page),))
    assert f"together with Acme Shop Ltd. How they share the duties: {page}" in as_text(made(controller=joint))
    assert "together with" not in as_text(made())


@pytest.mark.law("DI-12")
def test_automated_decisions_are_told_with_their_reference_and_a_way_out():
    policy = policy_with()
    rules = {
        **policy.pack.rules,
        Purpose.PERSONALISATION: replace(policy.pack.rules[Purpose.PERSONALISATION], admt="DPIA 7"),
    }
    told = as_text(made(policy=replace(policy, pack=replace(policy.pack, rules=rules))))
    assert "How they come about: DPIA 7. You can say no to this purpose alone" in told
    assert "Automated decisions" not in as_text(made())


@pytest.mark.law("DI-12", "RE-08")
def test_a_flag_without_the_reference_of_its_assessment_does_not_load(tmp_path):
    text = (bundled("policies") / "FR.toml").read_text()
    flagged = text.replace("[rules.personalisation]\n", "[rules.personalisation]\nadmt = true\n")
    pack = tmp_path / "FR.toml"
    pack.write_text(flagged)
    with pytest.raises(PolicyRefused, match=r"rules\.personalisation\.assessment: must be there"):
        load_pack(pack)
    pack.write_text(flagged.replace("admt = true\n", 'admt = true\nassessment = "DPIA 7"\n'))
    assert load_pack(pack).rules[Purpose.PERSONALISATION].admt == "DPIA 7"


def test_exempt_modes_are_told_once_their_notice_is_recorded_and_reserved_purposes_never():
    assert all(one.value not in as_text(made()) for one in RESERVED)
    texts = WORDINGS.complete["en"]
    purpose = Purpose.DELIVERABILITY_HYGIENE
    with_words = replace(
        texts,
        messages={**texts.messages, f"purpose.{purpose}.title": "Last day", f"purpose.{purpose}.text": "Only a date."},
    )
    assert purpose in EXEMPT_MODES
    for house, told in ((POLICIES.house, False), (replace(POLICIES.house, notices={purpose: "v1"}), True)):
        notice = compose(with_words, policy_with(house=house), ACME, "FR", URL)
        assert ("Last day" in as_text(notice)) is told
        assert ("The law allows it without asking you" in as_text(notice)) is told


def test_where_nobody_may_be_measured_there_is_nothing_to_tell():
    with pytest.raises(InputRefused, match="let nobody be measured in FR"):
        made(policy=policy_with(off=INDIVIDUAL))


class TestCompare:
    def test_a_word_that_changed_a_row_that_went_and_one_that_stayed_are_found(self):
        old = made()
        published = as_html(old)
        assert compare(old, published.replace("396 days", "300 days")).missing == (
            "at most 396 days (about 13 months)",
        )
        assert compare(old, published.replace("Only if you agree.", "")).missing
        fewer = made(policy=policy_with(off={Purpose.SALES_FOLLOWUP}))
        found = compare(fewer, published)
        assert found.missing == ()
        assert "let a salesperson follow up" in found.surplus[0]

    def test_an_empty_page_lacks_everything(self):
        assert len(compare(made(), "").missing) > 30

    def test_mark_up_scripts_and_line_ends_do_not_matter(self):
        notice = made(locale="ar")
        page = as_html(notice).replace("<p>", "<div class='x'><script>if (a < b) {}</script>").replace(" ", "\n ")
        assert not compare(notice, page)


@pytest.mark.law("DI-13")
@pytest.mark.parametrize("locale", WORDINGS.locales)
def test_a_notice_is_short_and_plain(locale):
    """No sentence of more than 45 words; the whole of it is read in about two minutes (GDPR Art. 12(1))."""
    for jurisdiction in PLACES:
        notice = made(jurisdiction, locale)
        for slot in notice.slots:
            for sentence in slot.sentences:
                assert max(len(part.split()) for part in sentence.split(". ")) <= 45, sentence
        assert len(as_text(notice).split()) <= 500


def test_markup_in_a_name_stays_words():
    controller = replace(ACME, name="<script>alert(1)</script>", processors=(Processor('A&B "x"', ProcessorRole.CRM),))
    page = as_html(made(controller=controller))
    assert "<script" not in page
    assert "A&amp;B &quot;x&quot;" in page


def test_the_data_say_which_policy_they_come_from():
    data = as_data(made("FR"))
    assert data["policy"] == {"id": "FR", "version": POLICIES.by_id["FR"].hash, "law_version": "2026-11-23"}
    assert data["slots"]["recipients"]["items"][0] == ["Mail House Ltd (Ireland)", "sends the emails"]
