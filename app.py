"""Front door: every address of the server comes through here, then to the page that it names.

`streamlit run app.py` finds the ASGI application `app` below. The script it runs lies in `pages/components/`, a folder
without a `pages/` of its own: Streamlit's older page discovery would otherwise open a page by deep link without this
front door (docs/decisions/0002).
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route
from streamlit.runtime.scriptrunner import get_script_run_ctx

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from pages.components.guard import SecurityHeaders, refuse_open_network  # noqa: E402

FRONT = ROOT / "pages" / "components" / "front.py"


async def livez(request: Request) -> PlainTextResponse:
    """Answer whether the server lives; says nothing about the data."""
    return PlainTextResponse("ok")


async def to_overview(request: Request) -> RedirectResponse:
    """Lead from the landing page's own name to its address, with the filters."""
    return RedirectResponse(request.url.replace(path="/"))


if get_script_run_ctx(suppress_warning=True) is not None:
    # A script run of this very file (AppTest): behave as the front script does.
    runpy.run_path(str(FRONT), run_name="__main__")
else:
    refuse_open_network()
    # The landing page has the address of the server; its own name leads there as well.
    routes = [
        Route("/livez", livez),
        Route("/overview", lambda request: RedirectResponse(request.url.replace(path="/"))),
    ]
    app = st.App(FRONT, routes=routes, middleware=[Middleware(SecurityHeaders)])
