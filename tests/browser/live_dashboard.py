"""A real server with the demo, and a page of it in a real browser."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analytics.session import SECTION_ROLES
from analytics.settings import PROJECT_ROOT
from pages.components.menu import ORDER, scripts_of, title_of

SECONDS = 20  # for a server to start and for a page to come; the machine may be busy
MILLISECONDS = SECONDS * 1000


@dataclass(frozen=True)
class Address:
    """A page as people reach it: where it lies, its title, and the menu it stands in."""

    path: str
    title: str
    section: str


def addresses() -> list[Address]:
    """Return every page of the top bar, found and not listed; the first page of all is the landing page."""
    found = []
    for section in SECTION_ROLES:
        for script in scripts_of(section, PROJECT_ROOT / "pages"):
            path = "" if script.stem == ORDER[0] else script.stem.replace("_", "-")
            found.append(Address(path, title_of(script), section))
    return found


@dataclass(frozen=True)
class Server:
    """A running dashboard on a port of its own."""

    port: int
    store: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(store: Path) -> Iterator[Server]:
    """Start `streamlit run app.py` as a clinic does, wait until it answers, end it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Server(free.getsockname()[1], store)
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += ["--server.port", str(server.port), "--server.headless", "true"]
    environment = {**os.environ, "IOP_STORE": str(store), "PYTHONUTF8": "1"}
    with tempfile.TemporaryFile() as log:
        program = subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _wait_for(server, program, log)
            yield server
        finally:
            program.terminate()
            try:
                program.wait(timeout=10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def _wait_for(server: Server, program: "subprocess.Popen[bytes]", log: Any) -> None:
    latest = time.monotonic() + SECONDS
    while program.poll() is None and time.monotonic() < latest:
        try:
            with urllib.request.urlopen(f"{server.url}/livez", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    log.seek(0)
    raise AssertionError(f"The server did not start: {log.read().decode(errors='replace')[-2000:]}")


@dataclass
class Tab:
    """A page in the browser, and what went wrong or out while it was open."""

    page: Any
    server: Server
    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(MILLISECONDS)
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, path: str) -> None:
        """Go to an address of the server, or to a whole link, and wait until the page is drawn."""
        self.page.goto(path if path.startswith("http://") else f"{self.server.url}/{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run and nothing is left to be drawn."""
        self.page.get_by_role("heading", level=1).wait_for()
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        self.page.wait_for_function(
            """() => !document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]')"""
        )

    @property
    def title(self) -> str:
        return str(self.page.get_by_role("heading", level=1).inner_text())

    @property
    def scope(self) -> str:
        """The line under the title: who is looked at."""
        return str(self.page.get_by_test_id("stMain").get_by_test_id("stMarkdown").first.inner_text())

    def settle_on(self, scope: str) -> None:
        """Wait until the line under the title says this, then until the rest is drawn.

        Right after a click the script has not begun to run: waiting for its end alone would end at once.
        """
        first = self.page.get_by_test_id("stMain").get_by_test_id("stMarkdown").first
        first.filter(has_text=re.compile(re.escape(scope), re.IGNORECASE)).wait_for()
        self.settle()

    def first_result(self) -> tuple[str, str]:
        """Return sentence and count line of the first result."""
        result = self.page.locator('[class*="st-key-rule-"]').first
        counted = result.get_by_test_id("stMarkdown").filter(has_text=re.compile("^Who is counted:"))
        return result.get_by_role("heading", level=2).inner_text(), counted.first.inner_text()

    def trouble(self) -> list[str]:
        """Return what a person would call an error: exceptions, red boxes, dialogs."""
        selectors = ("stException", "stAlertContentError")
        found = [text for name in selectors for text in self.page.get_by_test_id(name).all_inner_texts()]
        return [*found, *self.page.get_by_role("dialog").all_inner_texts(), *self.errors]

    def choose(self, key: str, words: str) -> None:
        """Open a filter by its key, choose by its words, close it."""
        self.page.locator(f".st-key-{key} input").click()
        self.page.get_by_role("option", name=words, exact=True).click()
        self.page.keyboard.press("Escape")
        self.settle_on(words)

    def navigate(self, section: str, title: str) -> None:
        """Go to another page by the top bar."""
        self.page.get_by_role("banner").get_by_text(section, exact=True).click()
        self.page.get_by_role("menuitem", name=title, exact=True).click()
        self.page.get_by_role("heading", level=1, name=title, exact=True).wait_for()
        self.settle()
