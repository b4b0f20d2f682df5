"""Build, verify, publish, read: a new file beside the old one, a pointer that never lies, and no damaged file shown.

Requirements SEC-55, SEC-58 and SEC-63 of ../shared/privacy.md.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.errors import StoreProblem
from analytics.measures.types import Cohort
from analytics.session import Session, View, local_viewer
from analytics.settings import PROJECT_ROOT
from analytics.store import publish as publishing
from analytics.store.facts import SCHEMA_VERSION, read_facts
from analytics.store.publish import KEPT_SNAPSHOTS, build_database, content_hash, import_lock
from analytics.store.snapshot import current_id, manifest_path, open_current, open_snapshot, snapshot_path
from tests.spec.raw_files import CUT, Files, Provider, made_up


def version(weeks: int) -> Files:
    """A tiny batch of its own content."""
    return {"episodes": [{"planned_weeks": weeks}, {"episode_id": "E2", "person_id": "P2"}]}


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider(tmp_path)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """One published snapshot of 60 episodes; tests that change it take a copy."""
    provider = Provider(tmp_path_factory.mktemp("published") / "home")
    provider.load(made_up(seed=1, episodes=60))
    return provider


@pytest.fixture
def copied(published: Provider, tmp_path: Path) -> Path:
    """A store of its own, with one published snapshot."""
    return published.copy(tmp_path / "copy").store


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """Two versions published one after the other; tests take a copy."""
    provider = Provider(tmp_path_factory.mktemp("twice") / "home")
    provider.load(version(8))
    provider.load(provider.write(version(9), "second"))
    return provider


def file_of(store: Path) -> Path:
    return snapshot_path(store, str(current_id(store)))


# One after the other


def test_the_manifest_says_what_was_published(published: Provider) -> None:
    snapshot = published.open()
    facts = snapshot.facts
    assert facts.snapshot_id == facts.content_hash[:12] == current_id(published.store)
    for table, rows in facts.counts.items():
        assert snapshot.query(f"select count(*) from {table}") == [(rows,)], table
    assert facts.counts["episode"] == facts.counts["episode_outcome"] == 60
    assert facts.file_bytes == file_of(published.store).stat().st_size
    assert (facts.privacy_mode, facts.batch_mode, facts.data_as_of) == ("limited", "full", str(CUT))
    assert facts.sources["episodes.csv"] == 60 and not facts.synthetic
    assert sorted(path.name for path in published.store.iterdir()) == [
        "CURRENT",
        "batches",
        "import.lock",
        f"snapshot-{facts.snapshot_id}.duckdb",
        f"snapshot-{facts.snapshot_id}.json",
    ]


def test_the_same_content_again_writes_no_new_file(provider: Provider) -> None:
    first = provider.load(version(8))
    before = content_of(provider.store)
    times = {path: path.stat().st_mtime_ns for path in provider.store.rglob("*.duckdb")}
    second = provider.load(version(8), imported=CUT + timedelta(1))
    assert (second.published, second.unchanged) == (True, True)
    assert second.snapshot_id == first.snapshot_id and not first.unchanged
    assert second.as_text().startswith(f"Nothing new: snapshot {first.snapshot_id}")
    assert content_of(provider.store) == before
    assert {path: path.stat().st_mtime_ns for path in provider.store.rglob("*.duckdb")} == times


def test_a_former_content_again_gets_its_id_back(twice: Provider, tmp_path: Path) -> None:
    provider = twice.copy(tmp_path / "copy")
    (former,) = set(provider.store.glob("snapshot-*.json")) - {
        manifest_path(provider.store, str(current_id(provider.store)))
    }
    again = provider.load(version(8))
    assert again.snapshot_id == read_facts(former).snapshot_id == current_id(provider.store)
    assert not again.unchanged and provider.query("select max(planned_weeks) from episode") == [(8,)]


def test_the_id_says_key_mode_and_cut_too(provider: Provider, tmp_path: Path) -> None:
    ids = {
        provider.load(version(8)).snapshot_id,
        provider.load(version(8), cut=CUT + timedelta(1)).snapshot_id,
        provider.load(version(8), privacy="expert").snapshot_id,
        Provider(tmp_path / "other").load(version(8)).snapshot_id,
    }
    assert len(ids) == 4


# Readers


def test_readers_keep_what_they_opened_while_another_snapshot_is_published(provider: Provider) -> None:
    provider.load(version(8))
    weeks = "select max(planned_weeks) from episode"
    old = provider.open()
    session = Session(provider.store)
    view = session.view(local_viewer(), "explore")
    seen: list[tuple[object, ...]] = []

    def reading(_: str) -> None:
        # During every step of the next import.
        seen.append((old.query(weeks)[0][0], provider.query(weeks)[0][0], current_id(provider.store)))

    request = provider.write(version(9))
    from analytics.intake.importer import ImportRequest, run_import

    new = run_import(ImportRequest(request, provider.store, "limited", provider.key, CUT, CUT), reading)
    assert len(seen) >= 4 and set(seen) == {(8, 8, old.snapshot_id)}
    assert old.query(weeks) == [(8,)] and provider.query(weeks) == [(9,)]
    # A page that runs keeps its snapshot; the next page run reads the new one.
    assert view.provenance.snapshot_id == old.snapshot_id != new.snapshot_id
    assert completed(view) == 2
    assert session.view(local_viewer(), "explore").provenance.snapshot_id == new.snapshot_id
    assert completed(session.view(local_viewer(), "explore")) == 2
    # Also when the file of the former one is gone.
    snapshot_path(provider.store, old.snapshot_id).unlink()
    assert old.query(weeks) == [(8,)] and completed(view) == 2


def completed(view: View) -> int:
    return view.result(view.measure("completion"), Cohort()).content.episodes


def test_the_pointer_never_names_a_file_that_is_not_there(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0

    def watch(store: Path) -> None:
        nonlocal steps
        steps += 1
        if (serving := current_id(store)) is not None:
            with_file = open_snapshot(store, serving)  # checks the file against its manifest
            with_file.close()

    def watched(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            watch(provider.store)
            try:
                return real(*arguments)
            finally:
                watch(provider.store)

        return call

    monkeypatch.setattr(publishing.os, "replace", watched(os.replace))
    monkeypatch.setattr(publishing, "reached", watched(lambda step: None))
    monkeypatch.setattr(publishing, "prune", watched(publishing.prune))
    monkeypatch.setattr(publishing, "KEPT_SNAPSHOTS", 2)
    for weeks in (8, 9, 8, 10):
        provider.load(version(weeks))
    assert steps > 50 and len(list(provider.store.glob("snapshot-*.duckdb"))) == 2


# Damage


def refused(store: Path, words: str) -> None:
    with pytest.raises(StoreProblem, match=words):
        open_current(store)
    with pytest.raises(StoreProblem, match=words):
        Session(store).view(local_viewer(), "explore")


def test_a_file_with_one_bit_turned_is_refused(copied: Path) -> None:
    chance = random.Random(1)
    path = file_of(copied)
    good = path.read_bytes()
    for _ in range(50):
        place, bit = chance.randrange(len(good)), chance.randrange(8)
        damaged = bytearray(good)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        refused(copied, r"is not what was published \(its checksum differs\)")
    path.write_bytes(good)
    open_current(copied).close()


def test_a_file_cut_short_or_grown_is_refused(copied: Path) -> None:
    chance = random.Random(2)
    path = file_of(copied)
    good = path.read_bytes()
    sizes = [0, 1, len(good) - 1, *(chance.randrange(len(good)) for _ in range(17))]
    for content in [*(good[:size] for size in sizes), good + b"\0"]:
        path.write_bytes(content)
        refused(copied, "checksum differs")


def test_a_file_with_a_write_ahead_log_is_refused(copied: Path) -> None:
    log = file_of(copied).with_name(file_of(copied).name + ".wal")
    log.write_bytes(b"")
    refused(copied, "is not what was published")
    log.unlink()
    open_current(copied).close()


def test_a_missing_file_is_named(copied: Path) -> None:
    path = file_of(copied)
    path.unlink()
    refused(copied, rf"{path.name} is missing")


def test_a_file_of_another_snapshot_under_this_name_is_refused(twice: Provider, tmp_path: Path) -> None:
    store = twice.copy(tmp_path / "copy").store
    (other,) = set(store.glob("snapshot-*.duckdb")) - {file_of(store)}
    shutil.copy(other, file_of(store))
    with pytest.raises(StoreProblem, match="checksum differs"):
        open_current(store)


@pytest.mark.parametrize(
    "pointer", ["", "\n", "../../etc/passwd", "abc def", "a\nb", "snapshot-1.duckdb", "\N{SNOWMAN}"]
)
def test_a_damaged_pointer_is_refused(copied: Path, pointer: str) -> None:
    (copied / "CURRENT").write_text(pointer, encoding="utf-8")
    refused(copied, "The pointer CURRENT in the store is damaged")


def test_a_pointer_to_nothing_is_refused(copied: Path) -> None:
    (copied / "CURRENT").write_text("0123456789ab\n")
    refused(copied, r"manifest snapshot-0123456789ab\.json is missing or damaged")


def test_without_a_pointer_there_are_no_data_yet(tmp_path: Path, copied: Path) -> None:
    (copied / "CURRENT").unlink()
    for store in (copied, tmp_path / "never made"):
        refused(store, "There are no data yet")


def test_an_unknown_schema_version_is_refused_with_both_numbers(copied: Path) -> None:
    path = manifest_path(copied, str(current_id(copied)))
    content = json.loads(path.read_text())
    for other in (SCHEMA_VERSION + 1, 0, "1", None):
        path.write_text(json.dumps(content | {"schema_version": other}))
        refused(copied, f"has schema version {other}; this program reads version {SCHEMA_VERSION}")


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '"text"', "\x00", '{"schema_version": 1}'])
def test_a_damaged_manifest_is_refused(copied: Path, damage: str) -> None:
    path = manifest_path(copied, str(current_id(copied)))
    path.write_text(damage)
    refused(copied, rf"The manifest {path.name} is missing or damaged")
    content = json.loads((copied / "batches" / str(current_id(copied)) / "manifest.json").read_text())
    path.write_text(json.dumps(content | {"surprise": 1}))
    refused(copied, "is missing or damaged")
    del content["table_hashes"]
    path.write_text(json.dumps(content))
    refused(copied, "is missing or damaged")


def turn_a_bit(store: Path) -> None:
    path = file_of(store)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def newer_schema(store: Path) -> None:
    path = manifest_path(store, str(current_id(store)))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": SCHEMA_VERSION + 1}))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit": turn_a_bit,
    "no file": lambda store: file_of(store).unlink(),
    "no manifest": lambda store: manifest_path(store, str(current_id(store))).unlink(),
    "another schema": newer_schema,
    "pointer": lambda store: (store / "CURRENT").write_text("?"),
    "pointer to nothing": lambda store: (store / "CURRENT").write_text("0123456789ab"),
    "no state": lambda store: shutil.rmtree(store / "batches" / str(current_id(store))),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_import_mends_the_store_as_the_sentence_says(twice: Provider, tmp_path: Path, damage: str) -> None:
    provider = twice.copy(tmp_path / "copy")
    before = current_id(provider.store)
    DAMAGES[damage](provider.store)
    again = provider.load(provider.home / "inbox" / "second")
    assert again.published and again.snapshot_id == before
    snapshot = provider.open()
    assert snapshot.query("select max(planned_weeks) from episode") == [(9,)]
    assert (provider.store / "batches" / snapshot.snapshot_id / "episode.parquet").exists()


@pytest.mark.parametrize("damage", ["a bit", "no manifest", "pointer", "pointer to nothing"])
def test_a_damaged_store_still_refuses_another_key(twice: Provider, tmp_path: Path, damage: str) -> None:
    # An older manifest that can be read tells whose data these are.
    provider = twice.copy(tmp_path / "copy")
    DAMAGES[damage](provider.store)
    report = provider.load(version(9), key=Provider(tmp_path / "other").key)
    assert (report.published, report.batch_rule) == (False, "KEY_CHANGED")


# The lock and what a killed import leaves


def command_line(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analytics", *map(str, arguments)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_second_import_while_one_runs_gets_a_sentence(provider: Provider) -> None:
    folder = provider.write(version(8))
    arguments = (
        *("import", folder, "--store", provider.store, "--privacy", "limited"),
        *("--key", provider.key_file, "--data-cut", CUT, "--import-date", CUT),
    )
    with import_lock(provider.store):
        with pytest.raises(StoreProblem, match="Another import is running on this store"):
            provider.load(folder)
        second = command_line(*arguments)
    assert second.returncode == 1 and second.stdout == ""
    assert second.stderr.startswith("Another import is running on this store. Wait until it has ended")
    assert current_id(provider.store) is None
    third = command_line(*arguments)
    assert third.returncode == 0, third.stderr
    assert third.stdout.startswith(f"Published snapshot {current_id(provider.store)}.")


def test_the_next_import_removes_what_a_killed_one_left(twice: Provider, tmp_path: Path) -> None:
    provider = twice.copy(tmp_path / "copy")
    before = current_id(provider.store)
    for name in (".build-dead", ".build-0123/rows"):
        (provider.store / name).mkdir(parents=True)
    (provider.store / ".build-dead" / "snapshot.duckdb").write_bytes(b"half")
    (provider.store / "CURRENT.new").write_text("half")
    provider.load(version(10))
    assert not list(provider.store.glob(".build-*")) and not (provider.store / "CURRENT.new").exists()
    assert current_id(provider.store) != before


def test_a_store_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreProblem, match=r"The store folder cannot be written \("), import_lock(tmp_path / "file"):
        pass


# What is kept


def test_the_newest_five_snapshots_and_every_state_are_kept(provider: Provider) -> None:
    ids = [str(provider.load(version(8)).snapshot_id)]
    # Five more come and go, each a minute younger than the one before.
    for number in range(5):
        ids.append(f"{number:012x}")
        for path_of in (snapshot_path, manifest_path):
            shutil.copy(path_of(provider.store, ids[0]), path_of(provider.store, ids[-1]))
    for minutes, snapshot_id in enumerate(ids):
        os.utime(snapshot_path(provider.store, snapshot_id), (60 * minutes, 60 * minutes))
    ids.append(str(provider.load(version(9)).snapshot_id))
    assert len(set(ids)) == 7 and KEPT_SNAPSHOTS == 5
    for path_of in (snapshot_path, manifest_path):
        assert [path_of(provider.store, snapshot_id).exists() for snapshot_id in ids] == [False] * 2 + [True] * 5
    assert all((provider.store / "batches" / name / "episode.parquet").exists() for name in (ids[0], ids[-1]))
    # The one that serves is kept, however old its file looks.
    shutil.copy(snapshot_path(provider.store, ids[-2]), snapshot_path(provider.store, "f" * 12))
    os.utime(snapshot_path(provider.store, ids[-1]), (0, 0))
    publishing.prune(provider.store)
    open_current(provider.store).close()


def rebuilt(batch: Path, target: Path) -> str:
    """The content hash of a snapshot that is built from the state in a batch folder alone."""
    _, hashes = build_database(batch, target, lambda step: None)
    return content_hash(read_facts(batch / "manifest.json"), hashes)


def test_a_snapshot_is_rebuilt_from_its_batch_alone(published: Provider, tmp_path: Path) -> None:
    facts = published.open().facts
    batch = Path(shutil.copytree(published.store / "batches" / facts.snapshot_id, tmp_path / "batch"))
    assert rebuilt(batch, tmp_path / "rebuilt.duckdb") == facts.content_hash
    with duckdb.connect(str(tmp_path / "rebuilt.duckdb"), read_only=True) as connection:
        for table in facts.counts:
            same = connection.execute(f"select * from {table} order by all").fetchall()
            assert same == published.query(f"select * from {table} order by all"), table


def test_a_pruned_snapshot_is_rebuilt_too(twice: Provider, tmp_path: Path) -> None:
    store = twice.copy(tmp_path / "copy").store
    (pruned,) = set(store.glob("snapshot-*.json")) - {manifest_path(store, str(current_id(store)))}
    facts = read_facts(pruned)
    for path_of in (snapshot_path, manifest_path):
        path_of(store, facts.snapshot_id).unlink()
    assert rebuilt(store / "batches" / facts.snapshot_id, tmp_path / "rebuilt.duckdb") == facts.content_hash


def test_the_content_hash_sees_every_row_table(published: Provider, tmp_path: Path) -> None:
    facts = published.open().facts
    batch = published.store / "batches" / facts.snapshot_id
    changed = {
        "episode": "select * replace (wait_days + 1 as wait_days) from {}",
        "attendance": "select * replace (case when status = 'attended' then 1 else minutes end as minutes) from {}",
        "score": "select * replace (day + 1 as day) from {}",
        "followup": "select * replace (not reached as reached) from {}",
        "acute_event": "select * replace (end_day + 1 as end_day) from {}",
        "capture": "select * replace (to_day + 1 as to_day) from {}",
        "substance_use": "select * from {} limit 1",
        "attendance_calendar": "select * replace (sessions + 1 as sessions) from {}",
        "collected": "select * replace (false as capture) from {}",
    }
    for table, sql in changed.items():
        other = Path(shutil.copytree(batch, tmp_path / table))
        with duckdb.connect() as connection:
            source = f"read_parquet('{batch / table}.parquet')"
            connection.execute(f"copy ({sql.format(source)}) to '{other / table}.parquet' (format parquet)")
        assert rebuilt(other, tmp_path / f"{table}.duckdb") != facts.content_hash, table
    for field in ("privacy_mode", "key_id", "data_as_of"):
        assert content_hash(replace(facts, **{field: "x"}), facts.table_hashes) != facts.content_hash


@pytest.mark.parametrize(
    ("table", "sql", "words"),
    [
        ("score", "select * from {0} union all select * from {0} order by all", "two rows with one key"),
        ("followup", "select * replace (episode_id + 999 as episode_id) from {0}", "rows without their episode_id"),
        ("capture", "select * replace (person_id + 999 as person_id) from {0}", "rows without their person_id"),
    ],
)
def test_a_state_that_breaks_a_promise_is_not_built(
    published: Provider, tmp_path: Path, table: str, sql: str, words: str
) -> None:
    batch = published.store / "batches" / published.open().snapshot_id
    other = Path(shutil.copytree(batch, tmp_path / "broken"))
    with duckdb.connect() as connection:
        source = f"read_parquet('{batch / table}.parquet')"
        connection.execute(f"copy ({sql.format(source)}) to '{other / table}.parquet' (format parquet)")
    with pytest.raises(StoreProblem, match=f"Table {table} has {words}.*Nothing was published"):
        build_database(other, tmp_path / "broken.duckdb", lambda step: None)


def test_another_name_of_a_program_or_site_is_another_content(provider: Provider) -> None:
    names = [("NORTH", "A"), ("NORD", "A"), ("NORD", "B")]
    ids = {provider.load({"episodes": [{"program_id": program, "site": site}]}).snapshot_id for program, site in names}
    assert len(ids) == 3 and provider.query("select program_id::varchar, site::varchar from episode") == [("NORD", "B")]
