"""The stores that pages are shown with: the demo, a trial in study days, and one without data.

A test that asks for one of them has IOP_STORE set to it.
"""

from pathlib import Path

import pytest

from analytics.__main__ import main
from analytics.settings import PROJECT_ROOT


@pytest.fixture(scope="session")
def built_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo of docs/demo.md, built once as `python -m analytics demo` does it."""
    store = tmp_path_factory.mktemp("demo-for-pages")
    assert main(["demo", "--store", str(store)]) == 0
    return store


@pytest.fixture(scope="session")
def built_trial(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    """A real trial without dates: no periods, one program, no questionnaires, no hospital stays, no follow-up."""
    home = tmp_path_factory.mktemp("trial-for-pages")
    key, store = home / "trial.key", home / "store"
    assert main(["key", "new", str(key)]) == 0
    mapping = PROJECT_ROOT / "data" / "mappings" / "ctn0027.toml"
    options = {"store": store, "privacy": "limited", "key": key, "data-cut": "2026-01-01", "mapping": mapping}
    words = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    assert main(["import", str(shared / "real" / "ctn0027"), *words]) == 0
    return store


@pytest.fixture
def demo(built_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IOP_STORE", str(built_demo))
    return built_demo


@pytest.fixture
def trial(built_trial: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IOP_STORE", str(built_trial))
    return built_trial


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store folder that nobody has imported into; it need not exist."""
    monkeypatch.setenv("IOP_STORE", str(tmp_path / "nothing-yet"))
    return tmp_path / "nothing-yet"
