"""The rules of the stay, of attendance and of scores, one small table each (measures.md 0 and 1.5)."""

from typing import Any

import duckdb
import pytest

from analytics.errors import StoreProblem
from analytics.store.codes import CODES
from analytics.store.outcomes import OUTCOME_TABLES, build_outcomes
from tests.spec.built_outcomes import one, outcome
from tests.spec.row_tables import row_tables

# ---- how a stay ends


def test_who_left_early_ended_with_the_last_session_and_not_with_the_paperwork() -> None:
    episodes = [
        {"discharge_reason": "lost_contact"},  # 1: last seen on day 20, discharged on day 56: 36 days of paper
        {"discharge_reason": "administrative"},  # 2: the same
        {"discharge_reason": "left_against_advice"},  # 3: the same
        {"discharge_reason": "completed"},  # 4: a planned end is the discharge, whatever the last session
        {"discharge_reason": "lost_contact"},  # 5: never attended: nothing better than the discharge
        {"discharge_reason": None},  # 6: reason not known: nothing says that they left early
        {"los_days": None},  # 7: still here: no end yet
    ]
    attendance = [{"episode_id": number, "day": day} for number in (1, 2, 3, 4, 6, 7) for day in (0, 20)]
    attendance += [{"episode_id": number, "day": 50, "status": "no_show"} for number in (1, 5)]
    assert outcome("exit_day, paperwork_lag", episode=episodes, attendance=attendance) == [
        (20, 36),
        (20, 36),
        (20, 36),
        (56, 0),
        (56, 0),
        (56, 0),
        (None, None),
    ]


def test_exit_groups_the_reasons() -> None:
    left = ("left_against_advice", "lost_contact", "administrative")
    named = {"completed": "completed", "transferred_lower": "stepped_down", "transferred_higher": "transferred_higher"}
    reasons = CODES["discharge_reason"]
    episodes: list[dict[str, object]] = [{"discharge_reason": reason} for reason in reasons]
    episodes += [{"los_days": None}, {"discharge_reason": None}]
    expected = ["left_early" if reason in left else named.get(reason, "other") for reason in reasons]
    # Open is a state; a closed stay without a reason is not known, and not "other".
    assert outcome("exit", episode=episodes) == [*expected, "active", None]
    assert outcome("is_closed", episode=episodes) == [True] * len(reasons) + [False, True]


# ---- place in the person's history


def test_a_course_goes_on_over_a_gap_of_30_days_and_not_of_31() -> None:
    episodes = [
        {"person_id": 1, "start_day": 0, "los_days": 20},  # ends on day 20
        {"person_id": 1, "start_day": 23, "los_days": 10},  # 3 days later: step two
        {"person_id": 1, "start_day": 63, "los_days": 7},  # 30 days after day 33: still the same course
        {"person_id": 1, "start_day": 101, "los_days": 5},  # 31 days after day 70: a new one
        {"person_id": 5, "start_day": 0},  # somebody else starts at one again
    ]
    columns = "person_sequence, course, course_step, is_course_last, days_to_next_episode"
    assert outcome(columns, episode=episodes) == [
        (1, 1, 1, False, 3),
        (2, 1, 2, False, 30),
        (3, 1, 3, True, 31),
        (4, 2, 1, True, None),
        (1, 1, 1, True, None),
    ]


def test_stays_at_once_are_one_course_and_have_no_days_between_them() -> None:
    episodes = [
        {"person_id": 1, "start_day": 0, "los_days": 100},  # a long stay ...
        {"person_id": 1, "start_day": 10, "los_days": 5},  # ... with a short one inside it
        {"person_id": 1, "start_day": 120, "los_days": 5},  # 105 days after the short, but 20 after the long one
        {"person_id": 4, "start_day": 0, "los_days": None, "observed_days": 300},  # still open ...
        {"person_id": 4, "start_day": 290, "los_days": 10},  # ... when the next begins
        {"person_id": 6, "start_day": 0, "los_days": 20},  # steps down on the day of discharge: 0 days between
        {"person_id": 6, "start_day": 20, "los_days": 20},
    ]
    assert outcome("course, course_step, days_to_next_episode", episode=episodes) == [
        (1, 1, None),
        (1, 2, 105),
        (1, 3, None),
        (1, 1, None),
        (1, 2, None),
        (1, 1, 0),
        (1, 2, None),
    ]


