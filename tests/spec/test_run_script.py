"""`python run.py`: when it installs, what it starts, and what it says when something is missing.

No test installs anything: pip, venv and Streamlit are replaced by a record of the commands.
"""

import errno
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import run

PYTHON_IN_VENV = "Scripts/python.exe" if os.name == "nt" else "bin/python"


class Commands:
    """What run.py would have executed, and the answers that the test wants."""

    def __init__(self) -> None:
        self.executed: list[list[str]] = []
        self.pip_answer = (0, "")
        self.venv_is_whole = True
        self.exit_codes: dict[str, int] = {}

    def capture(self, command: list[object]) -> tuple[int, str]:
        words = [str(part) for part in command]
        if "-c" in words:
            return (0, "{} {}\n".format(*sys.version_info[:2])) if self.venv_is_whole else (1, "no pip")
        self.executed.append(words)
        if words[1:3] == ["-m", "venv"]:
            python = Path(words[3]) / PYTHON_IN_VENV
            python.parent.mkdir(parents=True)
            python.touch()
            return 0, ""
        return self.pip_answer

    def call(self, command: list[object], **variables: str) -> int:
        words = [str(part) for part in command]
        self.executed.append(words)
        return next((code for name, code in self.exit_codes.items() if name in words), 0)

    def modules(self) -> list[str]:
        """The module that each command runs, in order: `venv`, `pip`, `analytics`, `streamlit` ..."""
        return [words[words.index("-m") + 1] if "-m" in words else words[1] for words in self.executed]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with a blank in its name, that has locks and no `.venv` yet."""
    root = tmp_path / "a folder with spaces"
    root.mkdir()
    for name in ("requirements.lock", "requirements-run.lock", "pyproject.toml"):
        (root / name).write_text(f"content of {name}\n")
    monkeypatch.setattr(run, "ROOT", root)
    monkeypatch.setattr(run, "VENV", root / ".venv")
    monkeypatch.setattr(run, "STAMP", root / ".venv" / "installed.sha256")
    monkeypatch.setenv("IOP_STORE", str(root / "store"))
    return root


@pytest.fixture
def commands(project: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    record = Commands()
    monkeypatch.setattr(run, "capture", record.capture)
    monkeypatch.setattr(run, "call", record.call)
    monkeypatch.setattr(run, "become", record.call)
    return record


@pytest.fixture
def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield str(server.getsockname()[1])


def publish(store: Path) -> None:
    store.mkdir(parents=True, exist_ok=True)
    (store / "CURRENT").write_text("id\n")


# Installing and starting


def test_first_start_makes_venv_installs_run_lock_builds_demo_and_opens(
    project: Path, commands: Commands, free_port: str
) -> None:
    assert run.main(["--port", free_port, "--no-browser"]) == 0
    assert commands.modules() == ["venv", "pip", "analytics", "streamlit"]
    pip, demo, streamlit = commands.executed[1:]
    assert pip[-3:] == ["--require-hashes", "-r", str(project / "requirements-run.lock")]
    assert demo[-3:] == ["demo", "--store", str(project / "store")]
    assert streamlit[3:] == [
        *("run", "app.py", "--server.address", "127.0.0.1", "--server.port", free_port),
        *("--server.headless", "true"),
    ]


def test_second_start_only_opens(project: Path, commands: Commands, free_port: str) -> None:
    run.main(["--port", free_port])
    publish(project / "store")
    commands.executed.clear()
    assert run.main(["--port", free_port]) == 0
    assert commands.modules() == ["streamlit"]
    assert "--server.headless" not in commands.executed[0]


@pytest.mark.parametrize("changed", ["requirements-run.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_is_installed_again(project: Path, commands: Commands, changed: str) -> None:
    run.install([run.RUN_LOCK, run.FULL_LOCK], None)
    (project / changed).write_text("something else\n")
    commands.executed.clear()
    run.install([run.RUN_LOCK, run.FULL_LOCK], None)
    assert commands.modules() == ["pip"]


def test_another_python_is_installed_again(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    run.install([run.RUN_LOCK], None)
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    commands.executed.clear()
    run.install([run.RUN_LOCK], None)
    assert "pip" in commands.modules()


def test_full_lock_serves_the_dashboard_but_run_lock_does_not_serve_the_tests(commands: Commands) -> None:
    run.install([run.FULL_LOCK], None)
    run.install([run.RUN_LOCK, run.FULL_LOCK], None)
    assert commands.modules() == ["venv", "pip"]
    run.STAMP.write_text(run.stamp(run.RUN_LOCK))
    run.install([run.FULL_LOCK], None)
    assert commands.modules() == ["venv", "pip", "pip"]


def test_an_interrupted_installation_is_made_anew(project: Path, commands: Commands) -> None:
    def killed(command: list[object]) -> tuple[int, str]:
        if "pip" in command:
            raise KeyboardInterrupt
        return Commands.capture(commands, command)

    run.capture = killed  # restored by the fixture that replaced it
    assert run.main(["test"]) == 130
    (project / ".venv" / "half of a package").touch()
    run.capture = commands.capture
    run.install([run.FULL_LOCK], None)
    assert commands.modules() == ["venv", "venv", "pip"]
    assert not (project / ".venv" / "half of a package").exists()


def test_a_venv_without_working_python_is_made_anew(project: Path, commands: Commands) -> None:
    (project / ".venv" / PYTHON_IN_VENV).parent.mkdir(parents=True)
    (project / ".venv" / PYTHON_IN_VENV).touch()
    commands.venv_is_whole = False
    run.install([run.RUN_LOCK], None)
    assert commands.modules() == ["venv", "pip"]


def test_a_whole_venv_made_by_hand_is_kept(project: Path, commands: Commands) -> None:
    (project / ".venv" / PYTHON_IN_VENV).parent.mkdir(parents=True)
    (project / ".venv" / PYTHON_IN_VENV).touch()
    run.install([run.RUN_LOCK], None)
    assert commands.modules() == ["pip"]


def test_wheels_are_installed_without_an_index(tmp_path: Path, commands: Commands, free_port: str) -> None:
    run.main(["--port", free_port, "--wheels", str(tmp_path)])
    pip = commands.executed[1]
    assert pip[pip.index("--no-index") :][:3] == ["--no-index", "--find-links", str(tmp_path)]


def test_a_relative_store_counts_from_where_the_person_is(
    tmp_path: Path, commands: Commands, free_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run.main(["--port", free_port, "--store", "my store"])
    assert commands.executed[2][-1] == str(tmp_path / "my store")


# The checks


def test_all_checks_run_and_pytest_is_the_last(commands: Commands) -> None:
    assert run.main(["test", "--long", "-k", "wilson"]) == 0
    assert commands.modules() == ["venv", "pip", "ruff", "ruff", "mypy", "-c", "pytest"]
    assert commands.executed[-1][-3:] == ["--long", "-k", "wilson"]


def test_one_failed_check_fails_the_run_but_stops_no_other(
    commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.exit_codes = {"mypy": 1}
    assert run.main(["test"]) == 1
    assert commands.modules()[-1] == "pytest"
    assert "failed before it: mypy" in capsys.readouterr().out


def test_failed_tests_fail_the_run(commands: Commands) -> None:
    commands.exit_codes = {"pytest": 5}  # pytest: nothing was collected
    assert run.main(["test"]) == 1


# What it says


def said(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """The message of a run that ends with exit code 2 and without a traceback."""
    try:
        code = run.main(arguments)
    except SystemExit as end:  # argparse
        code = end.code
    message = capsys.readouterr().err
    assert code == 2
    assert "Traceback" not in message
    return message


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 10, 13)])
def test_too_old_python(
    commands: Commands,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    version: tuple[int, ...],
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    message = said(capsys, [])
    assert f"Python 3.11 or later is needed and this is 3.{version[1]}" in message
    assert commands.executed == []


def test_taken_port(commands: Commands, capsys: pytest.CaptureFixture[str], taken_port: str) -> None:
    message = said(capsys, ["--port", taken_port])
    assert f"Port {taken_port} is taken" in message
    assert "--port" in message
    assert commands.executed == []  # said at once, not after a minute of installing


@pytest.mark.parametrize("text", ["0", "80", "65536", "-1", "eight", ""])
def test_impossible_port(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert "a port is a number from 1024 to 65535" in said(capsys, [f"--port={text}"])


@pytest.mark.parametrize("command", [[], ["test"]])
def test_missing_wheels(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: list[str]) -> None:
    missing = tmp_path / "missing"
    assert f"there is no folder {missing}" in said(capsys, [*command, "--wheels", str(missing)])


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_python_without_venv(
    commands: Commands,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    assert "apt install python3-venv" in said(capsys, ["test"])
    assert commands.executed == []


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("a\nERROR: Could not find a version that satisfies duckdb", "behind a proxy set HTTPS_PROXY"),
        ("ERROR: [Errno 28] No space left on device", "The disk filled up"),
    ],
)
def test_pip_failed(commands: Commands, capsys: pytest.CaptureFixture[str], output: str, sentence: str) -> None:
    commands.pip_answer = (1, output)
    assert sentence in said(capsys, ["test"])


def test_pip_failed_shows_its_last_lines_and_the_lock(
    commands: Commands, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    commands.pip_answer = (1, "\n".join(f"line {n}" for n in range(1, 31)))
    message = said(capsys, ["test", "--wheels", str(tmp_path)])
    assert "line 30" in message
    assert "line 18" not in message  # 12 lines are shown
    assert "every package that requirements.lock names" in message


def test_small_disk(commands: Commands, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=300_000_000))
    assert "has 0.3 GB free and the packages may need" in said(capsys, ["test"])
    assert commands.executed == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "the folder"),
            "No permission to write the folder",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
        (OSError(errno.EROFS, "Read-only file system", "the folder"), "the folder: Read-only file system"),
    ],
)
def test_a_folder_that_cannot_be_written(
    commands: Commands,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    sentence: str,
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(run, "make_venv", refuse)
    assert sentence in said(capsys, ["test"])


def test_failed_demo_does_not_open_the_dashboard(
    commands: Commands, capsys: pytest.CaptureFixture[str], free_port: str
) -> None:
    commands.exit_codes = {"analytics": 3}
    assert "The demo data could not be built (exit code 3)" in said(capsys, ["--port", free_port])
    assert "streamlit" not in commands.modules()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to pass on")
def test_told_to_end_it_ends_its_children_too() -> None:
    child = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    script = (
        "import run, signal, sys; signal.signal(signal.SIGTERM, run.told_to_end); "
        f"run.call([sys.executable, '-c', {child!r}])"
    )
    command = [sys.executable, "-c", script]
    root = Path(run.__file__).parent
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as started:
        assert started.stdout is not None
        pid_of_child = int(started.stdout.readline())
        started.send_signal(signal.SIGTERM)
        assert started.wait() == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(pid_of_child, 0)


def test_children_do_not_inherit_what_leads_out_of_the_venv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("HTTPS_PROXY", "kept")
    environment = run.environment(IOP_STORE="store")
    assert "PYTHONPATH" not in environment
    assert (environment["HTTPS_PROXY"], environment["IOP_STORE"]) == ("kept", "store")
    assert "IOP_STORE" not in os.environ or os.environ["IOP_STORE"] != "store"
