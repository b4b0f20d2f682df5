"""The rules of readmission, substance use and follow-up, one small table each (measures.md 0, 4.E and 4.F)."""

from typing import Any

import pytest

from tests.spec.built_outcomes import one, outcome

# ---- hospital, residential and detox stays


def stay(person: int, start: int, **columns: object) -> dict[str, object]:
    return {"person_id": person, "start_day": start} | columns


def test_readmission_example_of_the_catalogue() -> None:
    """Oracle: measure_examples.json, `readmit_window`: the program rule counts B, C, D and G by day 30."""
    left = 56
    events = [
        stay(1, left),  # A, day 0: a direct transfer
        stay(2, left + 1),  # B
        stay(3, left + 3),  # C
        stay(4, left + 30),  # D
        stay(5, left + 31),  # E: a readmission, but not within 30 days
        stay(6, left + 10, planned=True),  # F: planned, so not a readmission
        stay(7, left + 5, planned=True),  # G: a planned stay does not stand in the way ...
        stay(7, left + 15),  # ... of an unplanned one
    ]
    rows = outcome("readmission_day, direct_transfer, planned_admission_day", episode=[{}] * 8, acute_event=events)
    assert rows == [
        (None, True, None),
        (1, False, None),
        (3, False, None),
        (30, False, None),
        (31, False, None),
        (None, False, 10),
        (15, False, 5),
        (None, False, None),  # nobody came back: the events were collected, so this is known
    ]
    assert sum(day is not None and day <= 30 for day, *_ in rows) == 4


def test_day_1_is_a_direct_transfer_only_after_a_transfer_to_higher_care() -> None:
    episodes = [{"discharge_reason": "transferred_higher"}, {"discharge_reason": None}]
    events = [stay(1, 57, end_day=60), stay(2, 57, end_day=60)]
    columns = "direct_transfer, direct_transfer_end_day, readmission_day, step_up_day"
    # The transfer counts as a step-up of this stay, never as a readmission.
    assert outcome(columns, episode=episodes, acute_event=events) == [(True, 4, None, 57), (False, None, 1, None)]


def test_after_a_direct_transfer_the_risk_begins_when_that_stay_ends() -> None:
    events = [
        stay(1, 56, end_day=66),  # until day 10 after the exit
        stay(1, 60),  # day 4: another ward of the same stay
        stay(1, 71),  # day 15: this one is a readmission
        stay(2, 56, end_day=66),
        stay(2, 66),  # admitted again on the day it ended
        stay(3, 56),  # no end known: nothing says when the risk began, so what came later is shown
        stay(3, 60),
        stay(4, 56, end_day=58),  # two at once: the later end
        stay(4, 56, end_day=62, level_of_care="detox"),
        stay(4, 59),
    ]
    columns = "direct_transfer_end_day, readmission_day"
    rows = outcome(columns, episode=[{}] * 4, acute_event=events)
    assert rows == [(10, 15), (10, 10), (None, 4), (6, None)]


def test_planned_not_known_counts_as_unplanned_and_other_levels_do_not_count() -> None:
    events = [stay(1, 60, planned=None), stay(2, 60, level_of_care="PHP"), stay(3, 60, level_of_care="residential")]
    assert outcome("readmission_day", episode=[{}] * 3, acute_event=events) == [4, None, 4]


def test_a_hospital_stay_is_a_step_up_of_one_stay_and_a_readmission_after_another() -> None:
    episodes = [{"person_id": 1, "los_days": 30}, {"person_id": 1, "start_day": 40, "los_days": 30}]
    events = [
        stay(1, 40),  # the day the second stay began: not during it, but day 10 after the first
        stay(1, 45),  # day 5 of the second
    ]
    assert outcome("readmission_day, step_up_day", episode=episodes, acute_event=events) == [(10, None), (None, 5)]