def test_two_stays_that_begin_on_one_day_are_ordered_by_their_number() -> None:
    episodes = [{"person_id": 1, "level_of_care": level} for level in ("PHP", "IOP")]
    assert outcome("episode_id, person_sequence", episode=episodes) == [(1, 1), (2, 2)]


# ---- attendance


def test_sessions_days_and_minutes_are_counted_by_status_and_type() -> None:
    attendance = [
        {"day": 0, "session_type": "group", "minutes": 180},
        {"day": 0, "session_type": "individual", "minutes": 50},  # two sessions, one day
        {"day": 0, "session_type": "group", "session_no": 2, "minutes": 60},
        {"day": 7, "session_type": "family", "minutes": None},  # attended, minutes not recorded: the session counts
        {"day": 8, "session_type": "medication", "minutes": 20},
        {"day": 9, "session_type": "other", "minutes": 30},
        {"day": 10, "status": "no_show"},
        {"day": 11, "status": "cancelled_client", "cancel_notice_hours": 23.5},  # late
        {"day": 12, "status": "cancelled_client", "cancel_notice_hours": 24.0},  # in time
        {"day": 13, "status": "cancelled_client"},  # notice not recorded: not late
        {"day": 14, "status": "cancelled_program"},  # nobody's absence
    ]
    rows = [{"episode_id": 1} | row for row in attendance]
    assert one(
        "attended_sessions, attended_days, no_show_sessions, cancelled_client_sessions, cancelled_late_sessions, "
        "notice_recorded_sessions, cancelled_program_sessions",
        episode=[{}],
        attendance=rows,
    ) == (6, 4, 1, 3, 1, 2, 1)
    assert one(
        "attended_minutes, group_minutes, individual_minutes, family_minutes, medication_minutes, other_minutes, "
        "first_attended_day, last_attended_day",
        episode=[{}],
        attendance=rows,
    ) == (None, None, None, None, None, None, 0, 9)
    # Known minutes: those of every session that was attended.
    rows[3]["minutes"] = 90
    assert one(
        "attended_minutes, group_minutes, individual_minutes, family_minutes, medication_minutes, other_minutes",
        episode=[{}],
        attendance=rows,
    ) == (430, 240, 50, 90, 20, 30)
    rows[3]["minutes"] = None
    assert outcome(
        "week, attended_days, attended_sessions, attended_minutes, no_show_sessions, scheduled_sessions, is_full",
        "attendance_week",
        "week",
        episode=[{}],
        attendance=rows,
    ) == [
        (0, 1, 3, 290, 0, 3, True),
        (1, 3, 3, None, 1, 7, True),  # day 7 to 13; the client's own cancellations were scheduled
        (2, 0, 0, 0, 0, 0, True),  # only a cancellation by the program
    ]


def test_early_days_are_those_on_day_1_to_34_after_the_first_session() -> None:
    days = (5, 6, 6, 20, 39, 40)  # first on 5; 6 (twice, one day), 20 and 39 = first + 34 count; 40 is too late
    attendance = [{"episode_id": 1, "day": day, "session_no": number} for number, day in enumerate(days)]
    assert one("early_attended_days", episode=[{}], attendance=attendance) == 3


def test_not_collected_is_not_known_and_collected_without_a_row_is_none() -> None:
    columns = "attended_sessions, attended_days, attended_minutes, early_attended_days, full_weeks, weeks_at_dose"
    assert one(columns, episode=[{}]) == (None,) * 6
    # Somebody else came in the same program, so it is recorded there.
    two: dict[str, Any] = {"episode": [{}, {}], "attendance": [{"episode_id": 2}]}
    assert outcome(columns, **two)[0] == (0, 0, 0, 0, 8, 0)
    # Nobody can say which share of the weeks was delivered when nothing was recorded for this stay.
    assert outcome("dose_band, first_attended_day", **two)[0] == (None, None)


