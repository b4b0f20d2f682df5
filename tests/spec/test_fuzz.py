"""A thousand spoilt files: no exception but a sentence, no row lost, no identifier anywhere, nobody else's row refused.

Requirement SEC-51 of ../shared/privacy.md. Each import takes a batch in which most files are spoilt, each in its own
way; a tenth of them runs by default, with the same seed.
"""

from __future__ import annotations

import csv
import faulthandler
import io
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.errors import ImportProblem, IopError
from analytics.intake.mapping import load_mapping
from analytics.intake.report import ImportReport
from analytics.settings import DATA_FOLDER
from tests.spec.corpus_run import where
from tests.spec.mutations import ANY, BYTES, LOCAL, Origin
from tests.spec.raw_files import CUT, Files, Provider, write_files
from tests.spec.workbooks import write_workbook

# A name, an e-mail address and a number that stand in rows which are refused for them, in every file.
CANARIES = ("Quimby", "quimby@example", "219-09-9999")
# A file that takes longer than this hangs; the run is ended then, with a traceback of where.
LONGEST_SECONDS = 120


def batch() -> Files:
    """A few people with a row or two in every file, and in every file a row of somebody who is not allowed in."""
    day = CUT - timedelta(100)
    files: Files = {
        "episodes": [
            {"episode_id": f"E{n}00", "person_id": f"P{n}00", "admit_date": day + timedelta(n), "planned_weeks": 8 + n,
             "discharge_date": None if n == 3 else day + timedelta(40 + n),
             "discharge_reason": None if n == 3 else "completed"}
            for n in range(6)
        ],
        "attendance": [
            {"episode_id": f"E{n}00", "session_date": day + timedelta(n + step)} for n in range(6) for step in (0, 7)
        ],
        "scores": [
            {"episode_id": f"E{n}00", "assessed_on": day + timedelta(n + step), "total": 20 - step}
            for n in range(6)
            for step in (0, 14)
        ],
        "substance_use": [{"episode_id": f"E{n}00", "observed_on": day + timedelta(n + 5)} for n in range(6)],
        "readmissions": [{"person_id": f"P{n}00", "admit_date": day + timedelta(n + 60)} for n in range(6)],
        "followups": [
            {"episode_id": f"E{n}00", "attempted_on": day + timedelta(75 + n), "days_abstinent_past_30": 20 + n}
            for n in (0, 1, 2, 4, 5)
        ],
        "capture": [{"person_id": f"P{n}00", "from": day, "to": CUT} for n in range(6)],
    }  # fmt: skip
    for rows in files.values():
        for canary in ("Rosalind.Quimby", "quimby@example.org", "219-09-9999"):
            id_column = next(name for name in rows[0] if name.endswith("_id"))
            rows.append({**rows[0], id_column: canary})
    files["episodes"][-3]["person_id"] = "Dr Quimby"
    return files


@dataclass
class Spoilt:
    """What was done to the files of one import: the way's name per file, and where its lines come from, if known."""

    ways: dict[str, str] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)


