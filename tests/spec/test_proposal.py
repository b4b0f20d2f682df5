"""`python -m analytics map`: a foreign export becomes a mapping, and no value is shown but codes."""

import csv
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from foreign_export import write_foreign
from raw_files import CUT, Files, Provider, made_up, write_files

from analytics.__main__ import main
from analytics.errors import ImportProblem
from analytics.intake.importer import ImportRequest, run_import
from analytics.intake.mapping import load_mapping
from analytics.intake.proposal import Proposal, propose
from analytics.intake.proposal.printed import WIDTH, proposal_text
from analytics.intake.proposal.showing import ROWS_TO_SHOW

# Nobody is called so; none of these may be printed or saved.
CANARIES = {
    "Client Name": "Zorblatt, Quennell",
    "Last": "Quibblethorn",
    "Phone": "555-867-5309",
    "Counselor": "Vexmoor",
    "Größe": "17 Grüffelweg",
}


@pytest.fixture(scope="module")
def files() -> Files:
    return made_up(3, 60)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory, files: Files) -> Path:
    return write_foreign(tmp_path_factory.mktemp("foreign") / "export", files, more=CANARIES)


@pytest.fixture(scope="module")
def proposal(export: Path) -> Proposal:
    return look_at(export)


def look_at(folder: Path, date_format: str | None = None) -> Proposal:
    return propose(folder, CUT, CUT, date_format)


def everything(proposal: Proposal) -> str:
    return proposal_text(proposal, None) + proposal.toml