def test_attendance_of_a_program_without_a_row_is_not_known() -> None:
    # measures.md 2: "Unknown is NULL, never 0 or 99". North records who comes, south never has; a row tells.
    columns = "attended_sessions, attended_days, full_weeks, full_week_minutes, exit_day"
    episodes = [{"discharge_reason": "lost_contact"}] * 2
    episodes += [{"program_id": "south", "discharge_reason": "lost_contact"}] * 2
    north = [{"episode_id": 1, "day": 20}]
    assert outcome(columns, episode=episodes, attendance=north) == [
        (1, 1, 3, None, 20),
        (0, 0, 8, 0, 56),
        (None, None, None, None, 56),
        (None, None, None, None, 56),
    ]
    south = {"episode_id": 4, "day": 3, "status": "no_show"}
    assert outcome(columns, episode=episodes, attendance=[*north, south])[2:] == [(0, 0, 8, 0, 56)] * 2
    scores = [{"episode_id": number, "day": 0, "total": 12} for number in (1, 2, 3)]
    instruments = [{"program_id": program, "instrument": "phq9"} for program in ("north", "south")]
    given: dict[str, Any] = {"episode": episodes, "attendance": north, "score": scores}
    assert outcome("treated", "score_outcome", program_instrument=instruments, **given) == [False, False, None, None]


HOURS = (9, 10.5, 6, 9, 3, 9)  # six weeks


@pytest.mark.parametrize(
    ("stay", "expected"),
    [
        ({"los_days": 41}, (6, 4, "half or more")),  # weeks of 9, 10.5, 9 and 9 hours
        ({"los_days": 40}, (5, 3, "half or more")),  # the sixth week lacks its last day: neither full nor counted
        ({"los_days": 41, "population": None}, (6, 4, "half or more")),  # not known counts as adult
        ({"los_days": 41, "population": "adolescent"}, (6, 5, "half or more")),  # 6 hours are enough
        ({"los_days": 27, "population": "adolescent"}, (4, 4, "every week")),
        ({"los_days": 41, "level_of_care": "PHP"}, (6, 0, "none")),  # 20 hours
        ({"los_days": 41, "level_of_care": "OP"}, (6, None, None)),  # no number of hours is asked of OP
        ({"los_days": 41, "level_of_care": None}, (6, None, None)),
        ({"los_days": 5}, (0, 0, None)),  # no full week: no share
        ({"los_days": None, "observed_days": 20}, (3, 2, "half or more")),  # open: the weeks seen so far
        ({"los_days": 60, "discharge_reason": "lost_contact"}, (5, 3, "half or more")),  # last seen on day 36
        ({"los_days": 60}, (8, 4, "half or more")),  # two weeks without a session are full weeks below dose
        ({"los_days": 62}, (9, 4, "under half")),
    ],
)
def test_weeks_at_dose(stay: dict[str, object], expected: tuple[object, ...]) -> None:
    attendance = [
        {"episode_id": 1, "day": 7 * week + 1, "session_no": half, "minutes": int(hours * 30)}
        for week, hours in enumerate(HOURS)
        for half in (1, 2)
    ]
    columns = "full_weeks, weeks_at_dose, dose_band"
    assert one(columns, episode=[stay], attendance=attendance) == expected


def test_a_week_with_a_session_without_minutes_is_not_known_unless_the_others_suffice() -> None:
    # measures.md 2: "Unknown is NULL, never 0 or 99".
    attendance: list[dict[str, object]] = [
        {"day": 0, "minutes": 540},
        {"day": 1, "minutes": None},  # week 0: nine hours even without it
        {"day": 7, "minutes": 180},
        {"day": 8, "minutes": None},  # week 1: three hours and nobody knows how many more
        {"day": 14, "minutes": 180},  # week 2: three hours
    ]
    rows = [{"episode_id": 1} | row for row in attendance]
    columns = "attended_minutes, at_dose"
    weeks = outcome(columns, "attendance_week", "week", episode=[{"los_days": 20}], attendance=rows)
    assert weeks == [(None, True), (None, None), (180, False)]

    stay = "full_weeks, weeks_at_dose, dose_band, attended_minutes"
    assert one(stay, episode=[{"los_days": 20}], attendance=rows) == (3, None, None, None)
    # Without week 1, or when it is the unfinished last one, every full week is known; the minutes are not.
    known = [row for row in rows if row["day"] not in (7, 8)]
    assert one(stay, episode=[{"los_days": 20}], attendance=known) == (3, 1, "under half", None)
    assert one(stay, episode=[{"los_days": 12}], attendance=rows[:4]) == (1, 1, "every week", None)


