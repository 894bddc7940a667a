"""The outbox and a real mail server: nothing is lost when it is away, slow, or when we are killed in between."""

import os
import signal
import socket
import subprocess
import sys
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller

from consent_track.activities import confirming, consenting, knowing, notifying
from consent_track.activities.confirming import Kind, Wish
from consent_track.domain.errors import SendFailed
from consent_track.records import flows, outbox
from consent_track.smtp import MailServer
from tests import world
from tests.world import ALICE, CHARLIE

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd")


class Taking:
    """A mail server's answer to each mail, in order; then it takes everything."""

    def __init__(self, *answers):
        self.answers, self.got = list(answers), []

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            self.got.append((envelope.mail_from, envelope.rcpt_tos, bytes(envelope.content)))
        return answer

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone"):
            return "550 5.1.1 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def server():
    """A real SMTP server on this machine."""
    started = []

    def start(handler, host="127.0.0.1", login=""):
        with socket.socket() as probe:
            probe.bind((host, 0))
            port = probe.getsockname()[1]
        controller = Controller(handler, hostname=host, port=port)
        controller.start()
        started.append(controller)
        return MailServer(f"smtp://{login}{host}:{port}", "bounces@acme.example")

    yield start
    for controller in started:
        controller.stop()


@pytest.fixture
def acme(tmp_path):
    runtime = world.populated(tmp_path / "home")
    yield runtime
    runtime.database.close()


def queued(runtime, address=ALICE, octets=b"Subject: hello\r\n\r\nHello\r\n", kind="link"):
    with runtime.processing() as p:
        subject = knowing.find(p, 1, address) or 0
        notifying.queue(p, 1, subject, address, octets, kind)


def waiting(runtime):
    with runtime.reading() as p:
        return outbox.length(p.session)


def test_a_mail_arrives_as_it_was_written(acme, server):
    handler = Taking()
    queued(acme)
    assert notifying.deliver(acme.processing, server(handler))["sent"] == 1
    [(sender, recipients, octets)] = handler.got
    assert (sender, recipients) == ("bounces@acme.example", [ALICE])
    assert octets == b"Subject: hello\r\n\r\nHello\r\n"
    assert waiting(acme) == 0


def test_a_server_that_is_busy_gets_the_mail_later_and_once(acme, server):
    handler = Taking("451 busy", "452 full")
    mail_server = server(handler)
    queued(acme)
    assert notifying.deliver(acme.processing, mail_server)["later"] == 1
    assert notifying.deliver(acme.processing, mail_server) == {"sent": 0, "later": 0, "given_up": 0, "unwanted": 0}
    for wait in notifying.WAITS[:2]:
        acme.clock.move(wait)
        notifying.deliver(acme.processing, mail_server)
    assert len(handler.got) == 1
    assert waiting(acme) == 0


def test_a_server_that_is_away_for_two_days_loses_nothing(acme, server):
    away = MailServer("smtp://127.0.0.1:1", "bounces@acme.example")
    queued(acme)
    for wait in notifying.WAITS[:8]:
        assert notifying.deliver(acme.processing, away)["later"] == 1
        acme.clock.move(wait)
    handler = Taking()
    notifying.deliver(acme.processing, server(handler))
    assert len(handler.got) == 1


def test_a_refusal_for_good_is_not_tried_again_and_nothing_of_the_mail_stays(acme, server):
    mail_server = server(Taking())
    queued(acme, "gone@example.org", b"Subject: Secretwords\r\n\r\n")
    assert notifying.deliver(acme.processing, mail_server)["given_up"] == 1
    assert waiting(acme) == 0
    with acme.reading() as p:
        assert outbox.failed_among(p.session, 1, [0]) == {0}


def test_who_cannot_be_reached_for_days_is_given_up(acme):
    away = MailServer("smtp://127.0.0.1:1", "bounces@acme.example")
    queued(acme)
    for wait in notifying.WAITS:
        notifying.deliver(acme.processing, away)
        acme.clock.move(wait)
    assert notifying.deliver(acme.processing, away)["given_up"] == 1


