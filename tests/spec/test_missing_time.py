"""Minutes that nobody recorded, and sessions missed in hospital: from files to figures (measures.md 0, 2 and B)."""

from datetime import timedelta
from math import isnan
from pathlib import Path

import pytest

from analytics.intake.importer import ImportRequest, run_import
from analytics.intake.mapping import load_mapping
from analytics.measures import find
from analytics.measures.types import ALL
from tests.spec.built_outcomes import one, outcome
from tests.spec.outcome_tables import one as result_of
from tests.spec.raw_files import CUT, PLAIN, Files, Provider, Row

ADMITTED = PLAIN["episodes"]["admit_date"]


def on(day: int) -> object:
    return ADMITTED + timedelta(day)  # type: ignore[operator]


def stays(*episodes: str) -> list[Row]:
    return [
        {"episode_id": name, "person_id": f"P{name}", "discharge_date": on(55), "discharge_reason": "completed"}
        for name in episodes
    ]


# ---- minutes (measures.md 2: "Unknown is NULL, never 0 or 99")


def without_minutes() -> str:
    """Return a mapping that takes every column of two files as it is, and no minutes."""
    lines = ['title = "A clinic"', 'date_format = "YYYY-MM-DD"']
    for table in ("episodes", "attendance"):
        lines += [f"[{table}]", f'file = "{table}.csv"', f"[{table}.columns]"]
        lines += [f'{name} = "{"unknown" if name == "minutes" else name}"' for name in PLAIN[table]]
    return "\n".join(lines)


def test_minutes_that_were_never_recorded_are_not_known_instead_of_no_hours(tmp_path: Path) -> None:
    # Two stays of eight weeks, seven sessions a week, no minutes: nothing is known of 16 weeks.
    attendance: list[Row] = [{"episode_id": name, "session_date": on(day)} for name in ("A", "B") for day in range(56)]
    provider = Provider(tmp_path)
    folder = provider.write({"episodes": stays("A", "B"), "attendance": attendance})
    (tmp_path / "clinic.toml").write_text(without_minutes(), encoding="utf-8")
    mapping = load_mapping(tmp_path / "clinic.toml")
    assert run_import(ImportRequest(folder, provider.store, "limited", provider.key, CUT, CUT, mapping)).published
    snapshot = provider.open()
    assert (
        snapshot.query(
            "select attended_sessions, attended_minutes, weeks_at_dose, dose_band, full_weeks from episode_outcome"
        )
        == [(56, None, None, None, 8)] * 2
    )

    found = result_of(snapshot, find("dose_adherence"))
    estimate = found.estimates[ALL]
    assert isnan(estimate.value) and estimate.unknown == 2
    assert estimate.reason == "Not known for any of 2: hours not recorded, or no usual minimum."
    # The sessions took place.
    assert result_of(snapshot, find("attendance")).estimates[ALL].value == 1
    snapshot.close()


# ---- hospital (measures.md 0: "Time in hospital is taken out only where readmissions are present"; B: "Always
# excluded: program_cancel, sessions after discharge, sessions while in hospital")


def with_hospital() -> Files:
    """Four sessions attended, then in hospital from day 7 to 15, where four are missed."""
    sessions = [("A", day, "attended") for day in (0, 2, 4, 6)] + [("A", day, "no_show") for day in (8, 10, 12, 14)]
    return {
        "episodes": stays("A"),
        "attendance": [
            {"episode_id": name, "session_date": on(day), "status": status, "minutes": 180 * (status == "attended")}
            for name, day, status in sessions
        ],
        "readmissions": [{"person_id": "PA", "admit_date": on(7), "discharge_date": on(15)}],
    }


