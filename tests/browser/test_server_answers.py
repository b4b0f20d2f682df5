"""What the real server answers to anybody who asks: headers, and whom it refuses. No browser is needed."""

import base64
import os
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from live_dashboard import Server

from pages.components.guard import HEADERS

pytestmark = pytest.mark.browser

STREAM = "/_stcore/stream"  # the line on which a page gets its numbers
LISTENERS = Path("/proc/net/tcp")


def headers_of(url: str) -> dict[str, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as refused:
        return {name.lower(): value for name, value in refused.headers.items()}


@pytest.mark.parametrize("path", ["/", "/retention", "/livez", "/_stcore/health", "/no/such/page", "/static/none.js"])
def test_every_answer_carries_the_security_headers(server: Server, path: str) -> None:
    answered = headers_of(server.url + path)
    for name, value in HEADERS:
        assert answered.get(name.decode()) == value.decode(), name
    assert "frame-ancestors 'none'" in answered["content-security-policy"]
    assert answered["x-content-type-options"] == "nosniff"


def test_the_liveness_answer_says_nothing_about_the_data(server: Server) -> None:
    with urllib.request.urlopen(f"{server.url}/livez", timeout=10) as answer:
        assert answer.read() == b"ok"


def handshake(server: Server, host: str, origin: str) -> int:
    """Ask for the line as a browser does; return the status."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {STREAM} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: streamlit\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(request.encode())
        return int(line.recv(200).split()[1])


def test_the_page_itself_gets_its_line(server: Server) -> None:
    # Without this the refusals below could be refusals of everybody.
    own = f"127.0.0.1:{server.port}"
    assert handshake(server, own, f"http://{own}") == 101
    local = f"localhost:{server.port}"
    assert handshake(server, local, f"http://{local}") == 101


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example", "http://evil.example"),  # a made-up name that leads to this computer (DNS rebinding)
        ("evil.example:{port}", "http://evil.example:{port}"),
        ("127.0.0.1:{port}", "http://evil.example"),  # a page of another host that knows the address
        ("127.0.0.1.evil.example:{port}", "http://127.0.0.1.evil.example:{port}"),
    ],
)
def test_a_foreign_page_gets_no_line(server: Server, host: str, origin: str) -> None:
    assert handshake(server, host.format(port=server.port), origin.format(port=server.port)) == 403


@pytest.mark.skipif(not LISTENERS.exists(), reason="only Linux lists who listens")
def test_the_server_listens_on_this_computer_only(server: Server) -> None:
    rows = [row.split() for row in LISTENERS.read_text(encoding="ascii").splitlines()[1:]]
    listening = [local for _, local, _, state, *_ in rows if state == "0A" and local.endswith(f":{server.port:04X}")]
    assert listening == [f"0100007F:{server.port:04X}"]  # 127.0.0.1, bytes reversed
