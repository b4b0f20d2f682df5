"""The import corpus as the command line meets it: each case imported once, and every trace that this leaves.

A case lies below a folder of its own: the key folder, the store, and what was printed or written as a report. A case
with a `date_format` or `max_file_bytes` gets a mapping that says so and nothing else.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import hashlib
import hmac
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from analytics.__main__ import main
from analytics.intake.deidentify import new_key
from analytics.store.facts import SnapshotFacts, read_facts
from analytics.store.snapshot import CAGE, current_id, manifest_path

Row = dict[str, Any]

# No key of the corpus run is random: what is found in its files does not change from run to run.
KEY = hashlib.sha256(b"the key of the corpus run").digest()
LONGEST_RUN = 4  # printable characters, as the tool `strings` has it


def cases(shared: Path, key: str = "files") -> list[str]:
    """Every case that the corpus has, or those whose oracle has this key: none can be left out."""
    found = {path.parent.name: json.loads(path.read_text("utf-8")) for path in shared.glob("import_corpus/*/*.json")}
    return sorted(name for name, case in found.items() if key in case or (key == "files" and "steps" in case))


def generated(folder: Path, files: dict[str, Any]) -> Path:
    """Make the files that are too large to be kept."""
    folder.mkdir(parents=True)
    for name, how in files.items():
        if set(how) != {"sparse_bytes"}:
            raise ValueError(f"the corpus wants a file made by {sorted(how)}, which no test knows")
        with (folder / name).open("wb") as file:
            file.truncate(how["sparse_bytes"])
    return folder


@dataclass(frozen=True)
class Step:
    """One import: what was asked of it, its report, what it printed, and what served afterwards."""

    folder: Path
    expected: dict[str, Any]
    exit_code: int
    report: dict[str, Any]
    printed: str
    serving: SnapshotFacts | None


@dataclass(frozen=True)
class Case:
    """A case that was imported, with all that it left below `home`."""

    home: Path
    expected: dict[str, Any]
    steps: list[Step]

    @property
    def store(self) -> Path:
        return self.home / "store"

    def key_folder(self) -> list[Path]:
        return sorted((self.home / "key").iterdir())

    def files(self) -> list[Path]:
        """Every file that was written, but for the anchors: they lie beside the key and hold its episodes' days."""
        beside = {self.home / "key" / "pseudonyms.key", self.home / "key" / "pseudonyms.key.anchors"}
        return [path for path in sorted(self.home.rglob("*")) if path.is_file() and path not in beside]


def arguments(case: dict[str, Any], folder: Path, home: Path, privacy: str = "limited") -> list[str]:
    """The command line of an import of a folder of a case."""
    key = home / "key" / "pseudonyms.key"
    if not key.exists():
        key.parent.mkdir(parents=True)
        new_key(key)
        key.write_bytes(KEY)
    options = ["--mode", case["config"].get("mode", "full")]
    said = {name: value for name, value in case["config"].items() if name != "mode"}
    if said:
        mapping = home / "case.toml"
        mapping.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items()), "utf-8")
        options += ["--mapping", str(mapping)]
    day = case["import_date"]
    return [
        *("import", str(folder), "--store", str(home / "store"), "--key", str(key), "--privacy", privacy),
        *("--data-cut", day, "--import-date", day, "--report", str(home / "report.json"), *options),
    ]


def imported(folder: Path, home: Path, privacy: str = "limited") -> Case:
    """Import a case step by step, as somebody at the command line would."""
    case = json.loads((folder / "expected.json").read_text("utf-8"))
    steps = []
    home.mkdir(parents=True, exist_ok=True)
    for number, expected in enumerate(case.get("steps", [case])):
        source = folder / expected["dir"] if "dir" in expected else folder
        if "generate" in case:
            source = generated(home.with_name(home.name + " raw"), case["generate"])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            exit_code = main(arguments(case, source, home, privacy))
        (home / f"printed-{number}.txt").write_text(printed.getvalue(), "utf-8")
        report = json.loads((home / "report.json").read_text("utf-8"))
        (home / "report.json").rename(home / f"report-{number}.json")
        serving = current_id(home / "store")
        facts = None if serving is None else read_facts(manifest_path(home / "store", serving))
        steps.append(Step(source, expected, exit_code, report, printed.getvalue(), facts))
    return Case(home, case, steps)