def test_sessions_missed_in_hospital_are_left_out_and_counted_by_themselves(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    assert provider.load(with_hospital()).published
    snapshot = provider.open()
    for name, numerator in (("attendance", 4), ("no_show", 0)):
        result = result_of(snapshot, find(name))
        estimate = result.estimates[ALL]
        assert (estimate.numerator, estimate.denominator) == (numerator, 4), name
        assert estimate.details["stays with sessions missed in hospital, which are left out"] == 1
    also = result_of(snapshot, find("attendance")).variants["counting also what was missed or cancelled in hospital"]
    assert (also[ALL].numerator, also[ALL].denominator) == (4, 8)
    snapshot.close()


def test_without_readmissions_nothing_is_taken_out(tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    files = with_hospital()
    del files["readmissions"]
    assert provider.load(files, cut=CUT).published
    assert provider.query("select no_show_sessions, hospital_sessions from episode_outcome") == [(4, None)]


COLUMNS = (
    "attended_sessions, no_show_sessions, cancelled_client_sessions, cancelled_late_sessions, notice_recorded_sessions,"
    " cancelled_program_sessions, hospital_sessions, attended_minutes"
)


def test_only_what_was_missed_or_cancelled_by_the_person_is_left_out() -> None:
    sessions: list[Row] = [
        {"day": 6, "status": "no_show"},  # the day before: counts
        {"day": 7, "status": "no_show"},  # the day of admission to hospital: left out
        {"day": 7, "status": "attended", "session_no": 2},  # came in the morning: took place
        {"day": 9, "status": "cancelled_client", "cancel_notice_hours": 2.0},  # left out
        {"day": 10, "status": "cancelled_client"},  # left out
        {"day": 11, "status": "cancelled_program"},  # never counts, and stays what it is
        {"day": 12, "status": "attended"},  # came all the same: counts
        {"day": 15, "status": "no_show"},  # the day of discharge: left out
        {"day": 16, "status": "no_show"},  # back: counts
        {"day": 17, "status": "cancelled_client", "cancel_notice_hours": 3.0},  # counts
    ]
    attendance = [{"episode_id": 1, "session_type": "group", "minutes": 180} | row for row in sessions]
    # The second stay lies within the first: no session is taken out twice.
    stays_there = [
        {"person_id": 1, "level_of_care": "inpatient", "start_day": 7, "end_day": 15},
        {"person_id": 1, "level_of_care": "detox", "start_day": 9, "end_day": 10},
    ]
    tables = {"episode": [{}], "attendance": attendance, "acute_event": stays_there}
    assert one(COLUMNS, **tables) == (2, 2, 1, 1, 1, 1, 4, 360)
    weeks = outcome("week, no_show_sessions, scheduled_sessions, attended_minutes", "attendance_week", "week", **tables)
    assert weeks == [(0, 1, 1, 0), (1, 0, 2, 360), (2, 1, 2, 0)]


@pytest.mark.parametrize(
    ("sessions", "stay", "left_out"),
    [
        # Never came again: in hospital, as far as anybody knows, to the end.
        ({3: "attended", 10: "no_show", 20: "no_show"}, {"start_day": 10}, 2),
        # Came again: nobody knows when the hospital stay ended, only the day of admission is certain.
        ({3: "attended", 10: "no_show", 20: "no_show", 21: "attended"}, {"start_day": 10}, 1),
        # Before the admission here, without an end: they were out when they came here.
        ({0: "no_show", 3: "no_show"}, {"start_day": -5}, 0),
        # Came here from the hospital on day 0, which is its last day.
        ({0: "no_show", 3: "no_show"}, {"start_day": -5, "end_day": 0}, 1),
        # Another day program is no hospital.
        ({10: "no_show"}, {"start_day": 10, "end_day": 10, "level_of_care": "PHP"}, 0),
    ],
)
def test_days_in_hospital(sessions: dict[int, str], stay: Row, left_out: int) -> None:
    attendance = [{"episode_id": 1, "day": day, "status": status} for day, status in sessions.items()]
    event = {"person_id": 1, "level_of_care": "inpatient", "end_day": None} | stay
    assert one("hospital_sessions", episode=[{}], attendance=attendance, acute_event=[event]) == left_out


# ---- a program that does not record who comes


def test_a_program_without_attendance_is_not_known_instead_of_nobody_came(tmp_path: Path) -> None:
    # measures.md 2: "Unknown is NULL, never 0 or 99". North records sessions, south has no row in the file.
    left = {"discharge_reason": "lost_contact", "discharge_date": on(20)}
    episodes = [row | {"program_id": "NORTH"} | left for row in stays("A", "B")]
    episodes += [row | {"program_id": "SOUTH"} | left for row in stays("C", "D", "E")]
    attendance: list[Row] = [{"episode_id": "A", "session_date": on(day)} for day in (0, 1, 2, 3)]
    asked = {"received_on": on(-4), "decision": "admitted"}
    requests: list[Row] = [
        asked | {"referral_id": f"R{name}", "person_id": f"P{name}", "episode_id": name} for name in "ABC"
    ]
    hospital: list[Row] = [
        {"person_id": f"P{name}", "admit_date": on(-9), "discharge_date": on(-1)} for name in ("A", "B", "C")
    ]
    provider = Provider(tmp_path)
    folder = provider.write(
        {"episodes": episodes, "attendance": attendance, "referrals": requests, "readmissions": hospital}
    )
    assert run_import(ImportRequest(folder, provider.store, "limited", provider.key, CUT, CUT)).published
    snapshot = provider.open()

    def counts(name: str) -> tuple[int, int, int]:
        estimate = result_of(snapshot, find(name)).estimates[ALL]
        return estimate.numerator, estimate.denominator, estimate.unknown

    # Of five who left early B never came; A came on four days; of the three in south nobody knows.
    assert counts("early_dropout") == (1, 2, 3)
    assert counts("early_engagement") == (1, 1, 3)
    assert counts("days_referral_to_first_session") == (1, 1, 1)
    assert counts("admission_conversion") == (1, 2, 1)
    assert counts("step_down_start_7") == (1, 2, 1)
    assert counts("hours_total") == (2, 2, 3)
    snapshot.close()
