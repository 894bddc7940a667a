"""The recipient's pages: GET shows, POST acts, the token is all that is asked for, and strangers learn nothing."""

from pathlib import Path

import pytest

from consent_track.activities import answering, proving
from consent_track.domain.observation import TokenFacts
from consent_track.domain.vocabulary import Purpose, TokenClass
from tests import world
from tests.activities import exempt_stage
from tests.web.conftest import Site
from tests.world import ALICE, BOB, CHARLIE

ROOT = Path(__file__).parents[2]
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.mark.law("CC-15", "WD-03")
def test_alice_sees_a_masked_address_and_what_is_on(site):
    page = site.ask(site.link(ALICE)).text
    assert "a***@e***" in page
    assert "alice" not in page.lower()
    assert "Your choices for emails from Acme" in page
    assert "Measuring is ON." in page
    assert page.count("<fieldset>") == 2
    assert "This does not unsubscribe you." in page


@pytest.mark.law("WD-06", "WD-16")
def test_only_a_post_turns_measuring_off(site):
    link = site.link(ALICE)
    for _ in range(20):
        assert site.ask(link).status_code == 200
        assert site.ask(link, "HEAD").status_code == 200
    assert site.state(ALICE).on
    done = site.ask(link, "POST", data={"off": "all"})
    assert done.status_code == 200
    assert site.state(ALICE).on == ()


def test_the_done_page_says_when_what_and_until_when(site):
    page = site.ask(site.link(ALICE), "POST", data={"off": "all"}).text
    assert "Measuring is off since 12:06, 18 November 2026 (Paris)." in page
    assert "This includes emails you already have. Their links still work." in page
    assert "What we recorded before is erased by 25 November 2026." in page
    assert "autofocus" in page


@pytest.mark.law("WD-16")
def test_one_purpose_can_be_turned_off_alone(site):
    site.ask(site.link(ALICE), "POST", data={"off": "click_performance"})
    assert [purpose.value for purpose in site.state(ALICE).on] == ["open_performance"]


@pytest.mark.parametrize("data", [{}, {"off": "everything"}, {"off": "geo"}, {"on": "all"}])
def test_an_answer_nobody_offered_changes_nothing(site, data):
    assert site.ask(site.link(ALICE), "POST", data=data).status_code == 400
    assert len(site.state(ALICE).on) == 2


@pytest.mark.law("WD-07")
def test_nothing_else_that_is_sent_is_kept(site):
    site.ask(site.link(ALICE), "POST", data={"off": "all", "phone": "0123456789", "name": "Secretname"})
    for path in site.runtime.config.home.rglob("*"):
        if path.is_file():
            assert b"Secretname" not in path.read_bytes()


@pytest.mark.law("ST-03", "ST-05")
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_ends_the_mail_in_both_encodings_without_a_redirect(site, content_type):
    answer = site.ask(site.link(ALICE, "u"), "POST", data=ONE_CLICK, content_type=content_type)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert site.state(ALICE).state.mail_ended_at is not None
    assert site.state(ALICE).on == ()


@pytest.mark.law("ST-04")
def test_getting_the_unsubscribe_link_shows_a_button_and_ends_nothing(site):
    page = site.ask(site.link(ALICE, "u"))
    assert "Stop emails from Acme?" in page.text
    assert page.text.count("<button") == 1
    assert site.state(ALICE).state.mail_ended_at is None


@pytest.mark.law("ST-05")
def test_turning_measuring_off_does_not_unsubscribe(site):
    site.ask(site.link(ALICE), "POST", data={"off": "all"})
    assert site.state(ALICE).state.mail_ended_at is None


def strangers(site):
    """Every way not to hold a link: each must look the same."""
    link = site.link(ALICE)
    facts = TokenFacts(TokenClass.PREFERENCE, 1, 4711, 1, world.NOW)
    opening = site.runtime.tokens.issue(TokenFacts(TokenClass.OPEN, 1, 4711, 1, world.NOW))
    erased = site.link(BOB)
    answering.erase(site.runtime.processing, 1, BOB, world.OPERATOR)
    return {
        "forged": link[:-1] + ("A" if link[-1] != "A" else "B"),
        "nonsense": "/p/hello",
        "another class": link.replace("/p/", "/u/"),
        "an open token": f"/p/{opening}",
        "never known": f"/p/{site.runtime.tokens.issue(facts)}",
        "erased": erased,
    }


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_strangers_all_see_the_same_page(site, method):
    answers = {}
    for why, path in strangers(site).items():
        answer = site.ask(path, method, data={"off": "all"} if method == "POST" else None)
        answers[why] = (answer.status_code, answer.data, sorted(answer.headers.items()))
    assert len({str(answer) for answer in answers.values()}) == 1
    assert answers["forged"][0] == 404
    assert b"/privacy" in answers["forged"][1]


