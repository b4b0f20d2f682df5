"""What stands before every request: security headers, and the refusal to listen on a network without sign-in."""

from __future__ import annotations

import sys
from ipaddress import ip_address

import streamlit as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Streamlit and Plotly run with this; nothing is fetched from anywhere else.
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; "
    "frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


class SecurityHeaders:
    """ASGI middleware that adds the headers above to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the headers to the start of an HTTP answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message.get("headers", [])}
                message["headers"] = [
                    *message.get("headers", []),
                    *(header for header in HEADERS if header[0] not in given),
                ]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def is_loopback(address: str | None) -> bool:
    """Return whether only this computer can reach the address; no address means every interface."""
    if not address:
        return False
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def refuse_open_network() -> None:
    """End the program with a sentence when the server would listen to others.

    There is no sign-in yet, so no secret can open the server: whoever reached it would be the local viewer.
    """
    address = st.get_option("server.address")
    if is_loopback(address):
        return
    sys.exit(
        f"The dashboard would listen on {address or 'every network interface'}, and there is no sign-in: "
        "everyone on the network could read it. Start it with --server.address 127.0.0.1."
    )