def test_readmission_counts_from_the_last_session_of_who_was_lost() -> None:
    episodes = [{"discharge_reason": "lost_contact"}]
    attendance = [{"episode_id": 1, "day": day} for day in (0, 20)]
    # In hospital on day 45: during the stay on paper, 25 days after the last session.
    rows = outcome("readmission_day, step_up_day", episode=episodes, attendance=attendance, acute_event=[stay(1, 45)])
    assert rows == [(25, None)]


def test_an_open_stay_has_no_exit_to_count_from_and_without_the_file_nothing_is_known() -> None:
    columns = "readmission_day, direct_transfer, planned_admission_day, step_up_day, captured_days"
    windows = [{"person_id": 1, "from_day": 0, "to_day": 400}]
    open_stay = [{"los_days": None}]
    # Day 5 of it is seen all the same: a rate per enrolled day counts the days of open stays.
    assert one(columns, episode=open_stay, acute_event=[stay(1, 5)], capture=windows) == (None, None, None, 5, None)
    assert one("step_up_day", episode=open_stay, acute_event=[stay(1, 0), stay(1, 61)]) is None
    assert one(columns, episode=[{}], capture=windows) == (None,) * 5
    assert one(columns, episode=[{}], collected={"acute_event": True}) == (None, False, None, None, None)


@pytest.mark.parametrize(
    ("windows", "captured"),
    [
        ([(0, 90)], 34),
        ([(56, 56)], 0),  # seen on the day of exit and not after
        ([(0, 55)], 0),  # ended before: never observable
        ([(57, 400)], 0),  # a gap right at the exit
        ([(0, 60), (61, 80)], 24),  # windows that touch are one
        ([(0, 60), (62, 80)], 4),  # day 61 is a gap
        ([(0, 90), (0, 90), (30, 60), (70, 100)], 44),  # several sources
    ],
)
def test_captured_days_run_from_the_exit_to_the_first_gap(windows: list[tuple[int, int]], captured: int) -> None:
    rows = [{"person_id": 1, "from_day": first, "to_day": last} for first, last in windows]
    rows.append({"person_id": 2, "from_day": 0, "to_day": 1})
    assert outcome("captured_days", episode=[{}, {}], capture=rows, collected={"acute_event": True}) == [captured, 0]


# ---- substance use


def use(*rows: tuple[int, int]) -> list[dict[str, object]]:
    """Rows of (day, days used in the past 30) of the first episode, one substance after the other."""
    return [
        {"episode_id": 1, "day": day, "days_used_past_30": days, "substance": f"s{number}"}
        for number, (day, days) in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("rows", "admission", "discharge"),
    [
        ([(0, 12), (56, 0)], (12, False), (0, True)),
        ([(-14, 5), (42, 1)], (5, False), (1, False)),  # the first days of the windows
        ([(7, 5), (63, 1)], (5, False), (1, False)),  # the last ones
        ([(-15, 5), (8, 5), (41, 1), (64, 1)], (None, None), (None, None)),  # a day too early or too late
        ([(-2, 8), (2, 0)], (8, False), (None, None)),  # equally near: the earlier
        ([(0, 0), (0, 3)], (3, False), (None, None)),  # two substances: the most days
        ([(50, 0), (60, 4), (60, 2)], (None, None), (4, False)),  # the last day, the most of it
        ([(56, 0), (66, 9)], (None, None), (0, True)),  # m0: to los + 7; ten days later speaks of life after it
    ],
)
def test_days_used_at_admission_and_at_discharge(rows: list[Any], admission: Any, discharge: Any) -> None:
    columns = "days_used_admission, abstinent_admission, days_used_discharge, abstinent_discharge"
    assert one(columns, episode=[{}], substance_use=use(*rows)) == admission + discharge


def test_an_answer_at_admission_is_not_read_again_at_discharge() -> None:
    # A stay of five days: both windows hold day 0 and day 7; only day 8 and later can speak of the end.
    stay = [{"los_days": 5}]
    columns = "days_used_admission, days_used_discharge"
    assert one(columns, episode=stay, substance_use=use((0, 20))) == (20, None)
    assert one(columns, episode=stay, substance_use=use((0, 20), (7, 3))) == (20, None)
    assert one(columns, episode=stay, substance_use=use((0, 20), (8, 3))) == (20, 3)


