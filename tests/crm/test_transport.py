"""Messages go where the operator said, and nowhere else: 60 ways inside, and one way out."""

import http.server
import threading
from contextlib import contextmanager, suppress

import pytest

from consent_track.crm import transport
from consent_track.crm.transport import NotReached, Transport, is_public

INSIDE = """
127.0.0.1 127.1.2.3 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.254 192.168.0.1 192.168.255.254
169.254.169.254 169.254.0.1 100.64.0.1 100.127.255.254 192.0.0.1 192.0.2.1 198.18.0.1 198.19.255.255 198.51.100.7
203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd12:3456::1
ff02::1 ff0e::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:7f00:1 2002:7f00:1:: 2002:a00:1::1
2001:0:4136:e378:8000:63bf:3fff:fdd2 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::a00:1 2001:db8::1 100::1
fec0::1 ::7f00:1 168.63.129.16 192.88.99.1 3fff::1 3fff:fff::1
""".split()
OUTSIDE = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4007::200e"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_told_from_one_outside(address):
    assert not is_public(address)
    with pytest.raises(NotReached) as refused:
        Transport(resolve=lambda host, port: [address]).post("https://crm.example/hook", b"{}", {})
    assert refused.value.forbidden


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_outside_is_allowed(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example/hook", "ftp://crm.example/", "file:///etc/passwd", "gopher://crm.example/", "//crm.example",
        "https://", "https:///hook", "https://user@crm.example/", "https://user:pw@crm.example/", "https://crm.example:x/",
        "https://[::1", "https://crm.example/ü", "https://crm.example/\ud800",
        "https://127.0.0.1/", "https://0x7f000001/", "https://2130706433/", "https://0177.0.0.1/", "https://127.1/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://localhost/", "https://169.254.169.254/latest/meta-data/",
    ],
)  # fmt: skip
def test_odd_urls_reach_nothing(url):
    with pytest.raises(NotReached):
        Transport().post(url, b"{}", {})


def test_one_address_inside_among_many_is_enough_to_refuse():
    with pytest.raises(NotReached) as refused:
        Transport(resolve=lambda host, port: ["1.1.1.1", "10.0.0.1"]).post("https://crm.example/", b"{}", {})
    assert refused.value.forbidden


@contextmanager
def listening(status=200, **fields):
    """A receiver on this machine that notes what it hears."""
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((self.path, dict(self.headers), body))
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], heard
    finally:
        server.shutdown()
        server.server_close()


def test_what_the_operator_allowed_by_name_is_reached():
    with listening(204) as (port, heard):
        allowed = Transport(frozenset({f"127.0.0.1:{port}"}))
        assert allowed.post(f"http://127.0.0.1:{port}/hook?a=1", b'{"a":1}', {"webhook-id": "msg_1"}) == 204
        [(path, fields, body)] = heard
        assert (path, body, fields["webhook-id"]) == ("/hook?a=1", b'{"a":1}', "msg_1")
        with pytest.raises(NotReached):  # the same port under another name is another place
            allowed.post(f"http://localhost:{port}/hook", b"{}", {})
        assert len(heard) == 1


def test_a_redirect_is_an_answer_and_not_followed():
    with listening() as (inner, heard), listening(302, Location=f"http://127.0.0.1:{inner}/") as (outer, _):
        assert Transport(frozenset({f"127.0.0.1:{outer}"})).post(f"http://127.0.0.1:{outer}/", b"{}", {}) == 302
        assert heard == []


def test_the_name_is_resolved_once_and_the_address_that_was_looked_at_is_used():
    """Rebinding: the second answer of a hostile name server leads inside, and is never asked for."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    with listening() as (port, heard):
        transport = Transport(frozenset({f"crm.example:{port}"}), resolve=lambda host, _: next(answers))
        assert transport.post(f"http://crm.example:{port}/", b"{}", {}) == 200
        assert heard[0][1]["Host"] == f"crm.example:{port}"
    assert next(answers) == ["169.254.169.254"]


def test_nobody_there_is_said_and_not_raised_through():
    with pytest.raises(NotReached) as refused:
        Transport(frozenset({"127.0.0.1:9"})).post("http://127.0.0.1:9/", b"{}", {})
    assert not refused.value.forbidden


def test_a_receiver_that_drips_is_left(monkeypatch):
    monkeypatch.setattr(transport, "TOTAL", 0.3)

    class Dripping(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            with suppress(OSError):
                while True:
                    self.wfile.write(b"x")
                    threading.Event().wait(0.02)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    with pytest.raises(NotReached):
        Transport(frozenset({f"127.0.0.1:{port}"})).post(f"http://127.0.0.1:{port}/", b"{}", {})
    server.shutdown()
    server.server_close()
