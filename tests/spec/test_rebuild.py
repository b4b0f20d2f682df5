"""Snapshots made anew from `batches/`: a restore, a pruned snapshot, a new schema version; and what is refused.

Requirements SEC-58 and SEC-63 of ../shared/privacy.md. `state_of_version_1` was written by the last program of schema
version 1 from the twelve stays of `made_up(seed=5, episodes=12)`, with the key below.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from analytics.__main__ import main
from analytics.errors import StoreProblem
from analytics.intake.anchors import anchored_cut, carry_anchors, settle_anchors
from analytics.settings import PROJECT_ROOT
from analytics.store import rebuild as rebuilding
from analytics.store.facts import SCHEMA_VERSION, read_facts
from analytics.store.publish import build_database
from analytics.store.rebuild import rebuild
from analytics.store.snapshot import current_id, manifest_path, open_current, open_snapshot, snapshot_path
from analytics.store.states import BATCH_MANIFEST, state_folder, state_ids
from analytics.store.verify import table_hashes
from tests.spec.raw_files import Files, Provider, made_up

FORMER = Path(__file__).parent / "state_of_version_1"
FORMER_ID = "9abd06a7b9ce"
FORMER_KEY = bytes(range(32))


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """Two contents published one after the other; tests take a copy."""
    provider = Provider(tmp_path_factory.mktemp("twice") / "home")
    files = made_up(seed=2, episodes=15)
    provider.load(files)
    files["scores"][0]["total"] = 1
    provider.load(files)
    return provider


@pytest.fixture
def provider(twice: Provider, tmp_path: Path) -> Provider:
    return twice.copy(tmp_path / "home")


@pytest.fixture
def former(tmp_path: Path) -> Provider:
    """A store as version 1 left it, but for the snapshot file, which this program does not open."""
    provider = Provider(tmp_path / "former")
    provider.key_file.write_bytes(FORMER_KEY)
    shutil.copytree(FORMER, provider.store)
    shutil.copy(state_folder(provider.store, FORMER_ID) / BATCH_MANIFEST, manifest_path(provider.store, FORMER_ID))
    (provider.store / "CURRENT").write_text(f"{FORMER_ID}\n")
    return provider


def everything(store: Path) -> dict[str, bytes]:
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code of the command and what it wrote."""
    code = main([str(argument) for argument in arguments])
    written = capsys.readouterr()
    return code, written.out + written.err


