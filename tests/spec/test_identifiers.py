"""Identifiers of people in headers and values: what is found, and what is innocent."""

import json
import re
from pathlib import Path

import duckdb
import pytest

from analytics.intake.identifiers import (
    ColumnFinding,
    header_finding,
    mask,
    scan_unknown_columns,
    value_finding,
    value_finding_sql,
    value_patterns,
)
from analytics.intake.model import TABLES
from analytics.intake.readers import FileFacts, inspect, text_view

# By the letters of the 18 identifiers (45 CFR 164.514(b)(2)).
IDENTIFIERS = """
    A patient_name | Last Name | lastname | LastName | first | Patient First | program_name | surnames | guardian2
    B street | Address1 | cities | County | ZIP | zip_code | zip3 | lat | Postal Code
    C DOB | PatientDOB | d.o.b. | Date of Birth | dateofbirth | birth_year | ages | Age | deaths | intake_date
    C created_on | admitDt | timestamp
    D phone | Phone2 | cell | homePhone | mobile_number | tel
    E fax | F e-mail | Email Address | mail
    G SSN | ＳＳＮ | ssn_last4 | Social Security No | socialsecuritynumber
    H mrn | MRNs | Medical Record # | I member_id | policy no | insurance | medicaid | J account | K license_no | npi
    L vin | license plate | M device_serial
    N url | image_url | website | O IP | ip_address
    P fingerprint | voice | Q photo | face
    R id | patient_id | clientid | Chart No | uuid
"""
FREE_TEXT = ["clinical_notes", "Note", "comments", "progress note", "remark", "free_text", "freetext", "narrative"]
INNOCENT = [
    "language", "late_cancel", "telehealth_minutes", "site_colour", "extra1", "country", "state", "race",
    "ethnicity", "face_to_face_minutes", "age_group", "social_support_score", "last_attended", "first_contact_kept",
    "ip_days", "medication", "context", "notebook", "mobility", "celltype", "cityscape", "mailing", "vincent",
    "season", "percent", "unit", "session_topic", "weekday", "on", 'x"; DROP TABLE episodes; --', "column 3",
]  # fmt: skip


def listed(text: str) -> list[str]:
    return [re.sub(r"^[A-R] ", "", name.strip()) for line in text.strip().splitlines() for name in line.split(" | ")]


@pytest.mark.parametrize("header", listed(IDENTIFIERS))
def test_headers_of_identifiers(header: str) -> None:
    assert header_finding(header, ()) == "PHI_COLUMN"


@pytest.mark.parametrize("header", FREE_TEXT)
def test_headers_of_free_text(header: str) -> None:
    assert header_finding(header, ()) == "FREE_TEXT_COLUMN"


@pytest.mark.parametrize("header", INNOCENT)
def test_innocent_headers(header: str) -> None:
    assert header_finding(header, ()) is None


def test_a_column_of_the_model_is_never_an_identifier_whatever_its_case() -> None:
    for spec in TABLES:
        known = {column.name for column in spec.columns}
        assert [name for name in known if header_finding(f" {name.upper()} ", known)] == []
    assert header_finding("admit_date", {"person_id"}) == "PHI_COLUMN"  # the same name outside its file


VALUES = {
    # value: (wherever it stands, only in a column that the model does not know)
    "219-09-9999": (True, True),
    "219 09 9999": (True, True),
    "ann.lee@example.org": (True, True),
    "(503) 555-0199": (True, True),
    "503-555-0199": (True, True),
    "+1 503.555.0199": (True, True),
    "https://example.org/a": (True, True),
    "www.example.org": (True, True),
    "10.0.0.1": (True, True),
    "2001:db8:0:0:1:2:3:4": (True, True),
    "Lee, Ann": (True, True),
    "O’Brien, Séan": (True, True),
    "Dr. Smith": (True, True),
    "1984-07-13": (True, True),
    "7/13/84": (True, True),
    "seen 1984-07-13 at home": (False, True),
    "219099999": (False, True),
    "5035550199": (False, True),
    "12 Elm St": (False, True),
    "1200 north main street": (False, True),
    "1HGCM82633A004352": (False, True),
    "MRN 12345": (False, True),
    # innocent
    "P001": (False, False),
    "IOP-A": (False, False),
    "000123": (False, False),
    "2024-05-001": (False, False),
    "1.2E+10": (False, False),
    "12.5": (False, False),
    "10:30:45": (False, False),
    "blue": (False, False),
    "group, individual": (False, False),
    "6 weeks on the way": (False, False),
    "Yes": (False, False),
    "": (False, False),
}