@pytest.mark.law("OO-04")
@pytest.mark.parametrize(
    ("value", "heard"), [("1", True), ("0, 1", True), ("0", False), ("true", False), ("1;x", False)]
)
def test_a_browsers_signal_is_honoured_recorded_and_shown(site, value, heard):
    page = site.ask(site.link(ALICE), headers={"Sec-GPC": value}).text
    assert ("Opt-Out Request Honored" in page) is heard
    assert (site.state(ALICE).state.signal_on is not None) is heard


def test_a_signal_stays_shown_when_it_is_no_longer_sent(site):
    site.ask(site.link(ALICE, "u"), "HEAD", headers={"Sec-GPC": "1"})
    assert "Opt-Out Request Honored" in site.ask(site.link(ALICE)).text
    assert site.state(ALICE).state.mail_ended_at is None


@pytest.mark.law("WD-17", "SE-04")
def test_pages_set_no_cookie_run_no_script_and_load_nothing_from_elsewhere(site):
    for path in (site.link(ALICE), site.link(ALICE, "u"), "/privacy", "/p/x"):
        answer = site.ask(path)
        assert "Set-Cookie" not in answer.headers
        assert "<script" not in answer.text
        assert "style=" not in answer.text
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "max-age" in answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize("host", ["evil.example", "mail.acme.example.evil.example", "127.0.0.1"])
def test_an_unknown_host_gets_nothing(site, host):
    for path in ("/privacy", "/healthz", site.link(ALICE)):
        answer = site.ask(path, host=host)
        assert answer.status_code == 400
        assert b"Acme" not in answer.data


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", "La mesure dans"),
        ("de-AT", "Messung in"),
        ("ar", 'dir="rtl"'),
        ("pt-BR", "Medição nos"),
        ("pl", "Pomiar w"),
        ("fi", "Measuring in"),
    ],
)
def test_the_privacy_page_speaks_the_readers_language(site, language, words):
    assert words in site.ask("/privacy", headers={"Accept-Language": language}).text


@pytest.mark.law("AH-12")
@pytest.mark.parametrize("dnt", ["refusal", "ignore"])
def test_the_privacy_page_tells_of_the_signals_as_they_are_handled(another, tmp_path, dnt):
    own = tmp_path / "another-0" / "policies"
    own.mkdir(parents=True)
    own.joinpath("FR.toml").write_text(
        (ROOT / "policies" / "FR.toml").read_text().replace('dnt = { value = "refusal"', f'dnt = {{ value = "{dnt}"')
    )
    page = another(controller='jurisdiction = "FR"').ask("/privacy").text
    assert "Global Privacy Control (GPC) is treated as a refusal" in page
    assert ("(DNT) is treated as a refusal" in page) == (dnt == "refusal")


def test_the_privacy_page_names_the_controller_of_its_host_only(another):
    two = (
        'hosts = ["mail.acme.example"]\n[[controller]]\nnumber = 2\nname = "Other Ltd"\ncontact = "dpo@other.example"\n'
        'privacy_policy = "https://other.example/privacy"\nhosts = ["mail.other.example"]'
    )
    site = another(controller=two)
    assert "Acme" in site.ask("/privacy").text
    other = site.ask("/privacy", host="mail.other.example").text
    assert "Other Ltd" in other
    assert "Acme" not in other


@pytest.mark.law("SE-06")
def test_a_controllers_name_is_escaped_everywhere(another):
    extra = 'name_by_locale = {}\nunsubscribe = "consent_track"\npostal_address = "<script>alert(1)</script>"'
    site = another(controller=extra)
    assert "<script>alert" not in site.ask("/privacy").text