def test_an_open_stay_has_no_use_at_discharge() -> None:
    rows = use((0, 3), (56, 0))
    assert one("days_used_admission, days_used_discharge", episode=[{"los_days": None}], substance_use=rows) == (
        3,
        None,
    )


def test_a_controlled_environment_around_admission_is_flagged() -> None:
    rows = [
        {"episode_id": 1, "day": -14, "controlled_environment": False},
        {"episode_id": 1, "day": 7, "controlled_environment": True},
        {"episode_id": 2, "day": 0, "controlled_environment": False},
        {"episode_id": 2, "day": 8, "controlled_environment": True},  # outside the window
        {"episode_id": 3, "day": 0, "days_used_past_30": 0},  # not said
    ]
    assert outcome("controlled_admission", episode=[{}] * 3, substance_use=rows) == [True, False, None]


def test_one_test_is_one_day_and_source_whatever_it_looked_for() -> None:
    results: dict[tuple[int, str], tuple[str | None, ...]] = {
        (1, "urine"): ("negative", "negative"),  # negative
        (1, "breath"): ("positive",),  # positive: another source is another test
        (2, "urine"): ("negative", "positive", "prescribed_positive"),  # positive: any positive
        (3, "urine"): ("negative", "prescribed_positive"),  # negative: the prescribed one says nothing
        (4, "oral"): ("prescribed_positive", "invalid"),  # excluded: nothing else
        (5, "urine"): ("invalid",),  # excluded
        (6, "urine"): ("missed",),  # missed
        (7, "urine"): ("refused",),  # missed: scheduled, not given
        (8, "urine"): ("refused", "negative"),  # negative: a result was given
        (9, "urine"): ("invalid", "missed"),  # missed: part of it was not given
        (10, "self_report"): ("positive",),  # not a test
        (11, "urine"): (None,),  # no result
        (57, "urine"): ("positive",),  # after discharge
        (-1, "urine"): ("positive",),  # before admission
    }
    rows = [
        {"episode_id": 1, "day": day, "source": source, "substance": f"s{number}", "result": result}
        for (day, source), values in results.items()
        for number, result in enumerate(values)
    ]
    columns = "tests_negative, tests_positive, tests_excluded, tests_missed"
    assert one(columns, episode=[{}], substance_use=rows) == (3, 2, 2, 3)
    assert one(columns, episode=[{}]) == (None,) * 4
    assert one(columns, episode=[{}], collected={"substance_use": True}) == (0, 0, 0, 0)


def test_scheduled_tests_and_tests_at_random_are_counted_apart() -> None:
    # measures.md 4.E, uds_negative_rate: "Random vs scheduled tests separate".
    parts: list[tuple[int, str, bool | None]] = [
        (1, "negative", True),  # scheduled
        (2, "positive", True), (2, "negative", None),  # scheduled and positive: one part says so
        (3, "negative", False), (4, "negative", False),  # at random
        (5, "positive", False), (5, "negative", True),  # scheduled and positive: a part says so
        (6, "positive", False), (6, "negative", None),  # at random and positive: a part says not, none says so
        (7, "negative", None),  # nobody wrote it down: in neither
        (8, "missed", True), (9, "invalid", False),  # no result
    ]  # fmt: skip
    rows = [
        {"episode_id": 1, "day": day, "source": "urine", "substance": f"s{number}", "result": result, "scheduled": said}
        for number, (day, result, said) in enumerate(parts)
    ]
    columns = "tests_scheduled_negative, tests_scheduled_positive, tests_random_negative, tests_random_positive"
    assert one(columns, episode=[{}], substance_use=rows) == (1, 2, 2, 1)
    assert one("tests_negative, tests_positive", episode=[{}], substance_use=rows) == (4, 3)
    assert one(columns, episode=[{}]) == (None,) * 4
    assert one(columns, episode=[{}], collected={"substance_use": True}) == (0,) * 4