def test_a_week_is_at_dose_by_its_hours_whether_or_not_it_is_full() -> None:
    attendance = [{"episode_id": 1, "day": day, "minutes": 540} for day in (0, 8)]
    rows = outcome(
        "week, is_full, at_dose", "attendance_week", "week", episode=[{"los_days": 9}], attendance=attendance
    )
    assert rows == [(0, True, True), (1, False, True)]


# ---- scores: first and last


def scores(*rows: tuple[Any, ...], **columns: object) -> list[dict[str, object]]:
    """Rows of (day, total) of the first episode."""
    return [{"episode_id": 1, "day": day, "total": total} | columns for day, total in rows]


def test_pairing_example_of_the_catalogue() -> None:
    """Oracle: measure_examples.json, `pairing` (admitted 2025-03-03, 56 days)."""
    rows = scores((-21, 20), (-7, 17), (0, 15), (7, 14), (49, 9), (49, 11), (63, 6), (64, 4))
    # Day -21 lies before the window; day 0 is nearest; day 63 is day 7 after discharge, day 64 is too late.
    pair = one("first, first_day, last, last_day, count", "score_outcome", episode=[{}], score=rows)
    assert pair == (15, 0, 6, 63, 6)
    # Profile nhs starts from the first score of the window.
    assert one("nhs_first, nhs_first_day, nhs_last", "score_outcome", episode=[{}], score=rows) == (17, -7, 6)
    # Without the two late ones: of 9 and 11 on one day, 11 makes the improvement smaller.
    assert one("last, last_day", "score_outcome", episode=[{}], score=rows[:-2]) == (11, 49)


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        ([(-3, 20), (2, 10)], (10, 2)),  # nearest
        ([(-3, 20), (3, 10)], (20, -3)),  # equally near: the earlier
        ([(-14, 20), (8, 10)], (20, -14)),  # the edges of the window
        ([(-15, 20), (8, 10)], (None, None)),
        ([(0, 12), (0, 10)], (10, 0)),  # one day: the smaller baseline makes the improvement smaller
    ],
)
def test_baseline_is_the_score_nearest_to_admission(rows: list[Any], first: Any) -> None:
    pair = one("first, first_day", "score_outcome", episode=[{}], score=scores(*rows))
    assert pair == first


def test_complete_beats_prorated_on_the_same_day_only() -> None:
    rows = scores((0, 10), (40, 9), is_prorated=True) + scores((0, 14), (-1, 18), (40, 5), (40, 6), (39, 1))
    pair = one("first, last, nhs_first, nhs_last, nhs_last_day", "score_outcome", episode=[{}], score=rows)
    assert pair == (14, 6, 18, 6, 40)
    # A prorated score is still a score; profile nhs alone does without.
    rows = scores((0, 10), (40, 9), is_prorated=True)
    pair = one("first, last, nhs_first, nhs_last, count", "score_outcome", episode=[{}], score=rows)
    assert pair == (10, 9, None, None, 2)


def test_where_a_high_total_is_good_the_ties_turn_round_and_tenths_stay_exact() -> None:
    rows = scores((0, 20.1), (0, 18.7), (40, 30.3), (40, 31.9), instrument="ors")
    # The improvement is smallest from the higher baseline to the lower last total.
    columns = "direction, first, last, week_0, week_5, baseline_severity"
    pair = one(columns, "score_outcome", episode=[{}], score=rows)
    assert pair == (-1, 20.1, 30.3, 18.7, 30.3, "distressed")


