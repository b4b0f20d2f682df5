"""Several at once: two imports on one store, and readers while snapshots are swapped.

Requirement SEC-59 of ../shared/privacy.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pytest

from analytics.measures.types import ALL, Cohort, Stratifier
from analytics.session import Session, local_viewer
from analytics.settings import PROJECT_ROOT
from tests.spec.raw_files import CUT, Files, Provider, made_up

READERS = 20


def command_line(provider: Provider, folder: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "analytics", "import", str(folder), "--store", str(provider.store)),
            *("--key", str(provider.key_file), "--privacy", "limited"),
            *("--data-cut", str(CUT), "--import-date", str(CUT)),
        ],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_of_two_imports_at_once_each_publishes_or_gets_a_sentence(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    folders = [provider.write(made_up(seed, 30), f"{seed}") for seed in (1, 2)]
    both = [command_line(provider, folder) for folder in folders]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in both]
    assert 0 in {code for _, _, code in ended}
    for said, problem, code in ended:
        if code == 0:
            assert said.startswith("Published snapshot ") and problem == ""
        else:
            assert (said, code) == ("", 1)
            assert problem.startswith("Another import is running on this store. Wait until it has ended")
    assert provider.open().snapshot_id in "".join(said for said, _, _ in ended)
    # Nobody holds the store afterwards.
    assert provider.load(folders[0], allow_shrink=True).published


class Reader(threading.Thread):
    """Runs a page over and over: two questions to one view, which have to be about one snapshot."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._over = threading.Event()
        self.pages: list[tuple[str, int, int]] = []
        self.failures: list[str] = []

    def run(self) -> None:
        while not self._over.wait(0.05):
            try:
                view = self._session.view(local_viewer(), "explore")
                whole = view.result(view.measure("completion"), Cohort())
                parts = view.result(view.measure("completion"), Cohort(), Stratifier.MODALITY)
                groups = (ladder for group, ladder in parts.content.ladders.items() if group != ALL)
                counted = sum(ladder.steps[0].count for ladder in groups)
                assert {whole.content.snapshot_id, parts.content.snapshot_id} == {view.provenance.snapshot_id}
                self.pages.append((view.provenance.snapshot_id, whole.content.episodes, counted))
                assert whole.provenance == parts.provenance == view.provenance and view.notice == ""
            except Exception as error:  # whatever it is: a page has failed
                self.failures.append(repr(error))

    def stop(self) -> None:
        self._over.set()
        self.join()


@pytest.mark.parametrize("swaps", [4, pytest.param(10, marks=pytest.mark.long)])
def test_twenty_readers_while_snapshots_are_swapped(tmp_path: Path, swaps: int) -> None:
    provider = Provider(tmp_path)
    versions = {str(provider.load(made_up(7, size)).snapshot_id): size for size in (20, 24)}
    folders = [provider.write(made_up(7, size), f"{size}") for size in (20, 24)]
    session = Session(provider.store)
    readers = [Reader(session) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        for number in range(swaps):
            report = provider.load(folders[number % 2], allow_shrink=True)
            assert report.published and not report.unchanged
    finally:
        for reader in readers:
            reader.stop()
    assert [failure for reader in readers for failure in reader.failures] == []
    pages = {page for reader in readers for page in reader.pages}
    assert sum(len(reader.pages) for reader in readers) > READERS * swaps
    # Each page is about one snapshot, and both have been seen.
    assert {snapshot_id for snapshot_id, _, _ in pages} == set(versions)
    assert all(whole == counted == versions[snapshot_id] for snapshot_id, whole, counted in pages)


@pytest.mark.skipif(os.name == "nt", reason="Windows takes no time zone from the environment")
def test_the_time_zone_of_the_computer_changes_nothing(tmp_path: Path) -> None:
    """Requirement SEC-62. Days are calendar days: those on which clocks change, and a leap day, are as long as others.

    Stay of 2024-02-28 to 2024-03-31: 32 days with the leap day. Sessions on 02-29 and on the days of the change.
    """
    files: Files = {
        "episodes": [
            {"admit_date": date(2024, 2, 28), "discharge_date": date(2024, 3, 31), "discharge_reason": "completed"}
        ],
        "attendance": [{"session_date": day} for day in (date(2024, 2, 29), date(2024, 3, 10), date(2024, 3, 31))],
    }
    ids = set()
    for zone in ("UTC", "America/New_York", "Pacific/Kiritimati", "Europe/Berlin"):
        provider = Provider(tmp_path / zone.replace("/", " "))
        provider.key_file.write_bytes(bytes(32))
        process = command_line(provider, provider.write(files, "files"), TZ=zone)
        assert process.communicate(timeout=120)[1] == "" and process.returncode == 0
        ids.add(provider.open().snapshot_id)
    assert len(ids) == 1
    assert provider.query("select los_days from episode") == [(32,)]
    assert provider.query("select day from attendance order by day") == [(1,), (11,), (32,)]
