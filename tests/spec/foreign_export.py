"""A synthetic provider as another system would export it: other files, headers, codes, days, separator, encoding."""

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from raw_files import PLAIN, Files

NAMES = {
    "episodes": (
        "Client Admissions",
        {"episode_id": "Admission No", "person_id": "MRN", "program_id": "Program", "admit_date": "Adm Dt",
         "discharge_date": "D/C Date", "discharge_reason": "DC Reason", "modality": "Setting",
         "planned_weeks": "Planned Wks", "level_of_care": "LOC", "primary_condition": "Primary Dx",
         "age_band": "Age Group", "gender": "Sex", "referral_source": "Referred By", "referral_date": "Referral Dt"},
    ),
    "attendance": (
        "appts",
        {"episode_id": "AdmissionNo", "session_date": "Appt Dt", "session_type": "Svc Type", "status": "Appt Status",
         "minutes": "Duration", "delivery": "Visit Mode"},
    ),
    "scores": (
        "Assessments",
        {"episode_id": "adm_no", "instrument": "Tool", "assessed_on": "Date Given", "total": "Total Score"},
    ),
    "score_items": (
        "Question Responses",
        {"episode_id": "adm_no", "instrument": "Tool", "assessed_on": "Date Given", "item": "Question No",
         "value": "Answer"},
    ),
    "substance_use": (
        "UDS",
        {"episode_id": "adm_no", "observed_on": "Collected", "source": "Specimen", "result": "Finding"},
    ),
    "readmissions": (
        "hospital stays",
        {"person_id": "mrn", "admit_date": "Start", "discharge_date": "Stop", "level_of_care": "Type",
         "planned": "Elective"},
    ),
    "followups": (
        "fu calls",
        {"episode_id": "adm_no", "due_day": "Window", "attempted_on": "Call Dt", "reached": "Contacted",
         "days_abstinent_past_30": "Days Sober"},
    ),
    "capture": ("coverage", {"person_id": "mrn", "source": "feed", "from": "eff_dt", "to": "term_dt"}),
}  # fmt: skip

CODES = {
    "discharge_reason": {"completed": "Successful Completion", "lost_contact": "LTFU",
                         "transferred_higher": "Step Up", "moved": "Relocated"},
    "modality": {"in_person": "Onsite", "telehealth": "Virtual", "hybrid": "Mixed"},
    "level_of_care": {"IOP": "Intensive Outpatient", "inpatient": "INPT"},
    "primary_condition": {"depression": "MDD"},
    "gender": {"female": "W"},
    "referral_source": {"self": "Walk-in"},
    "session_type": {"group": "GRP"},
    "status": {"attended": "Show", "no_show": "N/S"},
    "delivery": {"in_person": "F2F"},
    "instrument": {"PHQ-9": "PHQ9 total score", "GAD-7": "gad 7"},
    "result": {"negative": "NEG", "positive": "POS"},
    "source": {"urine": "UA", "exchange": "exchange"},
    "planned": {"False": "N", "True": "Y"},
    "reached": {"False": "not reached", "True": "reached"},
}  # fmt: skip


def write_foreign(
    folder: Path,
    files: Files,
    *,
    days: str = "%m/%d/%Y",
    delimiter: str = ";",
    encoding: str = "cp1252",
    more: Mapping[str, str] | None = None,
    codes: Mapping[str, Mapping[str, str]] = CODES,
) -> Path:
    """Write the export; `more` are further columns of the file of stays, the same value in every row."""
    folder.mkdir(parents=True)
    for table, given in files.items():
        name, headers = NAMES[table]
        further = dict(more or {}) if table == "episodes" else {}
        with (folder / f"{name}.csv").open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow([*headers.values(), *further])
            for row in given:
                values = PLAIN[table] | row
                cells = [_cell(column, values.get(column), days, codes) for column in headers]
                writer.writerow([*cells, *further.values()])
    return folder


def _cell(column: str, value: object, days: str, codes: Mapping[str, Mapping[str, str]]) -> object:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.strftime(days)
    return codes.get(column, {}).get(str(value), value)
