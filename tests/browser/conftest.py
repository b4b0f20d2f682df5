"""A browser, a server with the demo, and tabs that must not call anybody else."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from live_dashboard import Server, Tab, serving

from analytics.__main__ import main

CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--disable-component-update",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo of docs/demo.md, built once as `python -m analytics demo` does it."""
    store = tmp_path_factory.mktemp("demo-for-a-browser")
    assert main(["demo", "--store", str(store)]) == 0
    return store


@pytest.fixture(scope="module")
def server(demo: Path) -> Iterator[Server]:
    with serving(demo) as running:
        yield running


# Not for the whole session: while Playwright is open, nothing else in this process can run an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("there is no chromium on this machine")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=program, args=list(CHROMIUM))
        yield opened
        opened.close()


@pytest.fixture
def new_tab(browser: Any) -> Iterator[Callable[..., Tab]]:
    """Open tabs of a server, each for a person of its own; afterwards none of them has called another host."""
    tabs: list[Tab] = []

    def open_tab(server: Server, *, width: int = 1280, theme: str = "light") -> Tab:
        person = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        tabs.append(Tab(person.new_page(), server))
        return tabs[-1]

    yield open_tab
    for tab in tabs:
        tab.page.context.close()
    assert [host for tab in tabs for host in tab.hosts if host not in ("", f"127.0.0.1:{tab.server.port}")] == []
    assert [error for tab in tabs for error in tab.errors] == []