class Fuzz:
    """Imports spoilt batches into one store, and looks at every report."""

    def __init__(self, home: Path) -> None:
        self.provider = Provider(home)
        self.folder = write_files(home / "inbox" / "good", batch())
        self.files = sorted(path.name for path in self.folder.iterdir())
        report = self.provider.load(self.folder)
        assert report.published, report.as_text()
        self.good = {name: set(file.accepted_rows) for name, file in report.files.items()}
        assert all(len(rows) >= 5 for rows in self.good.values()) and set(self.good) == set(self.files)
        self.published = self.refused = 0

    def spoil(self, chance: random.Random, folder: Path) -> Spoilt:
        """Write a batch in which most files are spoilt; in every second one the episodes are whole."""
        done = Spoilt()
        folder.mkdir(parents=True)
        whole = {"episodes.csv"} if chance.random() < 0.5 else set()
        for name in self.files:
            content = (self.folder / name).read_bytes()
            if name in whole or chance.random() < 0.2:
                done.origins[name] = list(range(content.count(b"\n")))
            elif chance.random() < 0.75:
                way = chance.choice(LOCAL)
                lines, origin = way(chance, content.splitlines(keepends=True))
                content, done.ways[name], done.origins[name] = b"".join(lines), way.__name__, origin
            else:
                anyhow = chance.choice(ANY)
                content, done.ways[name] = anyhow(chance, content), anyhow.__name__
            (folder / name).write_bytes(content)
        return done

    def check(self, folder: Path) -> ImportReport | None:
        """Import a batch and look at what is true of every report; None when a sentence ended the import."""
        faulthandler.dump_traceback_later(LONGEST_SECONDS, exit=True)
        try:
            report = self.provider.load(folder)
        except IopError as problem:
            self.check_text(str(problem))
            return None
        self.check_text(report.as_json())
        self.check_text(report.as_text())
        self.published += report.published
        for name, file in report.files.items():
            self.refused += file.refused
            if file.refused:
                assert file.accepted == len(file.accepted_rows) == 0, name
                continue
            assert file.accepted + file.rejected_count == file.records_read, name
            assert len(file.accepted_rows) == file.accepted and len(file.rejected) == file.rejected_count, name
            rows = [*file.accepted_rows, *(item.row or 0 for item in file.rejected)]
            assert len(set(rows)) == file.records_read, name
        return report

    def check_csv(self, folder: Path, done: Spoilt) -> None:
        report = self.check(folder)
        for name, file in report.files.items() if report else ():
            if report is not None and not file.refused:
                # The reader that counts and the one that reads agree.
                assert file.records_read == report.sources[name], name
                rows = [*file.accepted_rows, *(item.row or 0 for item in file.rejected)]
                assert sorted(rows) == list(range(1, file.records_read + 1)), name
                if "episodes.csv" not in done.ways:
                    self.check_the_others(report, name, done)

    def check_that_no_identifier_was_kept(self, inbox: Path) -> None:
        kept = [path for path in inbox.parent.rglob("*") if path.is_file() and inbox not in path.parents]
        for canary in CANARIES:
            assert where(canary, kept) == []

    def check_the_others(self, report: ImportReport, name: str, done: Spoilt) -> None:
        """Rows that nobody touched are accepted as before, unless a touched one now claims to be the same."""
        file = report.files[name]
        origin = done.origins.get(name, [])
        assert len(origin) in (0, file.records_read + 1), name
        for row, line in enumerate(origin):
            if line in self.good[name] and row not in file.accepted_rows:
                rules = {item.rule for item in file.rejected if item.row == row}
                assert rules <= {"DUPLICATE_CONFLICT", "DUPLICATE_EXACT", "EPISODE_OVERLAP"}, (name, row, rules)

    def check_text(self, text: str) -> None:
        assert not any(canary in text for canary in CANARIES), text
        assert "Traceback" not in text and str(self.provider.home) not in text


@pytest.fixture
def fuzz(tmp_path: Path) -> Iterator[Fuzz]:
    fuzz = Fuzz(tmp_path)
    yield fuzz
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("spoilt", [75, pytest.param(1000, marks=pytest.mark.long)])
def test_spoilt_files(fuzz: Fuzz, tmp_path: Path, spoilt: int) -> None:
    files = number = 0
    while files < spoilt:
        number += 1
        chance = random.Random(f"{spoilt} {number}")
        folder = tmp_path / "inbox" / f"{number}"
        done = fuzz.spoil(chance, folder)
        files += len(done.ways)
        try:
            fuzz.check_csv(folder, done)
        except Exception as error:
            error.add_note(f"batch {number} of {spoilt}: {done.ways}")
            raise
    # Neither is everything refused nor nothing: both ways are walked.
    assert fuzz.published > number / 10 and fuzz.refused > spoilt / 10
    fuzz.check_that_no_identifier_was_kept(tmp_path / "inbox")