def test_who_said_no_meanwhile_is_not_asked(acme, server):
    handler = Taking()
    queued(acme, kind=notifying.REQUEST)
    with acme.processing() as p:
        consenting.object_to(p, 1, knowing.find(p, 1, ALICE), world.OPERATOR)
    assert notifying.deliver(acme.processing, server(handler))["unwanted"] == 1
    assert handler.got == []


def test_what_waits_cannot_be_read_without_the_persons_key(acme):
    queued(acme, octets=b"Subject: Secretwords\r\n\r\n")
    for path in acme.config.home.rglob("*"):
        if path.is_file():
            assert b"Secretwords" not in path.read_bytes()


def test_a_password_goes_over_tls_or_not_at_all(server):
    handler = Taking()
    elsewhere = server(handler, "127.0.0.2", "ann:secret@")  # not this very machine, as far as we can tell
    with pytest.raises(SendFailed) as failed:
        elsewhere.send(ALICE, b"Subject: x\r\n\r\n")
    assert not failed.value.permanent
    assert handler.got == []
    assert "secret" not in repr(elsewhere)


WORK = """
import sys, time
from pathlib import Path
from consent_track.activities import notifying
from consent_track.bootstrap import bootstrap
from consent_track.config import load_config
runtime = bootstrap(load_config({}, Path(sys.argv[1])), clock=lambda: float(sys.argv[2]))
class Slow:
    def send(self, recipient, mail):
        print("sending", flush=True)
        time.sleep(60)
notifying.deliver(runtime.processing, Slow())
"""


def test_killed_in_the_middle_of_a_mail_it_goes_out_by_the_next_worker(acme, server):
    queued(acme)
    command = [sys.executable, "-c", WORK, str(acme.config.home), str(world.NOW)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ) as worker:
        assert worker.stdout.readline() == b"sending\n"
        os.kill(worker.pid, signal.SIGKILL)
    handler = Taking()
    mail_server = server(handler)
    assert notifying.deliver(acme.processing, mail_server)["sent"] == 0  # the lease of the dead worker
    acme.clock.move(notifying.LEASE)
    assert notifying.deliver(acme.processing, mail_server)["sent"] == 1
    assert len(handler.got) == 1


def test_a_form_that_was_taken_is_answered_after_a_kill(acme):
    """What stands between the form and the outbox is one transaction: it is there whole, or not yet."""
    with acme.processing() as p:
        confirming.begin(p, 1, CHARLIE, Wish(Kind.LINK, "en"))

    class Dying:
        def write(self, controller, wish, address, link, known):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        confirming.answer(acme.processing, Dying(), "https://mail.acme.example")
    with acme.reading() as p:
        assert flows.waiting(p.session) == 1
    assert waiting(acme) == 0
    assert confirming.answer(acme.processing, acme.letters(), "https://mail.acme.example")["mailed"] == 1
    assert waiting(acme) == 1


def test_every_mail_of_ours_is_whole_in_every_language(acme):
    for locale in acme.wordings.locales:
        for kind in Kind:
            wish = Wish(kind, locale, acme.config.controllers[0].purposes, mail=True)
            for known in (True, False):
                if kind in (Kind.REFUSAL, Kind.REQUEST):  # no mail, or one of its own
                    continue
                octets = acme.letters().write(
                    acme.config.controllers[0], wish, ALICE, "https://mail.acme.example/v/x", known
                )
                mail = message_from_bytes(octets, policy=default)
                assert not mail.defects
                assert mail["Content-Language"] == locale
                page = mail.get_body(("html",)).get_content()
                assert f'dir="{"rtl" if locale == "ar" else "ltr"}"' in page
                assert max(len(line) for line in octets.split(b"\r\n")) <= 998