def write(folder: Path, name: str, header: str, *rows: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


# The oracle: the same people in another shape give the same data


def test_a_foreign_export_through_its_proposal_has_the_content_of_the_canonical_files(
    tmp_path: Path, files: Files, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "clinic.toml"
    assert main(["map", str(export), "--save", str(saved)]) == 0
    provider = Provider(tmp_path / "provider")
    canonical = provider.load(files)
    again = run_import(
        ImportRequest(
            export, tmp_path / "other", "limited", provider.key, CUT, CUT, load_mapping(saved)
        )
    )  # fmt: skip
    assert again.published and again.snapshot_id == canonical.snapshot_id
    assert {name: file.rejected_count for name, file in again.files.items()} == dict.fromkeys(again.files, 0)
    printed = capsys.readouterr().out
    for canary in CANARIES.values():
        assert canary not in printed + saved.read_text(encoding="utf-8")
    assert "What you must still decide" not in printed


def test_a_saved_mapping_is_never_overwritten(tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "clinic.toml"
    saved.write_text("# corrected by hand\n")
    assert main(["map", str(tmp_path), "--save", str(saved)]) == 2
    assert "clinic.toml exists already" in capsys.readouterr().err
    assert saved.read_text() == "# corrected by hand\n"


def test_nothing_is_wider_than_a_terminal(proposal: Proposal) -> None:
    assert [line for line in proposal_text(proposal, "clinic.toml").splitlines() if len(line) > WIDTH] == []


def test_columns_that_are_not_read_are_listed_with_their_rule(proposal: Proposal) -> None:
    dropped = {column: rule for _, column, rule in proposal.dropped}
    assert dropped["Client Name"] == dropped["Last"] == dropped["Phone"] == "PHI_COLUMN"
    assert "Client Admissions.csv: Phone (PHI_COLUMN)" in proposal.toml


# Days


def early_days(files: Files) -> Files:
    """The stays alone, on days of which neither number is above 12."""
    rows = [
        row | {"admit_date": date(2025, 1 + number % 12, 1 + number % 11), "referral_date": None,
               "discharge_date": None, "discharge_reason": None}
        for number, row in enumerate(files["episodes"])
    ]  # fmt: skip
    return {"episodes": rows}


def test_day_and_month_that_cannot_be_told_apart_are_left_to_a_person(tmp_path: Path, files: Files) -> None:
    foreign = write_foreign(tmp_path / "export", early_days(files))
    proposal = look_at(foreign)
    assert sorted(proposal.dates.formats) == ["%d/%m/%Y", "%m/%d/%Y"] and proposal.dates.sure == "please check"
    assert "\n# date_format" in proposal.toml and "\ndate_format" not in proposal.toml
    assert sorted(proposal.trials) == ["%d/%m/%Y", "%m/%d/%Y"]
    assert "MM/DD/YYYY or DD/MM/YYYY" in everything(proposal) or "DD/MM/YYYY or MM/DD/YYYY" in everything(proposal)
    assert '\ndate_format = "DD/MM/YYYY"' in look_at(foreign, "%d/%m/%Y").toml


@pytest.mark.parametrize(
    ("days", "word"), [("%d.%m.%Y", "DD.MM.YYYY"), ("%d-%b-%Y", "%d-%b-%Y"), ("%Y%m%d", "YYYYMMDD")]
)
def test_the_way_days_are_written_is_found(tmp_path: Path, files: Files, days: str, word: str) -> None:
    proposal = look_at(write_foreign(tmp_path / "export", {"episodes": files["episodes"]}, days=days))
    assert f'\ndate_format = "{word}"' in proposal.toml
    assert proposal.trials[days]["episodes.csv"].accepted == 60


# Codes: shown when they must be, masked when they might be a person


def test_a_rare_unknown_value_is_masked_and_a_frequent_code_is_shown(tmp_path: Path) -> None:
    rows = [f"E{n},P{n},N,2026-01-05,2026-02-05,{reason}" for n, reason in enumerate(
        ["GRADX"] * ROWS_TO_SHOW + ["Vexmoor"] * (ROWS_TO_SHOW - 1) + ["AMA"] * 2
    )]  # fmt: skip
    write(tmp_path, "stays.csv", "episode_id,person_id,program_id,admit_date,discharge_date,dc_reason", *rows)
    proposal = look_at(tmp_path)
    text = everything(proposal)
    assert '# "GRADX" = ""' in proposal.toml  # 11 rows: a person must be able to translate it
    assert "Vexmoor" not in text and "V… (7 characters)" in text  # 10 rows: it could be a name
    assert '"AMA" = "left_against_advice"' in proposal.toml  # 2 rows, but a word of the vocabulary
    counted = proposal.trials["%Y-%m-%d"]["episodes.csv"]
    assert (counted.read, counted.accepted) == (23, 2)
    assert counted.set_aside == {("BAD_ENUM", "discharge_reason"): 21}


def test_a_column_in_which_one_value_looks_like_an_identifier_shows_none(tmp_path: Path) -> None:
    rows = [f"E{n},P{n},N,2026-01-05,{'555-867-5309' if n == 0 else 'GRADX'}" for n in range(40)]
    write(tmp_path, "stays.csv", "episode_id,person_id,program_id,admit_date,gender", *rows)
    text = everything(look_at(tmp_path))
    assert "GRADX" not in text and "867" not in text


def test_words_that_mean_two_things_are_asked_for(tmp_path: Path) -> None:
    rows = [f"E{n},P{n},N,2026-01-05,2026-02-05,{'graduated' if n % 2 else 'Not completed'}" for n in range(40)]
    write(tmp_path, "stays.csv", "episode_id,person_id,program_id,admit_date,discharge_date,dc_reason", *rows)
    toml = look_at(tmp_path).toml
    assert '# "graduated" = ""   # please check: 20 rows; completed or transferred_lower' in toml
    assert '# "Not completed" = ""' in toml  # holds the word, and its contrary


def test_national_numbers_are_proposed_only_when_all_values_are_such_numbers(tmp_path: Path) -> None:
    header = "episode_id,person_id,program_id,admit_date,discharge_date,REASON"
    rows = [f"E{n},P{n},N,2026-01-05,2026-02-05,{1 + n % 7}" for n in range(84)]
    write(tmp_path, "stays.csv", header, *rows)
    toml = look_at(tmp_path).toml
    assert '\n"1" = "completed"   # please check: 12 rows' in toml
    assert '\n# "2" = ""   # please check: 12 rows; left_against_advice or lost_contact' in toml
    write(tmp_path, "stays.csv", header, *(row.replace(",7", ",9") for row in rows))
    assert '\n"1" = "completed"' not in look_at(tmp_path).toml


def test_an_optional_column_that_cannot_be_read_costs_no_row(tmp_path: Path) -> None:
    rows = [f"E{n},P{n},N,2026-01-05,{('GRADX', 'GRADY')[n % 2]}" for n in range(40)]
    write(tmp_path, "stays.csv", "episode_id,person_id,program_id,admit_date,payer", *rows)
    proposal = look_at(tmp_path)
    assert 'payer_group = "unknown"   # please check: a known name; none of the values are known words' in proposal.toml
    assert '# "GRADX" = ""   # please check: 20 rows; one of commercial' in proposal.toml
    assert proposal.trials["%Y-%m-%d"]["episodes.csv"].accepted == 40


# What is missing


def test_a_missing_program_is_asked_for_and_all_else_is_counted(tmp_path: Path) -> None:
    write(tmp_path, "clients.csv", "client_id,intake_date,end_date,end_reason", "a1,2026-01-05,,", "a2,2026-01-06,,")
    proposal = look_at(tmp_path)
    assert [column.name for column in proposal.tables[0].missing] == ["program_id"]
    assert '# program_id = { const = "main"' in proposal.toml
    assert 'gender = "unknown"' in proposal.toml
    assert 'episode_id = "client_id"   # please check' in proposal.toml  # every person has one row
    assert proposal.trials["%Y-%m-%d"]["episodes.csv"].accepted == 2


def test_people_with_several_stays_and_no_id_of_a_stay_are_not_guessed(tmp_path: Path) -> None:
    rows = ["a1,N,2026-01-05", "a1,N,2026-03-05", "a2,N,2026-01-06"]
    write(tmp_path, "clients.csv", "client_id,program,intake_date", *rows)
    proposal = look_at(tmp_path)
    assert [column.name for column in proposal.tables[0].missing] == ["episode_id"]
    assert proposal.toml == "" and "nothing in it names the stay" in proposal_text(proposal, None)


def test_a_questionnaire_is_known_from_the_header_of_its_total(tmp_path: Path) -> None:
    write(tmp_path, "stays.csv", "episode_id,person_id,program_id,admit_date", "E1,P1,N,2026-01-05")
    write(tmp_path, "outcomes.csv", "episode_id,date,PHQ9_Total_Score", "E1,2026-01-05,12", "E1,2026-02-02,7")
    proposal = look_at(tmp_path)
    assert 'instrument = { const = "phq9", because = "the column PHQ9_Total_Score" }   # please check' in proposal.toml
    assert proposal.trials["%Y-%m-%d"]["scores.csv"].accepted == 2


def test_ages_and_days_of_birth_become_age_bands(tmp_path: Path) -> None:
    write(tmp_path, "stays.csv", "episode_id,person_id,program_id,admit_date,DOB", "E1,P1,N,2026-01-05,1990-03-02")
    proposal = look_at(tmp_path)
    assert 'age_band = { birth_date = "dob", on = "admit_date" }' in proposal.toml
    assert "1990" not in everything(proposal)
    assert proposal.trials["%Y-%m-%d"]["episodes.csv"].accepted == 1


def test_a_file_without_a_header_shows_nothing_of_its_first_line(tmp_path: Path) -> None:
    write(tmp_path, "stays.csv", "E1,Quibblethorn,N,2026-01-05", "E2,Vexmoor,N,2026-01-06")
    with pytest.raises(ImportProblem, match="header line") as problem:
        look_at(tmp_path)
    assert "Quibblethorn" not in str(problem.value)


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match="no file in the folder"):
        look_at(tmp_path)


# Real exports that are no clinic's: something sensible, and no crash


def test_encounters_of_synthea_are_stays(shared: Path) -> None:
    proposal = look_at(shared / "real" / "synthea_csv")
    assert {table.spec.table: table.file.name for table in proposal.tables} == {
        "episodes": "encounters.csv",
        "scores": "observations.csv",
    }
    with (shared / "real" / "synthea_csv" / "patients.csv").open(encoding="utf-8") as file:
        people = list(csv.DictReader(file))
    for person in people:
        for secret in ("Id", "LAST", "FIRST", "SSN", "ADDRESS", "BIRTHDATE"):
            assert person[secret] not in everything(proposal)


def test_wide_files_and_study_days_are_pointed_at(shared: Path) -> None:
    weekly = proposal_text(look_at(shared / "real" / "weekly_scores"), None)
    assert "It is wide: bdi_s… (13 columns), rq_s… (13 columns)." in weekly
    trial = proposal_text(look_at(shared / "real" / "ctn0027"), None)
    assert "study days" in trial and "No file looks like the list of stays" in trial


def test_canonical_files_need_no_mapping(tmp_path: Path, files: Files) -> None:
    folder = write_files(tmp_path / "canonical", files)
    assert "can be imported without a mapping" in proposal_text(look_at(folder), None)
    (folder / "scores.csv").rename(folder / "phq.csv")
    assert "without a mapping" not in proposal_text(look_at(folder), None)


# Formats: sheets, Parquet, times of day, several ways of writing days, totals side by side

STAYS = ["E1,P1,NORTH,03/31/2026", "E2,P2,NORTH,03/30/2026"]
STAYS_HEAD = "episode_id,person_id,program_id,admit_date"


def test_sheets_of_a_workbook_are_files(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "export.xlsx")) as book:
        day = book.add_format({"num_format": "m/d/yyyy"})
        stays = book.add_worksheet("Client Admissions")
        stays.write_row(0, 0, ["Admission No", "MRN", "Program", "Adm Dt"])
        stays.write_row(1, 0, ["E1", "P1", "NORTH"])
        stays.write_datetime(1, 3, date(2026, 3, 31), day)
        scores = book.add_worksheet("Scores")
        scores.write_row(0, 0, ["Admission No", "Tool", "Date Given", "Total"])
        scores.write_row(1, 0, ["E1", "PHQ-9"])
        scores.write_datetime(1, 2, date(2026, 4, 1), day)
        scores.write_number(1, 3, 17)
    proposal = look_at(tmp_path)
    assert 'file = "export.xlsx"   # sure\nsheet = "Client Admissions"' in proposal.toml
    (counted,) = proposal.trials.values()
    assert {name: count.accepted for name, count in counted.items()} == {"episodes.csv": 1, "scores.csv": 1}


def test_parquet_is_read(tmp_path: Path) -> None:
    table = pa.table({"stay": ["E1"], "client": ["P1"], "program": ["N"], "admitted": [date(2026, 3, 31)]})
    pq.write_table(table, tmp_path / "stays.parquet")
    proposal = look_at(tmp_path)
    assert 'file = "stays.parquet"' in proposal.toml
    assert [counts["episodes.csv"].accepted for counts in proposal.trials.values()] == [1]


def test_a_file_with_another_way_of_writing_days_gets_its_own_format(tmp_path: Path) -> None:
    write(tmp_path, "stays.csv", STAYS_HEAD, *STAYS)
    write(tmp_path, "scores.csv", "episode_id,instrument,assessed_on,total", "E1,PHQ-9,30.04.2026,3")
    proposal = look_at(tmp_path)
    assert 'date_format = "MM/DD/YYYY"' in proposal.toml
    assert '[scores.date_formats]\nassessed_on = "DD.MM.YYYY"' in proposal.toml
    assert proposal.trials["%m/%d/%Y"]["scores.csv"].accepted == 1


@pytest.mark.parametrize("day", ["2026-03-31 14:30:00", "03/31/2026 2:30 PM"])
def test_times_of_day_ask_for_the_time_zone(tmp_path: Path, day: str) -> None:
    write(tmp_path, "stays.csv", STAYS_HEAD, f"E1,P1,NORTH,{day}")
    proposal = look_at(tmp_path)
    assert '\n# timezone = "America/New_York"' in proposal.toml
    assert "Days hold a time of day." in proposal_text(proposal, None)
    (counted,) = proposal.trials.values()
    assert counted["episodes.csv"].accepted == 1


def test_totals_side_by_side_become_rows(tmp_path: Path) -> None:
    write(tmp_path, "stays.csv", STAYS_HEAD, *STAYS)
    # Two totals in the first row, one in the second; the answers to single questions are no totals.
    header = "episode_id,assessed_on,PHQ9_Total,GAD7_Total,phq9_1,phq9_2"
    write(tmp_path, "outcomes.csv", header, "E1,03/31/2026,12,9,1,2", "E2,04/13/2026,,7,0,0")
    proposal = look_at(tmp_path)
    assert 'columns = ["phq9_total", "gad7_total"]' in proposal.toml
    count = proposal.trials["%m/%d/%Y"]["scores.csv"]
    assert (count.read, count.accepted) == (3, 3)


def test_unicode_text_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    content = f"{STAYS_HEAD}\n{STAYS[0]}\n".replace(",", "\t")
    (tmp_path / "stays.csv").write_text(content, encoding="utf-16")
    proposal = look_at(tmp_path)
    assert 'encoding = "utf-16"\ndelimiter = "tab"' in proposal.toml
    assert [counts["episodes.csv"].accepted for counts in proposal.trials.values()] == [1]


def test_a_second_file_of_one_table_is_said(tmp_path: Path) -> None:
    write(tmp_path, "stays.csv", STAYS_HEAD, *STAYS)
    head = "episode_id,session_date,session_type,status,minutes,delivery"
    for month in ("march", "april"):
        write(tmp_path, f"sessions_{month}.csv", head, "E1,03/31/2026,group,attended,180,telehealth")
    proposal = look_at(tmp_path)
    (other,) = proposal.doubles
    assert other.startswith("sessions_") and proposal.doubles[other] == "attendance.csv"
    assert "a table is made of one file" in proposal_text(proposal, None)