@pytest.mark.law("OO-11", "ST-07", "ST-12")
def test_well_known_places(site):
    gpc = site.ask("/.well-known/gpc.json")
    assert (gpc.json["gpc"], gpc.mimetype) == (True, "application/json")
    lines = site.ask("/.well-known/security.txt").text.splitlines()
    assert "Contact: mailto:privacy@acme.example" in lines
    assert sum(line.startswith("Expires: ") for line in lines) == 1


def test_health_says_what_is_overdue(site, clock):
    from consent_track.activities import retaining

    assert site.ask("/healthz").status_code == 200
    late = site.ask("/readyz")
    assert (late.status_code, late.json["overdue"]) == (503, ["purge"])
    retaining.purge(site.runtime.processing)
    assert site.ask("/readyz").status_code == 200
    metrics = site.ask("/metrics").text
    assert "consent_track_ready 1.0" in metrics
    assert "withdrawn" not in metrics, "declines never show live"


def test_too_much_is_refused_and_a_wrong_method_too(site):
    assert site.ask(site.link(ALICE), "POST", data={"off": "x" * 40_000}).status_code == 413
    assert site.ask(site.link(ALICE), "DELETE").status_code == 405


def test_a_locked_store_says_try_again_and_changes_nothing(site):
    link = site.link(ALICE)
    with site.runtime.processing():
        answer = site.ask(link, "POST", data={"off": "all"})
    assert answer.status_code == 503
    assert "Nothing was changed" in answer.text
    assert len(site.state(ALICE).on) == 2


MATRIX = """
    class         /o/ records  /c/ redirects  /p/ opens  /u/ opens
    open          yes          no             no         no
    click         no           yes            no         no
    preference    no           no             yes        no
    unsubscribe   no           no             no         yes
    verification  no           no             no         no
"""


@pytest.mark.parametrize("row", [line.split() for line in MATRIX.strip().splitlines()[1:]], ids=lambda row: row[0])
def test_every_class_has_one_power_at_one_place(site, row):
    from consent_track.activities import knowing
    from consent_track.domain.vocabulary import MailType

    name, *expected = row
    with site.runtime.reading() as p:
        subject = knowing.find(p, 1, ALICE)
    token_class = TokenClass(name)
    destination = "https://shop.example/" if token_class is TokenClass.CLICK else ""
    token = site.runtime.tokens.issue(
        TokenFacts(token_class, 1, subject, 5, world.NOW, 0b110000, MailType.REQUESTED_NEWSLETTER, "FR", 0, link=1,
                   destination=destination) if destination else
        TokenFacts(token_class, 1, subject, 5, world.NOW, 0b110000, MailType.REQUESTED_NEWSLETTER, "FR")
    )  # fmt: skip
    site.runtime.view.poll_once()
    before = spooled(site)
    assert site.ask(f"/o/{token}").status_code == 200
    found = ["yes" if spooled(site) > before else "no"]
    found.append("yes" if site.ask(f"/c/{token}").status_code == 302 else "no")
    found += ["yes" if site.ask(f"/{power}/{token}").status_code == 200 else "no" for power in "pu"]
    assert found == expected


def spooled(site):
    return sum(path.stat().st_size for path in site.runtime.config.spool_dir.rglob("*.segment"))


@pytest.mark.law("DI-04")
def test_the_words_on_the_button_are_kept_with_the_choice(site):
    site.ask(site.link(ALICE), "POST", data={"off": "all"})
    with site.runtime.reading() as p:
        last = proving.history(p, 1, ALICE)[-1]
    assert (last["method"], last["actor"]) == ("preference_page", "subject")
    assert list(last["words"].values()) == ["Turn all measuring off"]


@pytest.mark.law("AH-07", "WD-16")
def test_hygiene_without_consent_stands_on_the_page_and_is_turned_off_there(tmp_path, clock):
    exempt_stage.tell(tmp_path / "home", Purpose.DELIVERABILITY_HYGIENE)
    site = Site(tmp_path / "home", clock)
    exempt_stage.on_the_list(site.runtime, CHARLIE)
    link = site.link(CHARLIE)
    page = site.ask(link).text
    assert "Measuring is ON." in page
    assert page.count("<fieldset>") == 1
    site.ask(link, "POST", data={"off": "deliverability_hygiene"})
    assert "Measuring is OFF." in site.ask(link).text
    site.runtime.database.close()