def test_without_a_baseline_there_is_no_last_score() -> None:
    columns = "first, last, last_day, count, late_first, nhs_first, week_1"
    late = one(columns, "score_outcome", episode=[{}], score=scores((9, 20), (40, 10)))
    assert late == (None, None, None, 2, True, 20, 20)
    # The baseline alone: measured once, nothing to compare.
    assert one(columns, "score_outcome", episode=[{}], score=scores((0, 20))) == (20, None, None, 1, False, 20, None)


def test_the_worst_and_the_latest_score_of_a_stay_ask_for_no_baseline() -> None:
    # measures.md 4.D, cssrs_high_risk: any during care, and at the last one asked
    columns = "first, worst, latest"
    # Days 3 and 5 are of one week, day 130 is after the weeks that are kept, day 147 is a week after discharge and
    # day 148 too late.
    rows = scores((3, 20), (5, 10), (130, 22), (140, 6), (148, 27))
    assert one(columns, "score_outcome", episode=[{"los_days": 140}], score=rows) == (20, 22, 6)
    assert one(columns, "score_outcome", episode=[{}], score=scores((9, 12), (40, 10))) == (None, 12, 10)
    assert one(columns, "score_outcome", episode=[{}], score=scores((-15, 12), (64, 10))) == (None, None, None)
    # Where a high total is good, the lowest is the worst; on one day, too.
    rows = scores((0, 20.1), (9, 18.7), (40, 30.3), (40, 31.9), instrument="ors")
    assert one(columns, "score_outcome", episode=[{}], score=rows) == (20.1, 18.7, 30.3)


def test_an_open_stay_has_an_interim_last_score() -> None:
    episodes = [{"los_days": None, "observed_days": 30}]
    assert one("is_closed, last", "score_outcome", episode=episodes, score=scores((0, 20), (30, 12))) == (False, 12)


def test_item_9_belongs_to_the_scores_of_the_pair() -> None:
    rows = [
        {"episode_id": 1, "day": 0, "total": 15, "item_9": 2},
        {"episode_id": 1, "day": 20, "total": 15, "item_9": 3},
        {"episode_id": 1, "day": 40, "total": 8, "item_9": 0},
    ]
    assert one("item_9_first, item_9_last", "score_outcome", episode=[{}], score=rows) == (2, 0)
    assert one("item_9_first, item_9_last", "score_outcome", episode=[{}], score=scores((0, 9), (9, 8))) == (None, None)


def test_weekly_totals_are_the_last_of_the_week_and_the_days_before_count_as_week_0() -> None:
    rows = scores((-5, 20), (7, 15), (13, 14), (118, 3), (119, 2))
    columns = "week_0, week_1, week_2, week_16"
    # Day 119 begins week 17, which has no column; it still counts as the last score.
    assert one(columns + ", last", "score_outcome", episode=[{"los_days": 130}], score=rows) == (20, 14, None, 3, 2)
    rows += scores((6, 18))
    assert one("week_0", "score_outcome", episode=[{"los_days": 130}], score=rows) == 18


def test_nobody_is_dropped_for_want_of_a_score() -> None:
    uses = [{"program_id": "north", "instrument": name} for name in ("gad7", "phq9")]
    rows = outcome(
        "episode_id, instrument, first, count, late_first, treated",
        "score_outcome",
        "episode_id, instrument",
        episode=[{}, {}],
        score=scores((0, 15)),
        attendance=[{"episode_id": 1, "day": day} for day in (0, 1)],
        program_instrument=uses,
    )
    assert rows == [
        (1, "gad7", None, 0, False, True),
        (1, "phq9", 15, 1, False, True),
        (2, "gad7", None, 0, False, False),
        (2, "phq9", None, 0, False, False),
    ]
    assert one("treated, attended_days", "score_outcome", episode=[{}], score=scores((0, 15))) == (None, None)


