"""The import report as text: enough to mend a file with nothing else to read."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import pytest

from analytics.demo import write_raw
from analytics.intake.deidentify import new_key, read_key
from analytics.intake.importer import ImportRequest, run_import
from analytics.intake.report import FileReport, ImportReport, Rejection, RuleCount
from analytics.intake.report_text import WIDTH, rows_words

Rows = list[dict[str, str]]


def read(path: Path) -> tuple[list[str], Rows]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter=";" if ";" in path.read_text(encoding="utf-8") else ",")
        return list(reader.fieldnames or ()), list(reader)


def write(path: Path, columns: list[str], rows: Rows, delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the clinic's own system knows: a demo export in which nothing has been spoiled."""
    folder = tmp_path_factory.mktemp("system")
    write_raw(folder, 20, 5)
    return folder


def spoil(system: Path, folder: Path) -> None:
    """Write an export in which a person has made the mistakes that people make."""
    tables = {path.name: read(path) for path in system.glob("*.csv")}
    episodes, attendance = tables["episodes.csv"][1], tables["attendance.csv"][1]
    for row in episodes[::7]:
        row["modality"] = "Zoom"
    episodes[1]["planned_weeks"] = "99"
    episodes[2]["gender"] = ""
    episodes[4]["age_band"] = "93"
    episodes[5]["admit_date"] = "13/01/2026"
    episodes[6]["person_id"] = "Smith, John"
    for row in attendance:
        if row["status"] == "attended":
            row["status"] = "came"
    tables["scores.csv"][0].remove("total")
    tables["readmissions.csv"][0].append("patient_name")
    for row in tables["readmissions.csv"][1]:
        row["patient_name"] = "Ann Lee"
    for name, (columns, rows) in tables.items():
        write(folder / name, columns, rows, ";" if name == "followups.csv" else ",")


def numbers_in(told: str) -> list[int]:
    """Row numbers of "rows 3, 17, 1,204 and 1,211 more"."""
    return [int(text.replace(",", "")) for text in re.findall(r"\d[\d,]*\d|\d", re.sub(r"and \S+ more", "", told))]


class Mender:
    """A person who has the report, the spoiled files, and the clinic's system to look things up in."""

    def __init__(self, folder: Path, system: Path) -> None:
        self._folder, self._system = folder, system

    def mend(self, text: str) -> None:
        """Do what the report says; nothing else of the import is looked at."""
        flat = re.sub(r"\n {6,}(?! *→)", " ", text)
        for file in re.findall(r"columns of (\S+) are separated by semicolons, not by commas", flat):
            write(self._folder / file, *read(self._folder / file))
        for file, column in re.findall(r"(\S+): By its name the column identifies people.*Column: (\w+)", flat):
            columns, rows = read(self._folder / file)
            write(self._folder / file, [name for name in columns if name != column], rows)
        for file, column in re.findall(
            r"(\S+): A column that every file of this kind has is missing\S* \S+ (\w+):", flat
        ):
            columns, rows = read(self._folder / file)
            for row, known in zip(rows, read(self._system / file)[1], strict=True):
                row[column] = known[column]
            write(self._folder / file, [*columns, column], rows)
        for file, column, told in re.findall(r"- (\S+\.csv), (\w+): [\d,]+ rows? \((rows? [^)]+)\)", flat):
            self._replace(file, column, numbers_in(told))

    def _replace(self, file: str, column: str, numbers: list[int]) -> None:
        """Look up what a row should say, and replace the same word in the whole column."""
        columns, rows = read(self._folder / file)
        known = read(self._system / file)[1]
        for number in numbers:
            wrong = rows[number - 1][column]
            for row, right in zip(rows, known, strict=True):
                if row[column] == wrong:
                    row[column] = right[column]
        write(self._folder / file, columns, rows)


def load(folder: Path, home: Path) -> ImportReport:
    key = home / "mender.key"
    if not key.exists():
        new_key(key)
    store = home / "store"
    return run_import(
        ImportRequest(folder, store, "synthetic", read_key(key, store), date(2026, 9, 30), date(2026, 9, 30))
    )


def test_a_reader_mends_a_spoiled_export_from_the_report_alone(system: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    spoil(system, inbox)
    mender = Mender(inbox, system)
    rounds, before = 0, -1
    while True:
        report = load(inbox, tmp_path)
        accepted = sum(file.accepted for file in report.files.values())
        if accepted == before:
            break
        text = report.as_text()
        if rounds == 0:
            check_first_text(text)
        before, rounds = accepted, rounds + 1
        mender.mend(text)
    (tmp_path / "other").mkdir()
    whole = load(system, tmp_path / "other")
    assert report.published
    assert rounds <= 4
    assert {name: file.accepted for name, file in report.files.items()} == {
        name: file.accepted for name, file in whole.files.items()
    }


def check_first_text(text: str) -> None:
    """The groups stand in the order of their rows, after what was refused, and no value is repeated."""
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert not [value for value in ("Smith", "Ann Lee", "Zoom", "came", "13/01") if value in text]
    heads = [numbers_in(rows)[0] for rows in re.findall(r"^\d+\. .*: ([\d,]+) rows?$", text, re.MULTILINE)]
    assert len(heads) >= 5
    assert heads == sorted(heads, reverse=True)
    assert text.index("NOTHING WAS PUBLISHED") < text.index("mend these first") < text.index("1. ")
    assert "it takes: in_person, hybrid, telehealth" in " ".join(text.split())


@pytest.mark.parametrize(
    ("first", "rows", "said"),
    [
        ((3,), 1, "row 3"),
        ((3, 17), 2, "rows 3 and 17"),
        ((3, 17, 204), 3, "rows 3, 17 and 204"),
        ((3, 17, 204), 1214, "rows 3, 17, 204 and 1,211 more"),
        ((1_000, 2_000, 3_000), 4, "rows 1,000, 2,000, 3,000 and 1 more"),
    ],
)
def test_rows_are_named_and_the_rest_counted(first: tuple[int, ...], rows: int, said: str) -> None:
    assert rows_words(first, rows) == said


def test_rows_of_a_refused_stay_file_are_not_all_told_to_be_mended() -> None:
    episodes = FileReport(records_read=2)
    episodes.refuse("MISSING_COLUMN", "gender")
    scores = FileReport(records_read=9, rejected_count=9, counts=[RuleCount("episode_id", "FK_MISSING", 9, (1, 2, 3))])
    report = ImportReport(batch_rule="FILE_REFUSED", files={"episodes.csv": episodes, "scores.csv": scores})
    text = report.as_text()
    assert "9 rows of other files wait for episodes.csv, which was refused." in text
    assert "FK_MISSING" not in text
    assert "gender: female, male, nonbinary, other, unknown" in text


def test_warnings_and_what_was_left_out_come_after_what_is_to_mend() -> None:
    scores = FileReport(
        records_read=3, accepted=2, rejected_count=1, counts=[RuleCount("total", "SCORE_RANGE", 1, (2,))],
        warnings=[Rejection(None, "ward", "UNKNOWN_COLUMN"), Rejection(None, "bed", "UNKNOWN_COLUMN")],
    )  # fmt: skip
    report = ImportReport(files={"scores.csv": scores}, left_out={"raw.csv: tests of staff": 1}, mapped=True)
    text = report.as_text()
    order = ["1. Mend the numbers: 1 row", "1 of raw.csv: tests of staff", "- scores.csv, ward, bed"]
    assert sorted(order, key=text.index) == order
    assert "Rows are those of the raw file that the mapping names" in text
