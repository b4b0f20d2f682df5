"""What an import writes aside when memory is short: encrypted, the owner's only, and gone afterwards."""

import os
import stat
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.intake import importer
from analytics.store import publish, spill
from analytics.store.spill import spilling_connection
from tests.spec.raw_files import Files, Provider, made_up

CANARY = "SOURCE-ID-THAT-MUST-NOT-LIE-ON-A-DISK"
EPISODES, SESSIONS = 12_000, 40


@pytest.mark.parametrize("encrypted", [True, False], ids=["encrypted", "in the clear"])
def test_pages_written_aside_hold_no_readable_text(encrypted: bool, tmp_path: Path) -> None:
    """The same pages in the clear hold it, so the search does find what is there."""
    folder = tmp_path / "spill"
    with spilling_connection(":memory:", folder, "60MB") as connection:
        if not encrypted:
            connection.execute("set temp_file_encryption = false")
        connection.execute(
            f"create table t as select '{CANARY}' || i as id, md5(i::varchar) as m from range(1000000) r(i)"
        )
        spilled = b"".join(path.read_bytes() for path in spilled_files(tmp_path))
        assert len(spilled) > 10_000_000
        assert (CANARY.encode() in spilled) is not encrypted
        if os.name != "nt":
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert connection.execute("select count(distinct id) from t").fetchone() == (1_000_000,)
    assert not folder.exists()


def test_folder_is_gone_after_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "spill"
    with pytest.raises(duckdb.OutOfMemoryException), spilling_connection(":memory:", folder, "20MB") as connection:
        connection.execute("create table t as select i, 'x' || i as s from range(500000) r(i)")
        connection.execute("select string_agg(s, '' order by s) from t").fetchall()
    assert not folder.exists()


def test_import_with_too_little_memory_succeeds_and_leaves_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plenty, short = Provider(tmp_path / "plenty"), Provider(tmp_path / "plenty").copy(tmp_path / "short")
    folder = plenty.write(many_sessions())
    expected = plenty.load(folder)
    assert expected.published

    monkeypatch.setattr(importer, "MEMORY_LIMIT", "72MB")
    monkeypatch.setattr(publish, "MEMORY_LIMIT", "72MB")
    folders: set[str] = set()
    spilled = 0

    def look(step: str) -> None:
        nonlocal spilled
        for path in spilled_files(short.store):
            content = path.read_bytes()
            assert CANARY.encode() not in content, step
            spilled += len(content)
        for path in short.store.glob(".build-*/spill*"):
            folders.add(path.name)
            assert stat.S_IMODE(path.stat().st_mode) == 0o700 or os.name == "nt"

    report = importer.run_import(request(short, folder), look)
    assert report.published
    assert report.snapshot_id == expected.snapshot_id
    assert spilled > 1_000_000, "nothing was written aside, so the test proves nothing"
    assert folders == {"spill", "spill-of-snapshot"}
    assert not list(short.store.glob(".build-*"))


def test_compressed_tables_give_the_same_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, compressed = Provider(tmp_path / "plain"), Provider(tmp_path / "plain").copy(tmp_path / "compressed")
    files = made_up(seed=5, episodes=40)
    some = {table: rows[:7] for table, rows in files.items()}
    published = []
    for provider, from_rows in ((plain, spill.COMPRESS_FROM), (compressed, 0)):
        monkeypatch.setattr(spill, "COMPRESS_FROM", from_rows)
        for report in (provider.load(files), provider.add({**some, "scores": []})):
            assert report.published
            published.append(report.snapshot_id)
    assert published[:2] == published[2:]


def request(provider: Provider, folder: Path) -> importer.ImportRequest:
    return importer.ImportRequest(folder, provider.store, "limited", provider.key, date(2026, 6, 30), date(2026, 6, 30))


def spilled_files(folder: Path) -> Iterator[Path]:
    return folder.glob("**/duckdb_temp*")


def many_sessions() -> Files:
    """Return episodes with long ids and so many sessions that they do not fit into some 70 MB."""
    first = date(2025, 1, 6)
    ids = [f"{CANARY}-{number:06d}" for number in range(EPISODES)]
    return {
        "episodes": [{"episode_id": each, "person_id": f"{each}-P", "admit_date": first} for each in ids],
        "attendance": [
            {"episode_id": each, "session_date": first + timedelta(day)} for each in ids for day in range(SESSIONS)
        ],
    }