def test_severity_is_the_band_of_the_programs_own_depression_scale_else_of_gad7() -> None:
    episodes = [{"program_id": program} for program in ("both", "both", "anxiety", "neither", "teens")]
    uses = {"both": ("gad7", "phq9"), "anxiety": ("gad7", "who5"), "neither": ("who5",), "teens": ("gad7", "phqa")}
    rows = [
        {"episode_id": 1, "day": 0, "total": 19, "instrument": "phq9"},
        {"episode_id": 1, "day": 0, "total": 4, "instrument": "gad7"},
        {"episode_id": 2, "day": 0, "total": 21, "instrument": "gad7"},  # no PHQ-9 where it is used: not known
        {"episode_id": 3, "day": 0, "total": 10, "instrument": "gad7"},
        {"episode_id": 4, "day": 0, "total": 10, "instrument": "who5"},
        {"episode_id": 5, "day": 0, "total": 20, "instrument": "phqa"},  # the adolescents' form of PHQ-9
    ]
    declared = [{"program_id": p, "instrument": i} for p, names in uses.items() for i in names]
    tables = {"episode": episodes, "score": rows, "program_instrument": declared}
    assert outcome("baseline_severity", **tables) == ["moderately_severe", None, "moderate", None, "severe"]
    by_instrument = outcome("baseline_severity", "score_outcome", "episode_id, instrument", **tables)
    assert by_instrument == ["minimal", "moderately_severe", "severe", None, "moderate", None, "low", None, "severe"]


# ---- scores: two windows of one person


