"""The good and bad files of the import corpus, each imported once: what is right about it, and what it left behind.

Oracle: `expected.json` of each case in ../shared/import_corpus. The extra reasons that a case allows are allowed here.
Requirements SEC-1 to SEC-6, SEC-50, SEC-57 of ../shared/privacy.md.
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from analytics.measures.types import Cohort
from analytics.session import Session, local_viewer
from analytics.settings import PROJECT_ROOT
from analytics.store.snapshot import open_current
from tests.spec.corpus_run import (
    KEY,
    Case,
    Step,
    arguments,
    cases,
    cells,
    imported,
    raw_rows,
    stored_rows,
    texts,
    where,
)

Imported = Callable[[str], Case]


Row = dict[str, Any]

# The fixture that names a case -> what its oracle must say for the case to be one of them.
CHOSEN = {"name": "files", "secretive": "must_never_appear", "limited": "limits"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The cases are those of the folder, whichever it has; without the folder the fixture `shared` says so."""
    for fixture, key in CHOSEN.items():
        if fixture in metafunc.fixturenames:
            found = cases(PROJECT_ROOT.parent / "shared", key)
            metafunc.parametrize(fixture, found or ["none"])


@pytest.fixture(scope="module")
def corpus(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """Import a case when it is first asked for, and remember it."""
    home = tmp_path_factory.mktemp("corpus")
    known: dict[str, Case] = {}

    def one(name: str) -> Case:
        if name not in known:
            known[name] = imported(shared / "import_corpus" / name, home / name)
        return known[name]

    return one


def rules(found: dict[str, Any], row: int | None) -> set[tuple[str | None, str]]:
    return {(item["column"], item["rule"]) for item in found["rejected"] if item["row"] == row}


def allowed(item: dict[str, Any], given: set[tuple[str | None, str]]) -> bool:
    """Return whether one of the given pairs is right; without a column any column is."""
    return any(
        rule == right["rule"] and right["column"] in (None, column)
        for right in item["any_of"]
        for column, rule in given
    )


def check_file(expected: dict[str, Any], found: dict[str, Any], also_right: str) -> None:
    """Compare one file's report with the oracle: outcome, adding up, rows, and one of the allowed rules per row."""
    if found["outcome"] == "rejected" != expected["file_outcome"]:
        assert rules(found, None) and all(rule in also_right for _, rule in rules(found, None)), found
        return
    assert found["outcome"] == expected["file_outcome"]
    if found["outcome"] == "rejected":
        assert allowed(expected, rules(found, None)), found
        assert not found["accepted_rows"]
        return
    assert found["records_read"] == expected["records_read"]
    assert found["accepted_rows"] == expected["accepted_rows"]
    assert len(found["accepted_rows"]) + len(found["rejected"]) == found["records_read"]
    assert sorted(item["row"] for item in found["rejected"]) == [item["row"] for item in expected["rejected"]]
    for item in expected["rejected"]:
        assert allowed(item, rules(found, item["row"])), (item, found)
    given = {(item["column"], item["rule"]) for item in found["warnings"]}
    assert {(item["column"], item["rule"]) for item in expected.get("warnings", [])} <= given


def check_normalized(case: Case, step: Step, file: str, rows: dict[str, Row]) -> None:
    """Each canonical value of the oracle is what is stored, ids through their pseudonyms, dates through the anchors."""
    by = "person_id" if file == "readmissions.csv" else "episode_id"
    for number, values in rows.items():
        raw = raw_rows(step.folder / file)[int(number) - 1]
        written = next(value for name, value in raw.items() if name.strip().lower() == by)
        found = stored_rows(case, file, values.get(by, written.strip()))
        plain = {name: str(value).lower() for name, value in values.items()}
        assert any(
            all(str(row[name]).lower() in (value, f"{value}.0") for name, value in plain.items()) for row in found
        ), (values, found)


def test_a_case_has_the_outcome_rows_rules_and_values_of_its_oracle(name: str, corpus: Imported) -> None:
    case = corpus(name)
    same_content: dict[str, str] = {}
    for step in case.steps:
        files = step.expected["files"]
        for file, expected in files.items():
            check_file(expected, step.report["files"][file], case.expected.get("also_right", ""))
            check_normalized(case, step, file, expected.get("normalized", {}))
        assert set(step.report["files"]) == set(files)
        assert step.exit_code == (0 if step.report["published"] else 1)
        assert step.report["published"] or step.report["batch_rule"]
        assert "Traceback" not in step.printed
        after = step.expected.get("db_after", {})
        facts = step.serving
        assert facts is not None or not after
        if facts is not None and "episodes" in after:
            assert facts.counts["episode"] == after["episodes"]
        if facts is not None and "content_hash" in after:
            assert same_content.setdefault(after["content_hash"], facts.content_hash) == facts.content_hash
        if "batch_rule" in after:
            assert (step.report["batch_rule"], step.report["published"]) == (after["batch_rule"], False)
        unknown = set(after) - {"episodes", "open_episodes", "content_hash", "batch_rule"}
        assert not unknown, f"the oracle says something that no test looks at: {unknown}"
    if "open_episodes" in after:
        snapshot = open_current(case.store)
        assert snapshot.query("select count(*) from episode where los_days is null") == [(after["open_episodes"],)]
        snapshot.close()


def test_a_case_leaves_nothing_that_must_never_appear(secretive: str, corpus: Imported) -> None:
    case = corpus(secretive)
    for secret in case.expected["must_never_appear"]:
        assert where(secret, case.files()) == []


DAY = re.compile(r"\b(?:19|20)\d\d-\d\d-\d\d")
EXAMPLES = DAY.findall((PROJECT_ROOT / "analytics" / "texts" / "rules.toml").read_text("utf-8"))


def source_values(case: Case, column_ends: tuple[str, ...]) -> set[str]:
    """The values of some columns in all raw files of a case that can be read."""
    found = set()
    for step in case.steps:
        for path in step.folder.glob("*.csv"):
            if path.stat().st_size > 10**6:
                continue
            try:
                rows = raw_rows(path)
            except ValueError:
                continue  # not UTF-8
            for row in rows:
                for name, value in row.items():
                    if isinstance(name, str) and isinstance(value, str) and name.strip().lower().endswith(column_ends):
                        found.add(value.strip())
    return found - {""}


# A word for "no value" is an id only in a file that is wrong, and stands in SQL and JSON anyway.
NO_IDS = {"NULL", "null", "None", "#N/A"}


def test_a_case_leaves_no_source_id_no_day_and_no_key(name: str, corpus: Imported) -> None:
    case = corpus(name)
    day = case.expected["import_date"]
    # As whole words, and none so short that it stands in any file by chance.
    ids = {value for value in source_values(case, ("episode_id", "person_id")) if len(value) >= 4} - NO_IDS
    days = {value for value in source_values(case, ("_date", "_on")) if len(value) >= 8} - {day}
    key = (KEY, KEY.hex().encode(), base64.b64encode(KEY).rstrip(b"="), base64.urlsafe_b64encode(KEY).rstrip(b"="))
    for path in case.files():
        text = "\n".join(texts(path))
        for value in ids | days:
            assert not re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text), path.name
        # In the limited mode the data cut may be printed; it is the day of the import here. No other day but those
        # that the advice itself has as examples.
        assert set(DAY.findall(text)) <= {day, *EXAMPLES}, path.name
        assert not any(form in path.read_bytes() for form in key), path.name


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_what_an_import_writes_is_for_its_owner_only(corpus: Imported) -> None:
    case = corpus("clean_all_files")
    modes = {path.relative_to(case.home): stat.S_IMODE(path.stat().st_mode) for path in case.store.rglob("*")}
    modes |= {path.relative_to(case.home): stat.S_IMODE(path.stat().st_mode) for path in case.home.glob("report-*")}
    folders = {Path("store/batches"), *(path.relative_to(case.home) for path in (case.store / "batches").iterdir())}
    assert len(modes) > 15
    assert modes == {path: 0o700 if path in folders else 0o600 for path in modes}
    assert stat.S_IMODE(case.store.stat().st_mode) == 0o700