@pytest.mark.parametrize(("value", "found"), VALUES.items())
def test_values_read_alike_in_python_and_in_sql(value: str, found: tuple[bool, bool]) -> None:
    with duckdb.connect() as connection:
        row = connection.execute(f"select {value_finding_sql('$value')}", {"value": value}).fetchone()
        matches = [
            connection.execute("select regexp_matches($1, $2)", [value, pattern]).fetchone() == (True,)
            for pattern in value_patterns.values()
        ]
    assert value_finding(value) is found[0]
    assert row == (found[0],)
    assert any(matches) is found[1]
    assert matches == [re.search(pattern, value) is not None for pattern in value_patterns.values()]


def scan(folder: Path, column: str, values: list[str]) -> list[ColumnFinding]:
    path = folder / "scores.csv"
    path.write_text(f"id,{column}\n" + "".join(f'1,"{value}"\n' for value in values))
    facts = inspect(path)
    assert isinstance(facts, FileFacts)
    with duckdb.connect() as connection:
        text_view(connection, "file", facts, [column])
        return scan_unknown_columns(connection, "file", [column])


SCANS = {
    # name: (values of a column that the model does not know, finding)
    "one number of social security among a thousand": (["blue"] * 999 + ["219-09-9999"], "PHI_VALUE"),
    "ZIP codes": (["97201", "97202-1234", "97203", ""], "PHI_VALUE"),
    "one number of five digits": (["12", "97201", "7", "1500"], None),
    "sentences": (["Pt reports seeing brother Tom", "doing well today, no change", ""], "FREE_TEXT_COLUMN"),
    "three words": (["did not attend", "came too late"], None),
    "codes": (["blue", "green", "", "blue"], None),
    "nothing": (["", ""], None),
    "a code for each row": (["q7-x", "q8-x", "q9-x", "q1-x", "q2-x"], "UNIQUE_CODES"),
    "a code for nine rows of ten": ([f"q{n}-x" for n in range(9)] + ["q0-x"], None),
    "a number for each row": (["7.5", "8", "9", "11", "12"], None),
    "too few rows to tell": (["q7-x", "q8-x", "q9-x", "q1-x"], None),
}


@pytest.mark.parametrize(("values", "rule"), SCANS.values(), ids=SCANS)
def test_unknown_columns_are_looked_through(tmp_path: Path, values: list[str], rule: str | None) -> None:
    assert [finding.rule for finding in scan(tmp_path, "extra", values)] == ([] if rule is None else [rule])


def test_a_finding_names_the_column_and_the_kind_and_never_the_value(tmp_path: Path) -> None:
    assert scan(tmp_path, "extra", ["blue", "ann.lee@example.org"]) == [ColumnFinding("extra", "PHI_VALUE", "e-mail")]


def test_no_column_is_no_finding() -> None:
    with duckdb.connect() as connection:
        assert scan_unknown_columns(connection, "there_is_no_view", []) == []


def test_a_mask_keeps_the_first_character_and_the_length() -> None:
    assert mask("=cmd()") == "=… (6 characters)"
    assert mask("") == "… (0 characters)"


@pytest.mark.parametrize("case", ["phi_col_dob", "phi_col_name", "phi_col_notes", "phi_col_ssn"])
def test_identifier_columns_of_the_corpus(shared: Path, case: str) -> None:
    # Oracle: expected.json of the case.
    folder = shared / "import_corpus" / case
    allowed = json.loads((folder / "expected.json").read_text())["files"]["episodes.csv"]["any_of"]
    facts = inspect(folder / "episodes.csv")
    assert isinstance(facts, FileFacts)
    known = {column.name for spec in TABLES for column in spec.columns}
    found = [{"rule": rule, "column": name} for name in facts.header if (rule := header_finding(name, known))]
    assert len(found) == 1 and found[0] in allowed
