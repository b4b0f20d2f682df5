"""What every test may rely on: the reference folder, a store of its own, and `--long`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from analytics.settings import PROJECT_ROOT

SESSION = pytest.StashKey[pytest.Session]()
MAIN = sys.modules["__main__"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Begin each test with the process's own main module: a page test leaves the page there for a child to run."""
    sys.modules["__main__"] = MAIN


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests marked long")


def pytest_configure(config: pytest.Config) -> None:
    # The same examples in every run, ten times as many with --long; a slow machine is no failure.
    examples = 1000 if config.getoption("--long") else 100
    hypothesis.settings.register_profile("house", derandomize=True, deadline=None, max_examples=examples)
    hypothesis.settings.load_profile("house")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    skip = pytest.mark.skip(reason="marked long: python run.py test --long")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End at once, so that pytest's summary is the last line.

    Threads of Streamlit's page tests still hold connections when the interpreter ends, and DuckDB's binding would
    list each of them below the summary. Everything that pytest has to write is written by now.
    """
    session = config.stash.get(SESSION, None)
    if session is not None and not hasattr(config, "workerinput"):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(session.exitstatus))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep the session for its exit status, and hand over what this process found when it is one of several."""
    from tests.reference import proof

    session.config.stash[SESSION] = session
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["proofs"] = proof.handed_over()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what another process found."""
    from tests.reference import proof, validation

    assert validation.PROOFS  # declared by its imports
    proof.take_over(getattr(node, "workeroutput", {}).get("proofs", []))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """At the end of the tests: our numbers beside the references'."""
    from tests.reference import proof, validation

    if proof.FOUND:
        terminalreporter.section("ours / the references'")
        for line in validation.report(PROJECT_ROOT.parent / "shared"):
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference results and public data beside the repository; never copied into it.

    Without the folder the test is skipped, and fails when REQUIRE_SHARED=1 says that it has to be there.
    """
    folder = PROJECT_ROOT.parent / "shared"
    if folder.is_dir():
        return folder
    reason = "the reference folder ../shared is not beside the repository"
    if os.environ.get("REQUIRE_SHARED") == "1":
        pytest.fail(f"REQUIRE_SHARED=1, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def store_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty store that IOP_STORE names, so that no test reads or writes the data of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        store = tmp_path_factory.mktemp("store")
        patch.setenv("IOP_STORE", str(store))
        yield store
