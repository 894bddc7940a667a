"""Through real servers: granian as `serve` runs it, gunicorn, and nginx with the configuration we ship.

What a server does to repeated fields, odd names and broken requests is not what the WSGI standard says it does, so it
is asked. And after everything, no file any of them wrote holds a token, an address or a user agent (AH-04, T10).
"""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from collector_stage import ALICE, BOB, SHOP, flipped, link, pixel

from consent_track.collector.answers import NOT_OURS, PIXEL
from consent_track.collector.spool import list_segments
from consent_track.crypto.pseudonyms import network_pseudonym
from consent_track.domain.observation import Observation, Signal

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXAMPLE = ROOT / "docs" / "nginx.conf.example"
AGENT = "Wiedererkennbar/4.7 (+none)"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Served:
    """A running server, its spool and the folder with everything it wrote."""

    port: int
    spool: Path
    folder: Path

    def ask(self, path, *fields, method="GET", host="127.0.0.1", body=b""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in (("Host", host), ("User-Agent", AGENT), *fields):
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        found = (answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        connection.close()
        return found

    def frames(self):
        return [framed.record for segment in list_segments(self.spool) for framed in segment.read(0, 99_999)]

    def written(self) -> bytes:
        """Every octet below the folder: logs, temporary files, the spool itself."""
        return b"\n".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


@contextmanager
def running(command, folder: Path, port: int, environ=None):
    folder.mkdir(exist_ok=True)
    with (folder / "output.log").open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=HERE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "STAGE_FOLDER": str(folder / "spool"), **(environ or {})},
        )  # fmt: skip
    try:
        wait_for(port, process, folder)
        yield Served(port, folder / "spool", folder)
    finally:
        process.terminate()
        process.wait(20)


def wait_for(port: int, process, folder: Path) -> None:
    pause = threading.Event()
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert process.poll() is None, (folder / "output.log").read_text()
            pause.wait(0.05)
    raise AssertionError("the server does not listen")


def granian(folder: Path, **environ):
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--blocking-threads", "1", "--no-ws", "--no-access-log", "collector_served:app",
    ]  # fmt: skip
    return running(command, folder, port, environ)


def gunicorn(folder: Path, **environ):
    port = free_port()
    command = [
        sys.executable, "-m", "gunicorn", "-c", str(ROOT / "docs" / "gunicorn.conf.example.py"), "--no-control-socket",
        "--bind", f"127.0.0.1:{port}", "--preload", "collector_served:app",
    ]  # fmt: skip
    return running(command, folder, port, environ)


SERVERS = {"granian": granian, "gunicorn": gunicorn}


@pytest.fixture(scope="module", params=SERVERS)
def server(request, tmp_path_factory):
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param) / "run") as served:
        yield served


class Fresh:
    """Every question has its own message, so that the tests of a module do not take one another for replays."""

    number = 5_000

    @classmethod
    def message(cls) -> int:
        cls.number += 1
        return cls.number