def test_on_another_computer_batches_and_key_are_enough(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = Provider(tmp_path / "there")
    for path in (provider.key_file, provider.key.anchors_path):
        assert path is not None
        shutil.copy(path, there.home / path.name)
    shutil.copytree(provider.store / "batches", there.store / "batches")
    code, words = said(capsys, "rebuild", "--store", there.store, "--key", there.key_file)
    facts = provider.open().facts
    assert (code, words) == (
        0,
        f"Rebuilt snapshot {facts.snapshot_id} (15 episodes): the same content hash as before.\nIt serves now.\n",
    )
    assert there.open().facts.content_hash == facts.content_hash
    assert there.query("select * from score_outcome order by all") == provider.query(
        "select * from score_outcome order by all"
    )
    assert there.add({}).unchanged


def test_without_pointer_and_key_the_states_are_named(provider: Provider) -> None:
    (provider.store / "CURRENT").unlink()
    with pytest.raises(StoreProblem, match="does not say which snapshot served") as problem:
        rebuild(provider.store)
    ids = state_ids(provider.store)
    assert len(ids) == 2 and all(f"{name} (data as of 2026-06-30)" in str(problem.value) for name in ids)
    assert rebuild(provider.store, ids[0]).serves
    assert current_id(provider.store) == ids[0]


def test_a_pruned_snapshot_can_be_opened_again_and_what_serves_stays(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    serving = provider.open().snapshot_id
    (other,) = set(state_ids(provider.store)) - {serving}
    expected = read_facts(manifest_path(provider.store, other)).content_hash
    for path_of in (snapshot_path, manifest_path):
        path_of(provider.store, other).unlink()
    code, words = said(capsys, "rebuild", other, "--store", provider.store)
    assert code == 0 and words.endswith("It can be opened by its id; what serves stays as it was.\n")
    assert open_snapshot(provider.store, other).facts.content_hash == expected
    assert provider.open().snapshot_id == serving


def test_a_damaged_snapshot_is_mended(provider: Provider) -> None:
    serving = provider.open().facts
    snapshot_path(provider.store, serving.snapshot_id).write_bytes(b"no database")
    with pytest.raises(StoreProblem, match="is not what was published"):
        provider.open()
    rebuild(provider.store)
    assert provider.open().facts.content_hash == serving.content_hash


def change_a_row(folder: Path) -> None:
    with duckdb.connect() as connection:
        source = f"read_parquet('{folder / 'score.parquet'}')"
        connection.execute(f"create table t as select * replace (total + 1 as total) from {source}")
        connection.execute(f"copy t to '{folder / 'score.parquet'}' (format parquet)")


def turn_a_bit(folder: Path) -> None:
    content = bytearray((folder / "episode.parquet").read_bytes())
    content[len(content) // 3] ^= 1
    (folder / "episode.parquet").write_bytes(content)


def change_the_manifest(folder: Path) -> None:
    content = json.loads((folder / BATCH_MANIFEST).read_text())
    (folder / BATCH_MANIFEST).write_text(json.dumps(content | {"content_hash": "0" * 64}))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a row": change_a_row,
    "a bit": turn_a_bit,
    "no file": lambda folder: (folder / "capture.parquet").unlink(),
    "no manifest": lambda folder: (folder / BATCH_MANIFEST).unlink(),
    "another manifest": change_the_manifest,
    "nothing": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_state_that_is_not_what_its_manifest_says_is_refused(
    provider: Provider, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    DAMAGES[damage](state_folder(provider.store, provider.open().snapshot_id))
    before = everything(provider.store)
    code, words = said(capsys, "rebuild", "--store", provider.store)
    assert code == 1 and ("estore" in words or "import" in words), words
    assert everything(provider.store) == before
    # As the sentence says: a full import mends it.
    assert provider.load(sorted((provider.home / "inbox").iterdir())[0]).published
    assert rebuild(provider.store).serves


def test_an_empty_store_has_nothing_to_rebuild(tmp_path: Path) -> None:
    with pytest.raises(StoreProblem, match="nothing can be rebuilt"):
        rebuild(tmp_path / "store")


# Another schema version


def test_a_snapshot_of_a_former_version_is_not_opened_and_the_sentence_names_the_cure(former: Provider) -> None:
    with pytest.raises(StoreProblem, match=r"has schema version 1; .* Run `python -m analytics rebuild`"):
        open_current(former.store)


def test_the_state_of_a_former_version_is_rebuilt(former: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    before = read_facts(state_folder(former.store, FORMER_ID) / BATCH_MANIFEST)
    assert before.schema_version == 1 < SCHEMA_VERSION
    code, words = said(capsys, "rebuild", "--store", former.store)
    assert code == 0 and "run it again with --key" in words
    snapshot = former.open()
    assert snapshot.facts.schema_version == SCHEMA_VERSION and snapshot.snapshot_id != FORMER_ID
    assert {table: snapshot.facts.counts[table] for table in before.counts} == before.counts
    # The same rows: this program, asked for the hashes of version 1 and its columns, finds those of the manifest.
    snapshot.close()
    with duckdb.connect() as connection:
        state = state_folder(former.store, FORMER_ID).glob("*.parquet")
        columns = {path.stem: connection.read_parquet(str(path)).columns for path in state}
    with duckdb.connect(str(snapshot_path(former.store, snapshot.snapshot_id)), read_only=True) as connection:
        found = table_hashes(connection, 1, columns)
    same = {table: found[table] for table in before.table_hashes if table != "collected"}
    assert same == {table: text for table, text in before.table_hashes.items() if table != "collected"}
    # From now on it is like any other.
    assert rebuild(former.store).facts.content_hash == snapshot.facts.content_hash
    assert state_ids(former.store) == sorted([FORMER_ID, snapshot.snapshot_id])


def test_batches_go_on_after_an_upgrade(former: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The same files imported today give the anchors that version 1 had, but for the id.
    today = Provider(tmp_path / "today")
    today.key_file.write_bytes(FORMER_KEY)
    # Version 1 read no answers item by item.
    files = {name: rows for name, rows in made_up(seed=5, episodes=12).items() if name != "score_items"}
    report = today.load(files, privacy="synthetic")
    carry_anchors(today.key, str(report.snapshot_id), FORMER_ID)
    settle_anchors(today.key, FORMER_ID)
    path, anchors = former.key.anchors_path, today.key.anchors_path
    assert path is not None and anchors is not None
    shutil.copy(anchors, path)
    assert said(capsys, "rebuild", "--store", former.store, "--key", former.key_file)[0] == 0
    rebuilt = former.open().facts
    assert anchored_cut(former.key, rebuilt.snapshot_id) == anchored_cut(today.key, FORMER_ID)
    assert path.read_text().splitlines()[1:] == anchors.read_text().splitlines()[1:]
    hashes = today.open().facts.table_hashes
    # Newer questionnaires may have been added since.
    assert {table for table in hashes if hashes[table] != rebuilt.table_hashes[table]} <= {"instrument"}
    batch: Files = {"episodes": [{"episode_id": "E-new", "person_id": "P-new"}]}
    report = former.load(batch, mode="incremental", privacy="synthetic")
    assert report.published and former.open().facts.counts["episode"] == 13


@pytest.mark.parametrize("damage", ["a row", "no file", "no manifest", "nothing"])
def test_a_damaged_state_of_a_former_version_is_refused(former: Provider, damage: str) -> None:
    DAMAGES[damage](state_folder(former.store, FORMER_ID))
    with pytest.raises(StoreProblem, match=r"[Rr]estore"):
        rebuild(former.store)
    assert current_id(former.store) == FORMER_ID


def test_rows_are_counted_when_another_engine_hashed_them(former: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "engine", lambda: "duckdb 9.9.9")
    folder = state_folder(former.store, FORMER_ID)
    kept = (folder / "score.parquet").read_bytes()
    with duckdb.connect() as connection:
        connection.execute(f"create table t as from read_parquet('{folder / 'score.parquet'}') limit 81")
        connection.execute(f"copy t to '{folder / 'score.parquet'}' (format parquet)")
    with pytest.raises(StoreProblem, match=r"look at score\.parquet"):
        rebuild(former.store)
    (folder / "score.parquet").write_bytes(kept)
    assert rebuild(former.store).facts.counts["score"] == 82


def test_a_state_may_lack_what_only_later_versions_have(former: Provider, tmp_path: Path) -> None:
    folder = state_folder(former.store, FORMER_ID)
    (folder / "followup.parquet").unlink()
    with duckdb.connect() as connection:
        source = f"read_parquet('{folder / 'collected.parquet'}')"
        connection.execute(f"create table t as select * exclude (followup) from {source}")
        connection.execute(f"copy t to '{folder / 'collected.parquet'}' (format parquet)")
    counts, _ = build_database(folder, tmp_path / "built.duckdb", lambda step: None, written_by=1)
    assert (counts["followup"], counts["score"]) == (0, 82)
    with duckdb.connect(str(tmp_path / "built.duckdb"), read_only=True) as connection:
        assert connection.execute("select followup, score from collected").fetchall() == [(False, True)]


def test_a_former_version_still_tells_the_key_and_guards_the_size(former: Provider, tmp_path: Path) -> None:
    other = Provider(tmp_path / "other")
    files = made_up(seed=5, episodes=12)
    assert former.load(files, privacy="synthetic", key=other.key).batch_rule == "KEY_CHANGED"
    files["attendance"] = files["attendance"][:100]
    assert former.load(files, privacy="synthetic").batch_rule == "SHRINK_GUARD"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("step", ["built", "batch", "renamed", "manifest", "pointer"])
def test_a_killed_rebuild_can_be_repeated(former: Provider, step: str) -> None:
    command = [sys.executable, "-m", "analytics", "rebuild", "--store", str(former.store), "--key", former.key_file]
    killed = subprocess.run(
        command, cwd=PROJECT_ROOT, env={**os.environ, "IOP_FAIL_AT": step}, capture_output=True, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL
    assert (current_id(former.store) == FORMER_ID) == (step != "pointer")
    rebuilt = rebuild(former.store)
    assert former.open().facts == rebuilt.facts and rebuilt.facts.counts["episode"] == 12
    assert not list(former.store.glob(".build-*"))
