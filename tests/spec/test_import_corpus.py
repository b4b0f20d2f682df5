"""The good and bad files of the import corpus: outcome, rows, and the rule of each row that is set aside.

Oracle: `expected.json` of each case in ../shared/import_corpus. The extra reasons that a case allows are allowed here.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from analytics.intake.deidentify import new_key, read_key
from analytics.intake.importer import ImportRequest, run_import
from analytics.intake.report import FileReport, ImportReport
from analytics.store.snapshot import open_current

# The cases of the first issue; the others wait for the issue that completes the rules, and are tried as well.
CASES = (
    "clean_all_files", "score_range", "dup_exact", "dup_conflict", "fk_and_window", "date_logic",
    "phi_col_name", "phi_col_ssn", "phi_value_person_id", "col_missing", "null_tokens", "enc_utf8_bom", "eol_crlf",
    "age_over_89", "attendance_values", "col_case_space", "col_unknown_harmless", "csv_blank_lines",
    "csv_embedded_newline", "csv_extra_field", "csv_unterminated_quote", "date_excel_serial", "date_mixed_dmy_mdy",
    "delim_semicolon", "enc_latin1", "episode_consistency", "followup_values", "formula",
    "id_scientific_leading_zero", "id_unicode", "overlap", "phi_col_dob", "phi_col_notes",
    "phi_value_in_unknown_col", "sql_injection", "type_gzip", "xss", "zero_rows",
)  # fmt: skip
STEPPED = ("correction_late_discharge", "reimport_same", "shrink_guard")


def import_folder(folder: Path, home: Path, expected: dict[str, Any]) -> ImportReport:
    """Import one folder of a case into a store below `home`, with a key that lies beside the store."""
    key = home / "case.key"
    if not key.exists():
        new_key(key)
    day = date.fromisoformat(expected["import_date"])
    store = home / "store"
    return run_import(
        ImportRequest(
            folder, store, "limited", read_key(key, store), data_cut=day, import_date=day,
            batch_mode=expected["config"].get("mode", "full"),
        )
    )  # fmt: skip


def check_file(expected: dict[str, Any], found: FileReport) -> None:
    """Compare one file's report with the oracle: outcome, adding up, rows, and one of the allowed rules per row."""
    assert found.outcome == expected["file_outcome"]
    if found.outcome == "rejected":
        allowed = {(item["column"], item["rule"]) for item in expected["any_of"]}
        assert {(item.column, item.rule) for item in found.rejected} & allowed
        assert found.accepted == 0
        return
    assert found.records_read == expected["records_read"]
    assert found.accepted_rows == expected["accepted_rows"]
    assert found.accepted + found.rejected_count == found.records_read
    given = {item.row: item for item in found.rejected}
    for item in expected["rejected"]:
        reason = given.pop(item["row"])
        assert any(
            reason.rule == allowed["rule"] and allowed["column"] in (None, reason.column) for allowed in item["any_of"]
        ), (item, reason)
    assert not given
    for item in expected.get("warnings", []):
        assert (item["column"], item["rule"]) in {(w.column, w.rule) for w in found.warnings}


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, shared: Path, tmp_path: Path) -> None:
    folder = shared / "import_corpus" / case
    expected = json.loads((folder / "expected.json").read_text())
    report = import_folder(folder, tmp_path, expected)
    for name, file in expected["files"].items():
        check_file(file, report.files[name])
    assert set(report.files) == set(expected["files"])
    # What must never appear stands in no message and in no byte that was written.
    written = [report.as_json(), report.as_text()]
    written += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    for secret in expected.get("must_never_appear", []):
        assert not any(secret in text for text in written)


@pytest.mark.parametrize("case", STEPPED)
def test_steps(case: str, shared: Path, tmp_path: Path) -> None:
    folder = shared / "import_corpus" / case
    expected = json.loads((folder / "expected.json").read_text())
    hashes: dict[str, str] = {}
    for step in expected["steps"]:
        report = import_folder(folder / step["dir"], tmp_path, expected)
        for name, file in step["files"].items():
            check_file(file, report.files[name])
        after = step["db_after"]
        snapshot = open_current(tmp_path / "store")
        assert snapshot.facts.counts["episode"] == after["episodes"]
        if "open_episodes" in after:
            rows = snapshot.query("select count(*) from episode where los_days is null")
            assert rows[0][0] == after["open_episodes"]
        if "content_hash" in after:
            assert hashes.setdefault(after["content_hash"], snapshot.facts.content_hash) == snapshot.facts.content_hash
        if "batch_rule" in after:
            assert (report.batch_rule, report.published) == (after["batch_rule"], False)
        snapshot.close()


def test_a_refused_file_publishes_nothing_and_the_old_snapshot_serves(shared: Path, tmp_path: Path) -> None:
    good = shared / "import_corpus" / "clean_all_files"
    bad = shared / "import_corpus" / "phi_col_name"
    first = import_folder(good, tmp_path, json.loads((good / "expected.json").read_text()))
    second = import_folder(bad, tmp_path, json.loads((bad / "expected.json").read_text()))
    assert (second.published, second.batch_rule) == (False, "FILE_REFUSED")
    assert open_current(tmp_path / "store").snapshot_id == first.snapshot_id


def test_no_source_id_and_no_date_is_in_the_store(shared: Path, tmp_path: Path) -> None:
    folder = shared / "import_corpus" / "clean_all_files"
    import_folder(folder, tmp_path, json.loads((folder / "expected.json").read_text()))
    snapshot = open_current(tmp_path / "store")
    types = {row[0] for row in snapshot.query("select data_type from information_schema.columns")}
    assert not {kind for kind in types if kind.startswith(("DATE", "TIME"))}
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for secret in (b"E001", b"P001", b"2026-01-05", b"2026-03-06"):
                assert secret not in content, path.name