class TestServers:
    @pytest.mark.law("AH-02")
    def test_every_state_of_a_pixel_is_the_same_answer_to_the_octet(self, server):
        answers = [
            server.ask(path)
            for path in (pixel(ALICE), pixel(BOB), "/o/nonsense", flipped(pixel(ALICE)), "/o/" + link(ALICE)[3:])
        ]
        for status, headers, body in answers:
            assert (status, body) == (200, PIXEL)
            assert {**headers, "date": ""} == {**answers[0][1], "date": ""}
            assert not headers.keys() & {"set-cookie", "etag", "last-modified", "transfer-encoding"}

    def test_a_link_leads_on_and_a_forged_one_does_not(self, server):
        status, headers, body = server.ask(link(BOB))
        assert (status, headers.get("location"), body) == (302, SHOP, b"")
        status, headers, body = server.ask(flipped(link(BOB)))
        assert (status, headers.get("location"), body) == (404, None, NOT_OURS)

    @pytest.mark.law("AH-13")
    def test_head_has_the_length_and_no_body_and_records_nothing(self, server):
        before = server.frames()
        status, headers, body = server.ask(pixel(ALICE, message=Fresh.message()), method="HEAD")
        assert (status, headers["content-length"], body) == (200, "43", b"")
        assert server.ask(link(ALICE, message=Fresh.message()), method="HEAD")[0] == 302
        assert server.frames() == before

    def test_a_body_does_not_disturb_the_next_request(self, server):
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
            for _ in range(3):
                try:
                    connection.request("POST", pixel(BOB), body=b"GET /o/x HTTP/1.1\r\n\r\n" * 40)
                    answer = connection.getresponse().read()
                except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
                    connection.close()  # hung up on a body it did not read (RFC 9112, 9.6)
                    continue
                assert answer == PIXEL
            connection.close()
            connection.request("GET", pixel(BOB))
            assert connection.getresponse().read() == PIXEL

    @pytest.mark.law("OO-03", "AH-05")
    @pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
    @pytest.mark.parametrize(
        ("values", "heard"),
        [
            (["1"], True), (["0", "1"], True), (["1", "0"], True), (["0", "x", "1"], True), ([" 1 "], True),
            (["0"], False), (["true"], False), (['"1"'], False), (["1;x"], False), ([""], False), ([], False),
            (["0", "0"], False), (["11"], False),
        ],
    )  # fmt: skip
    def test_the_signal_through_repeated_fields_and_methods(self, server, method, values, heard):
        person = 1_000_000 + Fresh.message()
        fields = [("Sec-GPC", value) for value in values]
        server.ask(pixel(person, message=Fresh.message()), *fields, method=method)
        signals = [frame for frame in server.frames() if isinstance(frame, Signal) and frame.subject == person]
        assert bool(signals) == heard
        assert len(signals) <= 1

    def test_broken_requests_get_no_trace_of_ours(self, server):
        for path in ("/o/%ff%fe%00", "/c/%0d%0aLocation:%20https://evil.example/", "/o/" + "A" * 9_000, "/c/../../etc"):
            status, headers, body = server.ask(path)
            assert status in (200, 400, 404, 414, 431)
            assert b"Traceback" not in body
            assert "location" not in headers

    @pytest.mark.law("IP-07")
    def test_a_forwarded_address_is_ignored_without_a_proxy(self, server):
        message = Fresh.message()
        server.ask(pixel(ALICE, message=message), ("X-Forwarded-For", "203.0.113.9"))
        (hit,) = [frame for frame in server.frames() if isinstance(frame, Observation) and frame.message == message]
        assert hit.network == network_pseudonym(b"k" * 32, 1, "127.0.0.1")


@pytest.mark.law("AH-04", "AH-01")
@pytest.mark.parametrize("name", SERVERS)
def test_nothing_a_server_writes_holds_a_token_an_address_or_a_user_agent(name, tmp_path):
    paths = [
        pixel(ALICE),
        link(ALICE),
        pixel(BOB),
        flipped(pixel(BOB)),
        "/o/nonsense-of-mine",
        "/c/%ff%00nonsense-of-mine",
    ]
    with SERVERS[name](tmp_path / "run") as served:
        for path in paths:
            served.ask(path, ("X-Forwarded-For", "203.0.113.77"), ("Referer", "https://mail.example/inbox"))
        with socket.create_connection(("127.0.0.1", served.port)) as raw:
            raw.sendall(b"GET " + pixel(ALICE).encode() + b" nonsense-of-mine\r\nbroken\r\n\r\n")
            raw.recv(4_096)
        assert len(served.frames()) == 2
        (served.folder / "control").write_text("nonsense-of-mine")
        assert b"nonsense-of-mine" in served.written()  # the search finds what is there
        (served.folder / "control").unlink()
    octets = served.written()
    for private in (
        b"nonsense-of-mine",
        b"Wiedererkennbar",
        b"203.0.113.77",
        b"mail.example",
        *(p[3:23].encode() for p in paths),
    ):
        assert private not in octets


