"""From a hospital to a first session here: which stay counts, for which admission, and from which day on."""

from pathlib import Path
from typing import Any

import pytest

from analytics.measures import ALL, definition_card, find
from analytics.measures.results import Estimate
from analytics.store.outcomes import build_outcomes
from tests.reference.reference_results import example
from tests.spec.built_outcomes import outcome
from tests.spec.outcome_tables import SmallSnapshot, one, small_snapshot
from tests.spec.row_tables import row_tables

COLUMNS = "days_since_inpatient, inpatient_to_session"


def inpatient(person_id: int, start: int, end: int | None, **facts: Any) -> dict[str, Any]:
    return {"person_id": person_id, "start_day": start, "end_day": end, **facts}


def counted(estimate: Estimate) -> tuple[int, int]:
    return estimate.numerator, estimate.denominator


def test_the_worked_example(shared: Path) -> None:
    # ex: fuh: six people admitted on the day they left the hospital; the day of their only session after that.
    case = example(shared, "fuh")["expected"]
    connection = row_tables(
        episode=[{}] * len(case["days"]),
        acute_event=[inpatient(number, -9, 0) for number in range(1, 7)],
        attendance=[{"episode_id": number, "day": day} for number, day in enumerate(case["days"], start=1)],
    )
    build_outcomes(connection)
    snapshot = SmallSnapshot(connection)
    for days in (7, 30):
        measure = find(f"step_down_start_{days}")
        rows = snapshot.query(f"select {measure.success} from episode_outcome order by episode_id", {})
        assert [row[0] for row in rows] == case[f"within{days}"]
        assert counted(one(snapshot, measure).estimates[ALL]) == (case[f"within{days}"].count(True), 6)


def test_which_stay_counts() -> None:
    assert outcome(
        COLUMNS,
        episode=[{}] * 9,
        attendance=[{"episode_id": number, "day": 2} for number in range(1, 10)],
        acute_event=[
            inpatient(1, -20, -5),  # 5 days before, session on day 2: 7 days
            inpatient(2, -40, -30),  # 30 days before is in
            inpatient(3, -40, -31),  # 31 is out
            inpatient(4, -30, -20),
            inpatient(4, -12, -6, planned=True),  # of several the last
            inpatient(5, -30, -6, level_of_care="detox"),  # no hospital
            inpatient(6, -30, None),  # nobody knows when it ended
            inpatient(7, -30, 3),  # ended after the admission
            inpatient(8, -3, 0),  # ended on the day of admission
        ],
    ) == [(5, 7), (30, 32), (None, None), (6, 8), (None, None), (None, None), (None, None), (0, 2), (None, None)]


def test_a_stay_counts_for_the_next_admission_only() -> None:
    # Out of the hospital on day 40 of the first stay here; admitted again on day 45, and a step down on day 60.
    assert outcome(
        COLUMNS,
        episode=[
            {"person_id": 1, "start_day": 0, "los_days": 30},
            {"person_id": 1, "start_day": 45, "los_days": 10},
            {"person_id": 1, "start_day": 60, "los_days": 20},
        ],
        attendance=[{"episode_id": number, "day": 0} for number in (1, 2, 3)],
        acute_event=[inpatient(1, 31, 40)],
    ) == [(None, None), (5, 5), (None, None)]


def test_a_session_on_the_day_of_leaving_does_not_count_and_a_later_one_does() -> None:
    days = {1: (0,), 2: (0, 6), 3: (), 4: (0,)}
    attendance = [{"episode_id": number, "day": day} for number, sessions in days.items() for day in sessions]
    stays = [inpatient(number, -9, 0) for number in (1, 2, 3)] + [inpatient(4, -9, -1)]
    assert outcome(COLUMNS, episode=[{}] * 4, attendance=attendance, acute_event=stays) == [
        (0, None),
        (0, 6),
        (0, None),
        (1, 1),
    ]


@pytest.mark.parametrize(("days", "expected"), [(7, (3, 9, 1)), (30, (4, 6, 3))])
def test_twelve_admissions(days: int, expected: tuple[int, int, int]) -> None:
    rows: list[dict[str, object]] = [
        {"days_since_inpatient": 0, "inpatient_to_session": 1},  # yes, yes
        {"days_since_inpatient": 3, "inpatient_to_session": 7},  # yes, yes
        {"days_since_inpatient": 3, "inpatient_to_session": 8},  # no, yes
        {"days_since_inpatient": 30, "inpatient_to_session": 30},  # no, yes
        {"days_since_inpatient": 30, "inpatient_to_session": 31},  # no, no
        {"days_since_inpatient": 5},  # never came: no, no
        # Died 7 days after the hospital: in neither.
        {"days_since_inpatient": 3, "los_days": 4, "discharge_reason": "deceased", "inpatient_to_session": 4},
        # Died 8 days after: no, and not counted at 30.
        {"days_since_inpatient": 3, "los_days": 5, "discharge_reason": "deceased"},
        # Seen for 2 days, 8 after the hospital: yes, too recent.
        {"days_since_inpatient": 6, "inpatient_to_session": 6, "los_days": None, "observed_days": 2},
        # Seen for 3 days, 6 after the hospital: too recent, too recent.
        {"days_since_inpatient": 3, "inpatient_to_session": 3, "los_days": None, "observed_days": 3},
        {},  # not from a hospital
        {"days_since_inpatient": 4, "inpatient_to_session": 9, "los_days": None, "observed_days": 20},  # no, too recent
    ]
    # Of everybody it is recorded whether they came.
    result = one(small_snapshot([{"attended_sessions": 0} | row for row in rows]), find(f"step_down_start_{days}"))
    estimate = result.estimates[ALL]
    assert (*counted(estimate), estimate.too_recent) == expected
    assert result.ladder.steps[1].lost == 1


def test_not_collected() -> None:
    assert outcome(COLUMNS, episode=[{}], attendance=[{"episode_id": 1}]) == [(None, None)]
    absent = one(small_snapshot([{}], absent=["acute_event"]), find("step_down_start_7"))
    assert absent.estimates[ALL].reason == "Not collected: hospital, residential and detox stays."


def test_the_card_says_who_is_not_in_it() -> None:
    # measures.md 0: "discharged 0-30 days before admission, labelled 'among people who came to us'"
    for days in (7, 30):
        card = definition_card(find(f"step_down_start_{days}"))
        assert (
            "of people who came to us within 30 days of leaving a hospital" in find(f"step_down_start_{days}").of_whom
        )
        assert "among people who came to us" in card.notes[0] and "cannot be compared" in card.notes[0]
    # All who are counted came within 30 days.
    assert "no achievement" in card.notes[1]
    assert card.family is None and card.no_family.startswith("No sentence: everybody in it came to us within 30 days")