def spoil_a_part(chance: random.Random, workbook: bytes) -> bytes:
    """A workbook with one of its XML parts spoilt, in an archive that is whole."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as given, zipfile.ZipFile(changed, "w") as archive:
        chosen = chance.choice([name for name in given.namelist() if given.read(name)])
        for name in given.namelist():
            content = given.read(name)
            archive.writestr(name, chance.choice(BYTES)(chance, content) if name == chosen else content)
    return changed.getvalue()


@pytest.mark.parametrize("spoilt", [10, pytest.param(200, marks=pytest.mark.long)])
def test_spoilt_workbooks_and_parquet_files(fuzz: Fuzz, tmp_path: Path, spoilt: int) -> None:
    """Bytes of a workbook, of a part inside one, and of Parquet files, of which half of a batch are spoilt."""
    files = {path.stem: list(csv.reader(path.open(encoding="utf-8", newline=""))) for path in fuzz.folder.iterdir()}
    workbook = write_workbook(tmp_path / "whole.xlsx", files).read_bytes()
    parquet = {}
    for path in fuzz.folder.iterdir():
        duckdb.sql(f"from read_csv('{path}', all_varchar = true)").write_parquet(str(tmp_path / path.stem))
        parquet[f"{path.stem}.parquet"] = (tmp_path / path.stem).read_bytes()
        (tmp_path / path.stem).unlink()
    (tmp_path / "whole.xlsx").unlink()
    for number in range(spoilt):
        chance = random.Random(f"{spoilt} {number}")
        folder = tmp_path / "inbox" / f"{number}"
        folder.mkdir(parents=True)
        way = chance.choice((*BYTES, spoil_a_part, spoil_a_part))
        if number % 3:
            (folder / "all.xlsx").write_bytes(way(chance, workbook))
        for name, content in parquet.items() if number % 3 == 0 else ():
            is_whole = chance.random() < 0.5
            (folder / name).write_bytes(content if is_whole else chance.choice(BYTES)(chance, content))
        try:
            fuzz.check(folder)
        except Exception as error:
            error.add_note(
                f"batch {number} of {spoilt}: {way.__name__}, {sorted(path.name for path in folder.iterdir())}"
            )
            raise
    fuzz.check_that_no_identifier_was_kept(tmp_path / "inbox")


@pytest.mark.parametrize("spoilt", [75, pytest.param(1000, marks=pytest.mark.long)])
def test_spoilt_mappings(tmp_path: Path, spoilt: int) -> None:
    """A spoilt mapping is read or refused with a sentence that names the file."""
    mappings = sorted((DATA_FOLDER / "mappings").glob("*.toml"))
    refused = 0
    for number in range(spoilt):
        chance = random.Random(number)
        content = chance.choice(mappings).read_bytes()
        path = tmp_path / "spoilt.toml"
        path.write_bytes(spoil_mapping(chance, content))
        try:
            load_mapping(path)
        except ImportProblem as problem:
            refused += 1
            assert "spoilt.toml" in str(problem)
    assert refused > spoilt / 3


# Values of every kind that TOML has.
VALUES = tuple(
    value.encode()
    for value in (
        "1", "-1", "1.5", "nan", "true", '""', '"x"', "[]", "[1]", '["a"]', "{}", "{ a = 1 }", "2026-01-05",
        '"unknown"', '{ const = "IOP" }', "{ const = [], because = 1 }", "{ age = 1 }", "99999999999999999999",
        '"../../x.csv"', "\"select * from read_csv('/etc/passwd')\"", "'''\n'''", "{ birth_date = {}, on = [] }",
    )
)  # fmt: skip


def spoil_mapping(chance: random.Random, content: bytes) -> bytes:
    if chance.random() < 0.3:
        return chance.choice(BYTES)(chance, content)
    lines = content.splitlines(keepends=True)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(lines))
        key, equals, _ = lines[at].partition(b"=")
        deed = chance.randrange(4)
        if deed == 0:
            del lines[at]
        elif deed == 1:
            lines.insert(at, chance.choice(lines))
        elif equals:
            new_key = key if deed == 2 else chance.choice((b"x ", b'"" ', b"mode ", b"a.b ", key.strip() + b".x "))
            lines[at] = new_key + b"= " + chance.choice(VALUES) + b"\n"
    return b"".join(lines)