@contextmanager
def nginx(folder: Path, upstream: int):
    """nginx with the shipped example; only addresses, certificates and folders are replaced."""
    port = free_port()
    folder.mkdir()
    text = EXAMPLE.read_text()
    text = re.sub(r"^user .*$", "", text, flags=re.M)
    text = re.sub(r"^\s*ssl_.*$", "", text, flags=re.M).replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}").replace("/run/nginx.pid", str(folder / "nginx.pid"))
    text = text.replace("/var/log/nginx/consent_track.log", str(folder / "error.log"))
    text = text.replace("worker_processes auto;", "worker_processes 1; daemon off;")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(text.replace("http {", "http {\n" + temporary))
    command = [
        shutil.which("nginx") or "nginx",
        "-p",
        str(folder),
        "-e",
        str(folder / "early.log"),
        "-c",
        str(folder / "nginx.conf"),
    ]
    with running(command, folder, port) as served:
        yield served


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nginx")
    with (
        granian(folder / "behind", STAGE_BEHIND_PROXY="1") as behind,
        nginx(folder / "front", behind.port) as before,
    ):
        yield Served(before.port, behind.spool, folder)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
class TestNginx:
    HOST = "track.example.org"

    @pytest.mark.law("OO-03")
    @pytest.mark.parametrize(
        ("fields", "heard"),
        [
            ([("Sec-GPC", "1")], True),
            ([("Sec-GPC", "0"), ("Sec-GPC", "1")], True),
            ([("Sec-GPC", "1"), ("Sec_GPC", "0")], True),  # the impostor cannot cover the real one
            ([("Sec_GPC", "1")], False),
            ([("Sec-GPC", "0")], False),
        ],
    )
    def test_the_signal_passes_and_its_impostor_does_not(self, front, fields, heard):
        person = 2_000_000 + Fresh.message()
        front.ask(pixel(person, message=Fresh.message()), *fields, host=self.HOST)
        signals = [frame for frame in front.frames() if isinstance(frame, Signal) and frame.subject == person]
        assert len(signals) == heard

    @pytest.mark.law("IP-07")
    def test_the_address_is_the_one_nginx_saw_whatever_the_client_claims(self, front):
        message = Fresh.message()
        front.ask(pixel(ALICE, message=message), ("X-Forwarded-For", "203.0.113.9"), host=self.HOST)
        (hit,) = [frame for frame in front.frames() if isinstance(frame, Observation) and frame.message == message]
        assert hit.network == network_pseudonym(b"k" * 32, 1, "127.0.0.1")

    def test_the_longest_link_fits(self, front):
        destination = "https://shop.example/" + "p" * 1_970
        answer = front.ask(link(ALICE, message=Fresh.message(), destination=destination), host=self.HOST)
        assert answer[1]["location"] == destination

    @pytest.mark.law("AH-04")
    def test_it_writes_nothing_about_anybody_also_when_things_go_wrong(self, front, tmp_path):
        paths = [pixel(ALICE, message=Fresh.message()), link(BOB), "/p/canary-of-mine", "/o/" + "canary-of-mine" * 900]
        for path in paths:
            front.ask(path, ("Referer", "https://mail.example/inbox"), host=self.HOST)
        for _ in range(60):  # beyond the rate limit of the pages
            last = front.ask("/p/canary-of-mine", host=self.HOST)[0]
        assert last == 429
        with nginx(tmp_path / "alone", free_port()) as alone:  # nobody behind it: 502
            assert alone.ask(pixel(ALICE), host=self.HOST)[0] == 502
            assert alone.ask("/c/canary-of-mine", host=self.HOST)[0] == 502
        octets = front.written() + alone.written()
        for private in (
            b"canary-of-mine",
            b"Wiedererkennbar",
            b"mail.example",
            *(path[3:23].encode() for path in paths[:2]),
        ):
            assert private not in octets

    def test_the_example_says_what_has_to_be_set_and_sets_what_must_not_be_forgotten(self):
        text = EXAMPLE.read_text()
        assert text.count("# SET") == 4
        for needed in ("access_log off;", "underscores_in_headers off;", "error_log /dev/null emerg;"):
            assert needed in text
        assert "proxy_set_header Sec-GPC" not in re.sub(r"#.*", "", text)