# What is stored, as a reader of the store with the key and the anchors would put it back

# Row table of the state and its day columns: canonical column -> (stored column, the day that it counts from).
_DAYS = {
    "episodes": ("episode", {"admit_date": ("", "admit"), "discharge_date": ("los_days", "admit")}),
    "attendance": ("attendance", {"session_date": ("day", "admit")}),
    "scores": ("score", {"assessed_on": ("day", "admit")}),
    "substance_use": ("substance_use", {"observed_on": ("day", "admit")}),
    "followups": ("followup", {"attempted_on": ("attempted_day", "discharge")}),
    "readmissions": (
        "acute_event",
        {"admit_date": ("start_day", "first admit"), "discharge_date": ("end_day", "first admit")},
    ),
}


def pseudonym(kind: str, given: str) -> str:
    return hmac.new(KEY, f"{kind}\x1f{given}".encode(), hashlib.sha256).hexdigest()[:32]


def raw_rows(path: Path) -> list[dict[str, str]]:
    """The records of a raw file as Python's reader gives them; row 1 is the first."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.DictReader(file) if any(row.values())]


def state(case: Case, table: str) -> list[Row]:
    folder = case.store / "batches" / str(current_id(case.store))
    with duckdb.connect() as connection:
        found = connection.execute("select * from read_parquet(?)", [str(folder / f"{table}.parquet")])
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def stored_rows(case: Case, file: str, person_or_episode: str) -> list[Row]:
    """What is stored for one episode (readmissions: one person) of a canonical file, dates put back by the anchors."""
    table, days = _DAYS[file.removesuffix(".csv")]
    kind = "person" if file == "readmissions.csv" else "episode"
    key = pseudonym(kind, person_or_episode)
    lines = (case.home / "key" / "pseudonyms.key.anchors").read_text("ascii").splitlines()[1:]
    anchors = [line.split(",") for line in lines]
    own = [anchor for anchor in anchors if anchor[("person", "episode").index(kind) - 1] == key]
    start = {"admit": int(own[0][2]), "first admit": min(int(anchor[2]) for anchor in own)}
    if own[0][3]:
        start["discharge"] = int(own[0][3])
    (episode, *_) = [row for row in state(case, "episode") if row[f"{kind}_key"] == key]
    rows = [row for row in state(case, table) if row[f"{kind}_id"] == episode[f"{kind}_id"]]
    for row in rows:
        for name, (column, since) in days.items():
            offset = row[column] if column else 0
            row[name] = None if offset is None else str(date(2000, 1, 1) + timedelta(start[since] + offset))
        row[f"{kind}_id"] = person_or_episode  # as it was looked for
    return rows


# What stands in a file


def _cells(path: Path) -> Iterator[str]:
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            found = connection.execute("select * from read_parquet(?)", [str(path)]).fetchall()
            yield from (str(value) for row in found for value in row)
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True, config=dict(CAGE)) as connection:
            for (table,) in connection.execute("select table_name from information_schema.tables").fetchall():
                found = connection.execute(f'select * from "{table}"').fetchall()
                yield from (str(value) for row in found for value in row)
            # The labels of the code types, and the text of every view and constraint.
            for (sql,) in connection.execute("select coalesce(sql, '') from duckdb_tables()").fetchall():
                yield sql
            for (labels,) in connection.execute(
                "select labels from duckdb_types() where labels is not null"
            ).fetchall():
                yield from labels


@functools.cache
def cells(path: Path) -> tuple[str, ...]:
    """Every value of every table in a Parquet file or a snapshot, as text: their bytes are compressed."""
    return tuple(_cells(path))


@functools.cache
def texts(path: Path) -> list[str]:
    """The readable text of a file: what `strings` would print, and the cells of a database."""
    printable = re.findall(rb"[\t -~]{%d,}" % LONGEST_RUN, path.read_bytes())
    return [run.decode("ascii") for run in printable] + list(cells(path))


def where(needle: str, files: list[Path]) -> list[str]:
    """The files that hold a text, in plain bytes (UTF-8 or UTF-16) or in a cell."""
    forms = [needle.encode(), needle.encode("utf-16-le")]
    return [
        path.name
        for path in files
        if any(form in path.read_bytes() for form in forms) or any(needle in cell for cell in cells(path))
    ]