def test_between_two_stays_a_score_belongs_to_the_nearer_one() -> None:
    """Oracle: the limits of each claim, worked out apart from the SQL (feasibility.md 3.3).

    One person per gap and day: the first stay ends on day 30, the second begins `gap` days later, and the only
    score is filed with the first stay.
    """
    episodes: list[dict[str, object]] = []
    rows, expected = [], []
    for gap in range(31):
        admitted = 30 + gap
        claim_from = admitted + (max(-14, min(-((gap - 1) // 2), 8 - gap)) if gap > 0 else 0)
        claim_to = 30 + (min(7, gap // 2) if gap > 0 else 0)
        for day in range(28, admitted + 3):
            person = len(episodes) + 1
            episodes.append({"person_id": person, "los_days": 30})
            episodes.append({"person_id": person, "start_day": admitted, "los_days": 40})
            rows.append({"episode_id": person, "day": day, "total": 9})
            # A day may lie in neither window: over a week after the one and over 14 days before the other.
            is_first = day <= claim_to
            expected.append((gap, day, int(is_first), int(not is_first and day >= claim_from)))
    counts = outcome("count", "score_outcome", episode=episodes, score=rows)
    actual = [(gap, day, *counts[2 * number : 2 * number + 2]) for number, (gap, day, *_) in enumerate(expected)]
    assert actual == expected


TWO_STAYS = [{"person_id": 1, "los_days": 30}, {"person_id": 1, "start_day": 30, "los_days": 40}]


def test_a_score_inside_the_stay_it_was_filed_under_stays_there() -> None:
    # Day 30 is the last day of the first and the first day of the second stay.
    of_first = {"episode_id": 1, "day": 30, "total": 9}
    of_second = {"episode_id": 2, "day": 0, "total": 9}
    assert outcome("first, last, count", "score_outcome", episode=TWO_STAYS, score=[of_first]) == [
        (None, None, 1),
        (None, None, 0),
    ]
    assert outcome("first, count", "score_outcome", episode=TWO_STAYS, score=[of_second]) == [(None, 0), (9, 1)]


def test_a_score_filed_under_the_wrong_stay_moves_and_two_copies_are_one() -> None:
    rows = [
        {"episode_id": 1, "day": 0, "total": 20},
        {"episode_id": 1, "day": 36, "total": 8},  # day 6 of the second stay: not the last score of the first
        {"episode_id": 2, "day": 6, "total": 8},  # the same measurement, filed there as well
        {"episode_id": 2, "day": -3, "total": 11},  # day 27 of the first stay
    ]
    columns = "first, last, last_day, count"
    assert outcome(columns, "score_outcome", episode=TWO_STAYS, score=rows) == [(20, 11, 27, 2), (8, None, None, 1)]
    # Another total on the same day is another measurement: the smaller baseline counts, both are counted.
    rows[1]["total"] = 7
    assert outcome(columns, "score_outcome", episode=TWO_STAYS, score=rows)[1] == (7, None, None, 2)


def test_a_program_that_does_not_use_an_instrument_takes_no_score_away() -> None:
    episodes = [TWO_STAYS[0] | {"program_id": "north"}, TWO_STAYS[1] | {"program_id": "south"}]
    rows = [{"episode_id": 1, "day": day, "total": total} for day, total in ((0, 20), (33, 8))]
    uses = [{"program_id": "north", "instrument": "phq9"}]
    # Day 33 lies in the second stay, but nobody there asks for a PHQ-9: it is the first program's last score.
    columns = "episode_id, first, last"
    assert outcome(columns, "score_outcome", episode=episodes, score=rows, program_instrument=uses) == [(1, 20, 8)]


# ---- the tables themselves


def test_only_the_three_tables_remain_sorted_and_with_whole_numbers_as_integer() -> None:
    episodes: list[dict[str, object]] = [
        {"program_id": "south", "admit_period": "2025-01"},
        {"program_id": "north", "admit_period": "2025-02"},
        {"program_id": "north", "admit_period": "2025-01"},
        {"program_id": "north", "admit_period": None},
    ]
    connection = row_tables(episode=episodes, score=[{"episode_id": 2, "day": 0, "total": 20}])
    before = objects(connection)
    build_outcomes(connection)
    build_outcomes(connection)  # a second run replaces the tables
    assert objects(connection) - before == set(OUTCOME_TABLES)
    assert connection.execute("select episode_id from episode_outcome").fetchall() == [(3,), (2,), (4,), (1,)]
    assert connection.execute("select episode_id from score_outcome order by all").fetchall() == [(2,), (3,), (4,)]
    types = connection.execute(
        "select distinct data_type from duckdb_columns() where list_contains($tables, table_name)",
        {"tables": list(OUTCOME_TABLES)},
    ).fetchall()
    assert {name for (name,) in types if not name.startswith("ENUM")} == {"INTEGER", "BOOLEAN", "DOUBLE", "VARCHAR"}


def objects(connection: duckdb.DuckDBPyConnection) -> set[str]:
    names = connection.execute(
        "select table_name from duckdb_tables() union all select view_name from duckdb_views() where not internal"
    ).fetchall()
    return {name for (name,) in names}


def test_a_snapshot_without_episodes_has_the_three_tables() -> None:
    assert outcome("count(*)", order="1") == [0]


@pytest.mark.parametrize(
    ("words", "tables"),
    [
        ("is not unique", {"episode": [{"episode_id": 1}, {"episode_id": 1}]}),
        (
            "twice for one program",
            {"episode": [{}], "program_instrument": 2 * [{"program_id": "north", "instrument": "phq9"}]},
        ),
        ("not described", {"episode": [{}], "program_instrument": [{"program_id": "north", "instrument": "new"}]}),
    ],
)
def test_row_tables_that_would_lose_or_double_rows_are_refused(words: str, tables: dict[str, Any]) -> None:
    with pytest.raises(StoreProblem, match=words):
        build_outcomes(row_tables(**tables))


def test_more_minutes_than_a_packed_sum_holds_are_refused_not_miscounted() -> None:
    session = {"episode_id": 1, "session_type": "group", "status": "attended", "minutes": 600}
    # 2,097,151 minutes of a kind have room in one stay: 35,000 hours.
    connection = row_tables(episode=[{}], attendance=[session | {"day": day} for day in range(3496)])
    with pytest.raises(StoreProblem, match="attendance does not add up"):
        build_outcomes(connection)


def test_persons_whose_episodes_are_not_consecutive_cannot_be_cut_into_ranges() -> None:
    connection = row_tables(episode=[{"person_id": 1}, {"person_id": 2}, {"person_id": 1, "start_day": 90}])
    with pytest.raises(StoreProblem, match="consecutive"):
        build_outcomes(connection, episodes_per_range=1)
    with pytest.raises(ValueError, match="at least 1"):
        build_outcomes(connection, episodes_per_range=0)