def test_who_is_treated_for_substance_use() -> None:
    episodes: list[dict[str, object]] = [
        {"track": "substance_use", "primary_condition": "depression"},  # the track decides
        {"track": "co_occurring"},
        {"track": "mental_health", "primary_condition": "alcohol"},
        {"track": None, "primary_condition": "cannabis"},  # without it the condition
        {"track": None, "primary_condition": "anxiety"},
        {"track": None, "primary_condition": None},
    ]
    assert outcome("is_sud", episode=episodes) == [True, True, False, True, False, None]


# ---- follow-up


@pytest.mark.parametrize(("due_day", "first", "last"), [(30, 21, 45), (90, 75, 120), (180, 150, 240), (365, 335, 425)])
def test_an_interview_counts_inside_its_window(due_day: int, first: int, last: int) -> None:
    days = (first - 1, first, last, last + 1, None)
    rows = [
        {"episode_id": number, "due_day": due_day, "completed_day": day, "days_abstinent_past_30": 30}
        for number, day in enumerate(days, start=1)
    ]
    columns = f"followup_{due_day}_reached, followup_{due_day}_abstinent"
    # Out of the window is not this interview: not reached, abstinence not known. A day not recorded is trusted.
    assert outcome(columns, episode=[{}] * 5, followup=rows) == [
        (False, None),
        (True, True),
        (True, True),
        (False, None),
        (True, True),
    ]


def test_the_day_of_the_interview_is_the_completed_else_the_attempted_one() -> None:
    rows = [
        {"episode_id": 1, "due_day": 30, "attempted_day": 20, "completed_day": 25},
        {"episode_id": 2, "due_day": 30, "attempted_day": 25},
        {"episode_id": 3, "due_day": 30, "attempted_day": 25, "completed_day": 50},
    ]
    assert outcome("followup_30_reached", episode=[{}] * 3, followup=rows) == [True, True, False]


def test_not_reached_is_said_only_when_it_is_known() -> None:
    episodes: list[dict[str, object]] = [
        {"observed_days": 56 + 120},  # the window of day 90 is over: nobody was reached
        {"observed_days": 56 + 119},  # one day is left: not known
        {"observed_days": 56 + 10},  # an attempt that failed is known at once
        {"los_days": None, "observed_days": 300},  # still here
    ]
    rows = [{"episode_id": 3, "due_day": 90, "reached": False, "outcome": "no_answer"}]
    reached = outcome("followup_90_reached, followup_90_outcome", episode=episodes, followup=rows)
    assert reached == [(False, None), (None, None), (False, "no_answer"), (None, None)]
    # Follow-up that is not done at all is not a failure to reach people.
    assert one("followup_90_reached", episode=[{}]) is None


def test_abstinence_at_follow_up_is_30_days_and_a_positive_test_beats_the_word() -> None:
    told = (30, 29, None, 30, 30, 30, None, 30)
    followup = [
        {"episode_id": number, "due_day": 30, "completed_day": 30, "days_abstinent_past_30": days}
        for number, days in enumerate(told, start=1)
    ]
    tests = {  # the interview is on day 86 of the stay's time line
        4: (86, "urine", "positive"),  # the same day
        5: (56, "oral", "positive"),  # 30 days before
        6: (55, "urine", "positive"),  # 31 days before: another time
        7: (80, "breath", "positive"),  # nothing was said, the test speaks
        8: (80, "urine", "prescribed_positive"),  # not a positive
    }
    rows = [
        {"episode_id": number, "day": day, "source": source, "result": result}
        for number, (day, source, result) in tests.items()
    ]
    abstinent = outcome("followup_30_abstinent", episode=[{}] * 8, followup=followup, substance_use=rows)
    assert abstinent == [True, False, None, False, False, True, False, True]
