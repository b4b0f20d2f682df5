"""A full disk, folders and files that may not be read or written: the old data serve, one sentence, and no rubbish.

Requirement SEC-56 of ../shared/privacy.md. A full disk is a small tmpfs where mounting is allowed, else a limit on the
size of files. Root obeys permissions like anybody here: the imports run without the rights that set root above them.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from analytics.__main__ import main
from analytics.intake import importer
from analytics.settings import PROJECT_ROOT
from tests.spec.raw_files import CUT, Provider, made_up

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no mount, no limits and no mode bits on Windows")


@dataclass(frozen=True)
class Base:
    """A store with data; the inbox has "larger", which is not published. What it will be called, and its bytes."""

    provider: Provider
    before: str
    after: str
    new_bytes: int


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    home = tmp_path_factory.mktemp("disk")
    provider = Provider(home / "base")
    before = str(provider.load(made_up(seed=1, episodes=20)).snapshot_id)
    folder = provider.write(made_up(seed=2, episodes=200), "larger")
    tried = provider.copy(home / "tried")
    after = str(tried.load(folder).snapshot_id)
    new = [*(tried.store / "batches" / after).iterdir(), tried.store / f"snapshot-{after}.duckdb"]
    return Base(provider, before, after, sum(path.stat().st_size for path in new))


def run(provider: Provider, store: Path, prepare: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    """Import "larger" on the command line; `prepare` runs in the new process before anything else."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "analytics", "import", str(provider.home / "inbox" / "larger")),
            *("--store", str(store), "--key", str(provider.key_file), "--privacy", "limited"),
            *("--data-cut", str(CUT), "--import-date", str(CUT)),
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=prepare,
    )


def without_privilege() -> None:
    """Give up the rights of root to read and write whatever the mode bits say (CAP_DAC_OVERRIDE, _READ_SEARCH)."""
    if os.geteuid() == 0:
        for capability in (1, 2):
            if ctypes.CDLL(None, use_errno=True).prctl(24, capability, 0, 0, 0) != 0:  # PR_CAPBSET_DROP
                raise OSError(ctypes.get_errno(), "root does not let go of its rights")


def check_the_old_data_serve(base: Base, provider: Provider, failed: subprocess.CompletedProcess[str]) -> None:
    assert (failed.returncode, failed.stdout) == (1, ""), failed.stderr
    assert len(failed.stderr.splitlines()) == 1 and "mistake" not in failed.stderr and "Errno" not in failed.stderr
    assert str(provider.home) not in failed.stderr
    serving = provider.open()
    assert serving.snapshot_id == base.before
    assert serving.query("select count(*) from episode") == [(20,)]
    serving.close()


def check_the_next_import_is_whole(base: Base, provider: Provider) -> None:
    assert provider.load(provider.home / "inbox" / "larger").snapshot_id == base.after
    names = {path.name for path in provider.store.iterdir()} - {"CURRENT", "batches", "import.lock"}
    assert names == {f"snapshot-{name}.{kind}" for name in (base.before, base.after) for kind in ("duckdb", "json")}
    assert {path.name for path in (provider.store / "batches").iterdir()} == {base.before, base.after}
    assert {path.name for path in provider.key_file.parent.glob("pseudonyms.key*")} == {
        "pseudonyms.key",
        "pseudonyms.key.anchors",
        "pseudonyms.key.receipts.jsonl",
    }


