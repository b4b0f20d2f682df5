"""The guard: who can reach the server, and what every answer carries."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import streamlit as st

from analytics.settings import PROJECT_ROOT
from pages.components.guard import HEADERS, SecurityHeaders, is_loopback, refuse_open_network

OPEN = ["0.0.0.0", None, "", "::", "192.168.1.20", "10.0.0.5", "dashboard.clinic.example"]


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.0.0.53", True),  # all of 127/8 stays on this computer
        ("::1", True),
        ("localhost", True),
        ("127.0.0.1.example.org", False),  # a name that only looks like it
        ("localhost.example.org", False),
        ("128.0.0.1", False),
        *((address, False) for address in OPEN),
    ],
)
def test_which_addresses_only_this_computer_reaches(address: str | None, loopback: bool) -> None:
    assert is_loopback(address) is loopback


def listen_on(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "get_option", lambda name: {"server.address": address}[name])


@pytest.mark.parametrize("address", OPEN)
def test_an_open_network_without_sign_in_ends_the_program(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    listen_on(address, monkeypatch)
    with pytest.raises(SystemExit) as end:
        refuse_open_network()
    sentence = str(end.value.code)
    assert "sign-in" in sentence and "127.0.0.1" in sentence
    assert address is None or address in sentence


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_this_computer_alone_needs_no_sign_in(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    listen_on(address, monkeypatch)
    refuse_open_network()


def test_a_sign_in_section_in_the_secrets_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # There is no sign-in yet: whoever reached the server would be the local viewer with all roles.
    listen_on("0.0.0.0", monkeypatch)
    monkeypatch.setattr(st, "secrets", {"auth": {"client_id": "dashboard"}})
    with pytest.raises(SystemExit):
        refuse_open_network()


# Headers


def answer(headers: list[tuple[bytes, bytes]], kind: str = "http.response.start") -> list[tuple[bytes, bytes]]:
    """What a browser gets for an answer with these headers."""
    sent: list[dict[str, object]] = []

    async def page(scope, receive, send) -> None:
        await send({"type": kind, "headers": headers})

    async def send(message) -> None:
        sent.append(message)

    asyncio.run(SecurityHeaders(page)({"type": "http"}, None, send))
    return sent[0]["headers"]


def test_every_answer_carries_the_security_headers() -> None:
    assert dict(answer([(b"content-type", b"text/html")])) == {b"content-type": b"text/html", **dict(HEADERS)}


def test_a_header_that_is_there_is_not_sent_twice() -> None:
    sent = answer([(b"x-frame-options", b"SAMEORIGIN")])
    assert [value for name, value in sent if name == b"x-frame-options"] == [b"SAMEORIGIN"]


def test_what_is_no_answer_stays_as_it_is() -> None:
    assert answer([], "http.response.body") == []


def test_the_policy_names_no_other_host() -> None:
    policy = dict(HEADERS)[b"content-security-policy"].decode()
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert "'unsafe-inline'" not in directives["script-src"]
    assert "://" not in policy and "*" not in policy


# The real program


@pytest.mark.parametrize("options", [["--server.address", "0.0.0.0"], ["--server.address", ""]], ids=["all", "none"])
def test_the_program_does_not_listen_on_an_open_network(options: list[str], tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    command += ["--server.port", str(port), "--server.headless", "true"]
    environment = {**os.environ, "IOP_STORE": str(tmp_path), "PYTHONUTF8": "1"}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    program = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, **pipes)
    try:
        answered = []
        latest = time.monotonic() + 60
        while program.poll() is None and time.monotonic() < latest and not any(answered):
            answered.append(asked(port))
            time.sleep(0.02)
        if program.poll() is None:
            program.terminate()
        said = program.communicate(timeout=10)[0].decode()
    finally:
        program.kill()
        program.wait()
    assert program.returncode == 1
    assert "there is no sign-in" in said
    assert "Traceback" not in said
    # Streamlit takes the port before it reads the application; nobody who knocks is answered.
    assert b"".join(answered) == b""
    assert asked(port) == b""


def asked(port: int) -> bytes:
    """What the port of this computer answers to a browser; nothing when nobody listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.3) as line:
            line.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            return line.recv(1000)
    except OSError:
        return b""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
