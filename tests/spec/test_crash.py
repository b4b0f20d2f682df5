"""kill -9 at every step of an import, and at any time: the old or the new data serve, and the import can be repeated.

Requirement SEC-54 of ../shared/privacy.md. `reached(step)` in the code kills the process where IOP_FAIL_AT names it.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from analytics.errors import StoreProblem
from analytics.settings import PROJECT_ROOT
from analytics.store.snapshot import current_id, open_current
from tests.spec.raw_files import CUT, Files, Provider, made_up

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")

STEPS = sorted(
    {
        step
        for path in (PROJECT_ROOT / "analytics").rglob("*.py")
        if path.name != "forget.py"  # its own steps are no import's (test_forget.py)
        for step in re.findall(r'\breached\("(\w+)"\)', path.read_text(encoding="utf-8"))
    }
)
EPISODES = 200


@dataclass(frozen=True)
class Base:
    """A store with data, and what its content is after each batch of its inbox when nothing goes wrong.

    The inbox has "before" (what is published), "full" (everything, 20 scores corrected) and "incremental" (ten
    episodes, some of those corrections among them, and one episode more).
    """

    provider: Provider
    hashes: dict[str, str]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    home = tmp_path_factory.mktemp("crash")
    provider = Provider(home / "base")
    files = made_up(seed=1, episodes=EPISODES)
    provider.load(provider.write(files, "before"))
    for row in files["scores"][:20]:
        row["total"] = 0
    provider.write(files, "full")
    provider.write(some_rows(files), "incremental")
    hashes = {"before": provider.open().facts.content_hash}
    for mode in ("full", "incremental"):
        hashes[mode] = load(provider.copy(home / mode), mode)
    assert len(set(hashes.values())) == 3
    return Base(provider, hashes)


def some_rows(files: Files) -> Files:
    """The first ten episodes and everything about them, and a new one."""
    episodes = [*files["episodes"][:10], {"episode_id": "E-new", "person_id": "P-new"}]
    ids = {row["episode_id"] for row in episodes}
    children = ("attendance", "scores", "followups")
    return {"episodes": episodes} | {
        table: [row for row in files[table] if row["episode_id"] in ids] for table in children
    }


def load(provider: Provider, batch: str) -> str:
    """Import a batch of the inbox in this process; return the content hash that is published then."""
    report = provider.load(provider.home / "inbox" / batch, mode=batch)
    assert report.published, report.as_text()
    return content_hash(provider)


def content_hash(provider: Provider) -> str:
    """What serves now; the file is held against its manifest when it is opened."""
    snapshot = provider.open()
    snapshot.close()
    return snapshot.facts.content_hash


def start(provider: Provider, batch: str, fail_at: str = "") -> subprocess.Popen[bytes]:
    """Start the import of a batch on the command line."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "analytics", "import", str(provider.home / "inbox" / batch)),
            *("--mode", "incremental" if batch == "incremental" else "full"),
            *("--store", str(provider.store), "--key", str(provider.key_file)),
            *("--privacy", "limited", "--data-cut", str(CUT), "--import-date", str(CUT)),
        ],
        cwd=PROJECT_ROOT,
        env={**os.environ, "IOP_FAIL_AT": fail_at},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def killed_at(provider: Provider, batch: str, step: str) -> None:
    assert start(provider, batch, step).wait(timeout=120) == -signal.SIGKILL


def rubbish(provider: Provider) -> list[Path]:
    return [*provider.store.glob(".build-*"), *provider.home.rglob("*.new")]


def test_the_steps_of_an_import_can_be_reached() -> None:
    assert {"staged", "loaded", "outcomes", "built", "batch", "renamed", "manifest", "pointer"} <= set(STEPS)


# Where nothing outside the build folder was touched yet; "staged" and "built" stand for them.
BETWEEN = ("loaded", "outcomes")


# An incremental batch rests on the anchors too, so it matters on which side of the pointer it dies.
@pytest.mark.parametrize(
    ("step", "batch"),
    [
        *(pytest.param(step, "full", marks=pytest.mark.long if step in BETWEEN else ()) for step in STEPS),
        *((step, "incremental") for step in ("staged", "manifest", "pointer")),
    ],
)
def test_killed_at_a_step(base: Base, tmp_path: Path, step: str, batch: str) -> None:
    provider = base.provider.copy(tmp_path / "copy")
    killed_at(provider, batch, step)
    serving = content_hash(provider)
    assert serving == base.hashes[batch if step == "pointer" else "before"]
    assert load(provider, batch) == base.hashes[batch]
    assert rubbish(provider) == []


