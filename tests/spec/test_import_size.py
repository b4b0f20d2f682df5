"""Two million sessions are imported in 2 GB: requirement SEC-57 of ../shared/privacy.md."""

import sys
from pathlib import Path

import duckdb
import pytest

from analytics.bench.raw_files import run_command
from analytics.bench.timing import in_child
from analytics.store.snapshot import open_current
from tests.spec.raw_files import PLAIN, Provider

SESSIONS_PER_STAY = 40


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the memory of a process")
@pytest.mark.parametrize(
    ("sessions", "gigabytes"), [(200_000, 0.6), pytest.param(2_000_000, 2.0, marks=pytest.mark.long)]
)
def test_import_of_many_sessions_holds_its_memory(tmp_path: Path, sessions: int, gigabytes: float) -> None:
    provider = Provider(tmp_path)
    folder = provider.write({"episodes": [], "attendance": []})
    write_stays(folder, sessions // SESSIONS_PER_STAY)
    command = ["import", str(folder), "--store", str(provider.store), "--key", str(provider.key_file)]
    command += ["--privacy", "synthetic", "--data-cut", "2026-06-30", "--import-date", "2026-07-01"]
    _, peak = in_child(run_command, command)
    counts = open_current(provider.store).facts.counts
    assert counts["attendance"] == sessions
    assert peak is not None
    assert peak < gigabytes * 1e9


def write_stays(folder: Path, stays: int) -> None:
    """Put stays and their sessions below the headers that are in the folder; ids are as long as a GUID."""
    guid = "md5('stay' || i)[:8] || '-' || md5('stay' || i)[9:12] || '-4000-8000-' || md5('stay' || i)[13:24]"
    values = {
        "episodes": {
            "episode_id": guid,
            "person_id": f"'P' || {guid}",
            "admit_date": "date '2025-01-06' + (i % 300)::integer",
        },
        "attendance": {"episode_id": guid, "session_date": "date '2025-01-06' + (i % 300 + j)::integer"},
    }
    rows = {
        "episodes": f"range({stays}) r(i)",
        "attendance": f"range({stays}) r(i), range({SESSIONS_PER_STAY}) s(j)",
    }
    for table, given in values.items():
        path = folder / f"{table}.csv"
        header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
        plain = {name: "null" if value is None else f"'{value}'" for name, value in PLAIN[table].items()}
        columns = ", ".join(f"{(plain | given)[name]} as {name}" for name in header)
        with duckdb.connect() as connection:
            connection.execute(f"copy (select {columns} from {rows[table]}) to '{path}' (header true)")