@contextmanager
def tmpfs(folder: Path, size: int) -> Iterator[bool]:
    """Mount a small disk on a folder; False where that is not allowed."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], capture_output=True)
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize(
    "share", [0.02, 0.5, 0.95, *(pytest.param(share, marks=pytest.mark.long) for share in (0.25, 0.75))]
)
def test_a_full_disk_keeps_the_old_data(base: Base, tmp_path: Path, share: float) -> None:
    """The disk has room for a share of what the import has to write; then it grows, and the import is repeated."""
    provider = base.provider.copy(tmp_path / "home")
    taken = sum(path.stat().st_size + 8192 for path in provider.store.rglob("*"))
    small = int(share * base.new_bytes)
    with tmpfs(tmp_path / "disk", taken + small) as is_mounted:
        if is_mounted:
            shutil.move(provider.store, tmp_path / "disk" / "store")
            provider.store.symlink_to(tmp_path / "disk" / "store")
            failed = run(provider, provider.store, lambda: None)
        else:
            import resource

            failed = run(provider, provider.store, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (small, small)))
        assert failed.stderr.startswith("The disk is full. Nothing was published; the earlier data are still shown.")
        check_the_old_data_serve(base, provider, failed)
        if is_mounted:
            subprocess.run(["mount", "-o", "remount,size=256m", str(tmp_path / "disk")], check=True)
        check_the_next_import_is_whole(base, provider)


LOCKED = {
    "store": "The store cannot be written.",
    "store/import.lock": "The store folder cannot be written (Permission denied).",
    "store/batches": "The store cannot be written.",
    "key": "The anchors cannot be written beside the key (Permission denied), so nothing was published.",
    "inbox/larger": "The folder larger cannot be read (Permission denied).",
    "inbox/larger/scores.csv": "scores.csv cannot be read: Permission denied.",
}


@pytest.mark.parametrize("place", LOCKED)
def test_without_permission_the_old_data_serve(base: Base, tmp_path: Path, place: str) -> None:
    provider = base.provider.copy(tmp_path / "home")
    (provider.home / "key").mkdir()
    for path in provider.home.glob("pseudonyms.key*"):
        path.rename(provider.home / "key" / path.name)
    provider.key_file = provider.home / "key" / "pseudonyms.key"
    locked = provider.home / place
    mode = stat.S_IMODE(locked.stat().st_mode)
    locked.chmod(0o500 if place in ("store", "store/batches", "key") else 0)
    try:
        failed = run(provider, provider.store, without_privilege)
    finally:
        locked.chmod(mode)
    assert failed.stderr.startswith(LOCKED[place])
    check_the_old_data_serve(base, provider, failed)
    check_the_next_import_is_whole(base, provider)


def options(provider: Provider, *more: object) -> list[str]:
    given = ("import", provider.home / "inbox" / "larger", "--store", provider.store, "--key", provider.key_file)
    return [str(word) for word in (*given, "--privacy", "limited", "--data-cut", CUT, "--import-date", CUT, *more)]


def test_a_report_that_cannot_be_written_stops_the_import_before_it_begins(
    base: Base, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = base.provider.copy(tmp_path / "home")
    assert main(options(provider, "--report", tmp_path)) == 2
    assert capsys.readouterr().err.startswith(f"The report {tmp_path.name} cannot be written (")
    assert provider.open().snapshot_id == base.before


def test_a_receipt_that_cannot_be_written_is_a_warning_because_the_data_are_published(
    base: Base, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = base.provider.copy(tmp_path / "home")
    receipts = provider.home / "pseudonyms.key.receipts.jsonl"
    receipts.unlink()
    receipts.mkdir()
    assert main(options(provider)) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Published snapshot {base.after}.")
    assert "the receipt of this import could not be written beside the key" in said
    assert provider.open().snapshot_id == base.after


def test_a_small_memory_gets_a_sentence(base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = base.provider.copy(tmp_path / "home")
    monkeypatch.setattr(importer, "MEMORY_LIMIT", "1MB")
    with pytest.raises(importer.StoreProblem, match=r"The memory does not suffice\. Nothing was published"):
        provider.load(provider.home / "inbox" / "larger")
    monkeypatch.undo()
    assert provider.open().snapshot_id == base.before
    check_the_next_import_is_whole(base, provider)


def test_a_mistake_of_the_program_says_where_and_repeats_no_value(
    base: Base, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requirement SEC-40: what the database says about a value stays unsaid."""
    provider = base.provider.copy(tmp_path / "home")
    (provider.home / "inbox" / "larger" / "episodes.csv").write_text("x")

    def fails(*_: object) -> None:
        raise duckdb.ConversionException("Could not convert string 'Rosalind Quimby' to INT32")

    monkeypatch.setattr(importer, "prepare", fails)
    assert main(options(provider)) == 1
    said = capsys.readouterr()
    assert said.out == "" and "Quimby" not in said.err and str(tmp_path) not in said.err
    assert said.err.startswith("This is a mistake of the program (ConversionException; __main__:")
    assert provider.open().snapshot_id == base.before