def test_after_two_kills_another_batch_can_be_added(base: Base, tmp_path: Path) -> None:
    """The anchors fit the data that serve, although one process died just after the pointer and one just before it."""
    provider = base.provider.copy(tmp_path / "copy")
    killed_at(provider, "full", "pointer")
    killed_at(provider, "incremental", "manifest")
    report = provider.add({"episodes": [{"episode_id": "E-late", "person_id": "P-late"}]})
    assert report.published, report.as_text()
    assert provider.query("select count(*) from episode") == [(EPISODES + 1,)]


def test_after_a_kill_between_snapshot_and_manifest_another_batch_leaves_nothing_of_the_first(
    base: Base, tmp_path: Path
) -> None:
    provider = base.provider.copy(tmp_path / "copy")
    killed_at(provider, "full", "renamed")
    without = [path for path in provider.store.glob("snapshot-*.duckdb") if not path.with_suffix(".json").exists()]
    assert len(without) == 1
    assert load(provider, "incremental") == base.hashes["incremental"]
    assert not without[0].exists() and rubbish(provider) == []


@pytest.mark.parametrize("step", ["manifest", pytest.param("pointer", marks=pytest.mark.long)])
def test_killed_in_the_very_first_import(base: Base, tmp_path: Path, step: str) -> None:
    provider = base.provider.copy(tmp_path / "copy")
    shutil.rmtree(provider.store)
    killed_at(provider, "before", step)
    if step == "pointer":
        assert content_hash(provider) == base.hashes["before"]
    else:
        assert current_id(provider.store) is None
        with pytest.raises(StoreProblem, match="There are no data yet"):
            provider.open()
    assert load(provider, "before") == base.hashes["before"]
    assert rubbish(provider) == []


class Reader(threading.Thread):
    """Opens what is published, asks, and closes, until it is stopped; keeps every answer and every failure."""

    def __init__(self, store: Path) -> None:
        super().__init__()
        self._store = store
        self._over = threading.Event()
        self.answers: set[tuple[str, int, int]] = set()
        self.reads = 0
        self.failures: list[str] = []

    def run(self) -> None:
        while not self._over.is_set():
            self.reads += 1
            try:
                snapshot = open_current(self._store)
                ((zeros,),) = snapshot.query("select count(*) from score where total = 0")
                ((episodes,),) = snapshot.query("select count(*) from episode_outcome")
                self.answers.add((snapshot.facts.content_hash, zeros, episodes))
                snapshot.close()
            except Exception as error:  # whatever it is: a read has failed
                self.failures.append(repr(error))
            # Imports need the processors too.
            self._over.wait(0.05)

    def stop(self) -> None:
        self._over.set()
        self.join()


@pytest.mark.parametrize(("kills", "reads"), [(3, 30), pytest.param(50, 500, marks=pytest.mark.long)], ids=["3", "50"])
def test_killed_at_any_time_beside_a_reader(base: Base, tmp_path: Path, kills: int, reads: int) -> None:
    """Imports go to and fro between two contents and are killed; the store keeps its state between the kills."""
    chance = random.Random(kills)
    provider = base.provider.copy(tmp_path / "copy")
    started = time.monotonic()
    assert start(provider, "full").wait(timeout=120) == 0
    whole = time.monotonic() - started
    reader = Reader(provider.store)
    reader.start()
    ended: list[int] = []
    try:
        while ended.count(-signal.SIGKILL) < kills and len(ended) < 4 * kills:
            batch = "before" if len(ended) % 2 == 0 else "full"
            started = time.monotonic()
            process = start(provider, batch)
            try:
                # In its first part Python only starts; nothing of ours runs then.
                process.wait(timeout=whole * chance.uniform(0.2, 1.0))
                # It came to its end: the machine has less to do than when the whole was timed.
                whole = min(whole, time.monotonic() - started)
            except subprocess.TimeoutExpired:
                process.kill()
            ended.append(process.wait(timeout=120))
            assert content_hash(provider) in (base.hashes["before"], base.hashes["full"])
            assert load(provider, batch) == base.hashes[batch]
            assert rubbish(provider) == []
    finally:
        reader.stop()
    assert ended.count(-signal.SIGKILL) == kills and set(ended) <= {0, -signal.SIGKILL}
    assert reader.failures == [] and reader.reads >= reads
    # Every answer is wholly of one content.
    assert {content for content, _, _ in reader.answers} == {base.hashes["before"], base.hashes["full"]}
    assert len(reader.answers) == 2