# Limits of time and memory


class Spent:
    """What a process cost: seconds, and the largest resident memory in MB."""

    def __init__(self, command: list[str]) -> None:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds = time.monotonic() - started
        self.megabytes = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        self.exit_code = process.returncode


@pytest.mark.skipif(os.name == "nt", reason="Windows does not say what a process has used")
def test_a_case_keeps_its_limits(limited: str, shared: Path, corpus: Imported, tmp_path: Path) -> None:
    case = corpus(limited)
    limits = case.expected["limits"]
    command = [sys.executable, "-m", "analytics"]
    # The command line itself costs something; what the file adds is what counts.
    empty = json.loads((shared / "import_corpus" / "zero_rows" / "expected.json").read_text("utf-8"))
    usual = Spent([*command, *arguments(empty, shared / "import_corpus" / "zero_rows", tmp_path / "usual")])
    spent = Spent([*command, *arguments(case.expected, case.steps[0].folder, tmp_path / "case")])
    assert usual.exit_code == spent.exit_code == 1
    assert spent.seconds - usual.seconds < limits["seconds"]
    assert spent.megabytes - usual.megabytes < limits["extra_rss_mb"]
    assert set(limits) == {"seconds", "extra_rss_mb"}


# The clean files in every privacy mode


@pytest.mark.parametrize(
    ("privacy", "label"),
    [
        ("limited", r"\d{4}-\d{2}"),
        ("synthetic", r"\d{4}-\d{2}"),
        ("expert", r"\d{4}-Q[1-4]"),
        ("safe_harbor", r"\d{4}"),
    ],
)
def test_no_day_finer_than_the_label_is_in_what_a_mode_leaves(
    privacy: str, label: str, shared: Path, tmp_path: Path
) -> None:
    """Not as a date, and not as a number of days since 2000, 1970, the year 1 or 1900 (as spreadsheets count)."""
    case = imported(shared / "import_corpus" / "clean_all_files", tmp_path / "case", privacy)
    session = Session(case.store)
    view = session.view(local_viewer(), "explore")
    view.download(view.result(view.measure("completion"), Cohort()))
    days = [date.fromisoformat(day) for day in source_values(case, ("_date", "_on"))]
    assert len(days) > 8 and session.log_path in case.files()
    numbers = {
        str((day - since).days)
        for day in days
        for since in (date(2000, 1, 1), date(1970, 1, 1), date(1, 1, 1), date(1899, 12, 30))
    }
    exact = {case.expected["import_date"]} if privacy in ("limited", "synthetic") else set()
    labels = set()
    for path in case.files():
        text = "\n".join(texts(path))
        # The log says when somebody downloaded, and the receipt beside the key which day was the cut.
        own = {date.today().isoformat()} if path == session.log_path else set()
        own |= {case.expected["import_date"]} if path.name.endswith(".receipts.jsonl") else set()
        assert set(DAY.findall(text)) <= exact | own, path.name
        assert not re.search(r"\b\d{1,2}[/.]\d{1,2}[/.](?:19|20)\d\d\b", text), path.name
        found = list(cells(path))
        assert not numbers & set(found), path.name
        labels |= {cell for cell in found if re.fullmatch(r"20\d\d(?:-.*)?", cell)}
    assert labels and all(re.fullmatch(label, each) for each in labels)
    types = {row[0] for row in open_current(case.store).query("select data_type from information_schema.columns")}
    assert types and not {kind for kind in types if kind.startswith(("DATE", "TIME", "INTERVAL"))}


def test_a_refused_file_publishes_nothing_and_the_old_snapshot_serves(
    corpus: Imported, shared: Path, tmp_path: Path
) -> None:
    good = imported(shared / "import_corpus" / "clean_all_files", tmp_path / "home")
    bad = imported(shared / "import_corpus" / "phi_col_name", tmp_path / "home")
    (after,) = bad.steps
    assert (after.report["published"], after.report["batch_rule"], after.exit_code) == (False, "FILE_REFUSED", 1)
    assert open_current(bad.store).snapshot_id == good.steps[0].report["snapshot_id"]
