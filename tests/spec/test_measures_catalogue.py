"""Waits, dose, early leaving, returns and follow-up, each on a table one can check by hand.

Where the measure catalogue has a worked example (measure_examples.json), its figures stand in the comment.
"""

import math

import pytest

from analytics.measures import ALL, Estimate, evaluate, find, result_as_text
from analytics.measures.cards import definition_card, family_sentence
from analytics.measures.estimate import OF_KNOWN
from analytics.store.outcomes import build_outcomes
from tests.spec.outcome_tables import Row, SmallSnapshot, one, small_snapshot
from tests.spec.row_tables import row_tables


def value(snapshot: SmallSnapshot, name: str) -> Estimate:
    return one(snapshot, find(name)).estimates[ALL]


def counted(estimate: Estimate) -> tuple[int, int, int]:
    return estimate.numerator, estimate.denominator, estimate.unknown


# Access


@pytest.fixture(scope="module")
def waits() -> SmallSnapshot:
    # ex: access_wait; one person without a date of referral, one who never came
    days = [1, 2, 2, 3, 4, 5, 6, 8, 9, 14, 21, 30]
    rows: list[Row] = [{"wait_days": day - 1, "first_attended_day": 1} for day in days]
    return small_snapshot([*rows, {"first_attended_day": 0}, {"wait_days": 3, "attended_sessions": 0}])


def test_half_of_the_people_wait_at_most_the_median(waits: SmallSnapshot) -> None:
    found = value(waits, "days_referral_to_first_session")
    assert (found.value, found.ci_low, found.ci_high) == (5.5, 2, 14)
    assert (found.details["quarter"], found.details["three_quarters"]) == (2.75, 10.25)
    assert found.details["ninety"] == pytest.approx(20.3)
    assert (found.denominator, found.unit) == (12, "day")


def test_those_without_a_wait_are_rungs_of_the_ladder(waits: SmallSnapshot) -> None:
    ladder = one(waits, find("days_referral_to_first_session")).ladder
    assert [(step.count, step.lost) for step in ladder.steps] == [(14, 0), (13, 1), (12, 1), (12, 0)]


def test_a_first_session_within_a_week(waits: SmallSnapshot) -> None:
    found = value(waits, "started_within_7")  # 7 of 12, 32.0 to 80.7 %
    assert counted(found) == (7, 12, 0)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.319511, 0.80674), abs=1e-5)


def test_a_median_of_few_has_no_interval_and_says_so() -> None:
    snapshot = small_snapshot([{"wait_days": day, "first_attended_day": 0} for day in (3, 5, 9)])
    found = value(snapshot, "days_referral_to_first_session")
    assert (found.value, found.reason) == (5, "No interval: 3 episodes are too few for one of a median.")
    assert math.isnan(found.ci_low)


# Staying


def test_early_dropout_is_leaving_of_ones_own_after_at_most_two_days() -> None:
    snapshot = small_snapshot(
        [
            {"discharge_reason": "lost_contact", "attended_days": 2},  # yes
            {"discharge_reason": "administrative", "attended_days": 0},  # yes
            {"discharge_reason": "left_against_advice", "attended_days": 3},  # no
            {"discharge_reason": "completed", "attended_days": 1},  # no: completed
            {"discharge_reason": "transferred_higher", "attended_days": 1},  # no: moved on
            {"los_days": None, "attended_days": 1, "observed_days": 20},  # no: still here
            {"los_days": None, "attended_days": 1, "observed_days": 13},  # too recent
            {"discharge_reason": "lost_contact"},  # sessions not recorded
            {"discharge_reason": None, "attended_days": 1},  # why they left is not recorded
        ]
    )
    found = value(snapshot, "early_dropout")
    assert counted(found) == (2, 6, 2)
    assert found.too_recent == 1


def test_early_dropout_worked_example() -> None:
    # ex: early_dropout, 7 of 50: 14.0 % (7.0 to 26.2)
    gone = {"discharge_reason": "lost_contact", "attended_days": 1}
    found = value(small_snapshot([gone] * 7 + [{"attended_days": 20}] * 43), "early_dropout")
    assert (found.value, found.ci_low, found.ci_high) == pytest.approx((0.14, 0.069508, 0.261862), abs=1e-5)


def test_length_of_stay_counts_to_the_last_session() -> None:
    # ex: m12_los: 14, 14, 21, 56, 56, 56, 56, 56, 84, 84; one is still here
    stays: list[Row] = [{"los_days": 60, "exit_day": day} for day in (14, 14, 21, 56, 56, 56, 56, 56, 84, 84)]
    found = value(small_snapshot([*stays, {"los_days": None}]), "length_of_stay")
    assert (found.value, found.details["quarter"], found.details["three_quarters"]) == (56, 29.75, 56)
    assert found.denominator == 10


def test_planned_weeks_received() -> None:
    # ex: planned_attain: 56 of 56, 14 of 56, 84 of 84, 21 of 56; mean of stays .65625. A longer stay counts in full.
    # measures.md 4.B: "ratio=min(1, LOS/planned_days); % >=90 %", 0: "`planned_length_attained`: t."
    stays: list[Row] = [
        {"los_days": 56}, {"los_days": 14}, {"los_days": 100, "planned_weeks": 12}, {"los_days": 21},
        {"planned_weeks": None}, {"los_days": None},
    ]  # fmt: skip
    result = one(small_snapshot(stays), find("planned_length_attained"))
    found = result.estimates[ALL]
    assert (found.value, found.method, counted(found)) == (0.65625, "t", (4, 4, 0))
    assert (found.lower_bound, found.upper_bound) == (0.65625, 0.65625)
    # SD .4001953 of 1, .25, 1, .375; t(3) 3.182446
    half = 3.182446 * 0.4001953 / 2
    assert (found.ci_low, found.ci_high) == pytest.approx((0.65625 - half, 0.65625 + half), abs=1e-6)
    days, nine_tenths = (each[ALL] for each in result.variants.values())
    assert counted(days) == (56 + 14 + 84 + 21, 56 * 3 + 84, 0)
    assert counted(nine_tenths) == (2, 4, 0)
    assert "65.6% (1.9% to 129.3%) on average, from 4 with a known length." in result_as_text(result)


def test_a_headline_of_planned_days_needs_twenty_stays() -> None:
    # measures.md 4.Z: the unit is the episode, at least 20.
    for stays, told in ((19, False), (20, True)):
        measure, rows = find("planned_length_attained"), [{"los_days": 28 + number} for number in range(stays)]
        assert (family_sentence(measure, value(small_snapshot(rows), measure.id)) is not None) == told
    assert definition_card(measure).minimum == "20 known outcomes for a headline"


def test_completion_of_avoidable_outcomes_leaves_out_what_nobody_chose() -> None:
    # measures.md 4.B (c): "excluding neutral exits (died, incarcerated, moved, insurance_ended, transferred)"
    neutral = ["deceased", "incarcerated", "moved", "insurance_ended"]
    neutral += ["transferred_lower", "transferred_lateral", "transferred_higher", "transferred_higher"]
    reasons = ["completed", "completed", "lost_contact", None, *neutral]
    result = one(small_snapshot([{"discharge_reason": reason} for reason in reasons]), find("completion"))
    # "reason NULL = not completed, counted": 2 of 4.
    assert counted(result.variants["of avoidable outcomes"][ALL]) == (2, 4, 0)
    assert result.estimates[ALL].details["transferred to higher care"] == 2


def test_completion_of_the_planned_cohort_counts_everybody_whose_plan_is_over() -> None:
    # measures.md 4.B (d): "completed / admissions with planned_end+14 <= cut (unknown or still in = not completed)"
    rows: list[Row] = [
        {},  # eight weeks, completed: yes
        {"los_days": 10, "discharge_reason": "lost_contact"},
        {"discharge_reason": None},
        {"los_days": None, "observed_days": 70},  # still here, 14 days after its plan ended: no
        {"los_days": None, "observed_days": 69},  # too recent
        {"los_days": 20, "observed_days": 69},  # too recent, although completed
        {"planned_weeks": None},
    ]
    found = value(small_snapshot(rows), "completion_planned")
    assert counted(found) == (1, 4, 0)
    assert found.too_recent == 2


def test_weeks_at_the_planned_intensity() -> None:
    # ex: dose: 4 of 6 weeks; another stay of two weeks, both short; less than a week is no week
    snapshot = small_snapshot(
        [{"full_weeks": 6, "weeks_at_dose": 4}, {"full_weeks": 2, "weeks_at_dose": 0}, {"full_weeks": 0}]
    )
    assert counted(value(snapshot, "dose_adherence"))[:2] == (4, 8)


def hours(*stays: tuple[int | None, dict[int, float | None]]) -> SmallSnapshot:
    """Return stays of so many days (None is open), each with hours attended by day (None: minutes not recorded)."""
    connection = row_tables(
        episode=[{"los_days": los_days, "observed_days": 200} for los_days, _ in stays],
        attendance=[
            {"episode_id": number, "day": day, "minutes": None if length is None else round(60 * length)}
            for number, (_, sessions) in enumerate(stays, start=1)
            for day, length in sessions.items()
        ],
    )
    build_outcomes(connection)
    return SmallSnapshot(connection)


def test_hours_a_week_and_hours_in_all() -> None:
    # measures.md 4.B, dose_adherence: "Also mean hours/week, total hours." ex: dose: mean 7.75, total 46.5
    six_weeks = {3: 9, 10: 6, 11: 4.5, 17: 6, 24: 9, 31: 3, 38: 9}
    week, total = (value(hours((41, six_weeks)), name) for name in ("hours_per_week", "hours_total"))
    assert (week.value, week.denominator, week.unit) == (7.75, 1, "hour")
    assert (total.value, total.denominator) == (46.5, 1)
    assert math.isnan(week.lower_bound) and math.isnan(total.upper_bound)


def test_hours_of_whom() -> None:
    snapshot = hours(
        (10, {0: 4, 6: 3, 8: 2}),  # one full week of 7 hours; 9 in all
        (10, {0: 5, 8: None}),  # minutes missing after the only full week: 5 a week, the total not known
        (10, {0: None, 8: 2}),  # missing in the full week: neither known
        (13, {}),  # never came: two weeks of none
        (5, {0: 3}),  # less than a week: a total only
        (None, {0: 9}),  # still here: in neither
    )
    week, total = value(snapshot, "hours_per_week"), value(snapshot, "hours_total")
    assert (week.value, week.denominator, week.unknown) == ((7 + 5 + 0) / 3, 3, 1)
    assert (total.value, total.denominator, total.unknown) == ((9 + 0 + 3) / 3, 3, 2)
    assert "4.00 hours (-4.96 to 12.96 hours) on average, from 3 with known hours. Not known: 1." in result_as_text(
        one(snapshot, find("hours_per_week"))
    )


def test_engagement_counts_days_after_the_first() -> None:
    # ex: engagement: X on days 7 and 34 yes; Y on 7 and 35 no; Z two groups on one day no
    rows: list[Row] = [{"first_attended_day": 0, "early_attended_days": days} for days in (2, 1, 1)]
    late = {"first_attended_day": 0, "early_attended_days": 3, "observed_days": 33}
    snapshot = small_snapshot([*rows, late, {"attended_sessions": 0}])
    found = value(snapshot, "early_engagement")
    assert counted(found) == (1, 3, 0)
    assert found.too_recent == 1


# Hospital, return


def test_readmission_grows_with_the_window() -> None:
    rows: list[Row] = [{"readmission_day": day} for day in (1, 30, 31, 90, 180, 181, None)]
    snapshot = small_snapshot(rows)
    assert [value(snapshot, f"readmission_{day}d").numerator for day in (30, 90, 180)] == [2, 4, 5]


def test_readmission_needs_as_many_visible_days_as_the_window() -> None:
    snapshot = small_snapshot(
        [{"captured_days": 60}, {"captured_days": 200}, {"captured_days": 60, "readmission_day": 50}]
    )
    assert counted(value(snapshot, "readmission_30d")) == (0, 3, 0)
    # measures.md 4.F: "discharge+30 <= min(cut, capture_window end)"; whom nobody saw that long is not known.
    assert counted(value(snapshot, "readmission_90d")) == (0, 1, 2)


def test_moves_to_higher_care_per_thousand_days() -> None:
    # ex: stepup: 1 event in 560 enrolled days, 1.79 per 1,000; closed 497, open 63
    closed = [56, 56, 14, 84, 21, 56, 84, 14, 56, 56]
    rows: list[Row] = [{"los_days": day} for day in closed]
    rows[4] = {"los_days": 21, "discharge_reason": "transferred_higher"}
    rows += [{"los_days": None, "observed_days": day} for day in (35, 28)]
    found = value(small_snapshot(rows), "step_up_rate")
    assert counted(found) == (1, 560, 0)
    assert found.value == pytest.approx(1.785714, abs=1e-6)
    # Garwood: 1 event, 0.0253 to 5.572
    assert (found.ci_low, found.ci_high) == pytest.approx((25.318 / 560, 5571.64 / 560), abs=1e-3)


def test_coming_back_counts_from_the_end_of_a_course() -> None:
    snapshot = small_snapshot(
        [
            {"days_to_return": 31},  # yes
            {"days_to_return": 180},  # yes
            {"days_to_return": 181},  # no, too late
            {},  # no
            {"days_to_next_episode": 12, "is_course_last": False},  # the same course goes on
            {"discharge_reason": "deceased"},  # cannot come back
            {"observed_days": 200},  # left 144 days ago: too recent
        ]
    )
    found = value(snapshot, "return_to_program")
    assert counted(found) == (2, 4, 0)
    assert found.too_recent == 1


# Follow-up


def test_abstinence_half_a_year_later_counts_everybody_who_left() -> None:
    # ex: abst_followup: 130 left; 10 too recent, 2 died, 3 in custody, 15 no consent; of 100 due 60 were reached
    sud = {"is_sud": True}
    rows: list[Row] = [sud | {"observed_days": 56 + 239}] * 10
    rows += [sud | {"followup_180_outcome": "deceased", "followup_180_reached": False}] * 2
    rows += [sud | {"followup_180_outcome": "incarcerated", "followup_180_reached": False}] * 3
    rows += [sud | {"followup_180_outcome": "no_consent", "followup_180_reached": False}] * 15
    rows += [sud | {"followup_180_reached": True, "followup_180_abstinent": True}] * 39
    rows += [sud | {"followup_180_reached": True, "followup_180_abstinent": False}] * 21
    rows += [sud | {"followup_180_reached": False}] * 40
    snapshot = small_snapshot([*rows, {"is_sud": False}])
    (reach, use) = evaluate([find("followup_180_reach"), find("abstinence_followup_180")], snapshot)
    assert counted(use.estimates[ALL]) == (39, 100, 40)
    assert use.estimates[ALL].upper_bound == pytest.approx(0.79)
    assert counted(use.variants[OF_KNOWN][ALL])[:2] == (39, 60)
    all_due = use.variants["counting also people who had not agreed to be called"][ALL]
    assert counted(all_due) == (39, 115, 55)
    assert (all_due.lower_bound, all_due.upper_bound) == pytest.approx((0.33913, 0.817391), abs=5e-7)
    assert (all_due.ci_low, all_due.ci_high) == pytest.approx((0.259057, 0.429604), abs=1e-4)
    assert use.estimates[ALL].too_recent == 10
    assert (reach.estimates[ALL].numerator, reach.estimates[ALL].denominator) == (60, 101)
    lost = {step.lost_label: step.lost for step in use.ladder.steps}
    assert (lost["died"], lost["in custody when the call was due"], lost["had not agreed to be called"]) == (2, 3, 15)


@pytest.mark.parametrize("day", [30, 90, 180, 365])
def test_every_call_has_its_own_columns_and_its_own_horizon(day: int) -> None:
    late = {30: 45, 90: 120, 180: 240, 365: 425}[day]
    rows: list[Row] = [
        {f"followup_{day}_reached": True, "observed_days": 56 + late},
        {f"followup_{day}_reached": True, "observed_days": 56 + late - 1},
    ]
    found = value(small_snapshot(rows), f"followup_{day}_reach")
    assert (found.numerator, found.denominator, found.too_recent) == (1, 1, 1)


# Recovery, and use week by week (the endpoints themselves: tests/reference)


def test_no_use_at_all_counts_everybody_and_is_never_above_no_use_last_month() -> None:
    # ex: abst_cont: 31 of 60 reached, 31 of 100 due; here 3 of 4 answered, 4 of 6 due, one told of use in between
    sud = {"is_sud": True, "followup_180_reached": True}
    rows: list[Row] = [sud | {"followup_180_abstinent": True, "followup_180_continuous": True}] * 2
    rows += [sud | {"followup_180_abstinent": True, "followup_180_continuous": False}]
    rows += [sud | {"followup_180_abstinent": False, "followup_180_continuous": False}]
    rows += [{"is_sud": True, "followup_180_reached": False}] * 2
    snapshot = small_snapshot(rows)
    point, whole = value(snapshot, "abstinence_followup_180"), value(snapshot, "abstinence_continuous")
    assert (counted(point), counted(whole)) == ((3, 6, 2), (2, 6, 2))


def test_time_to_first_use_is_censored_at_the_last_clean_contact() -> None:
    # Five people: used on days 20 and 40; last seen clean on days 30 and 90; one never seen again.
    seen: list[Row] = [
        {"first_use_day": 20, "last_clean_day": 10}, {"first_use_day": 40}, {"last_clean_day": 30},
        {"last_clean_day": 90}, {},
    ]  # fmt: skip
    result = one(small_snapshot([{"is_sud": True, **row} for row in seen]), find("time_to_first_use"))
    curve, estimate = result.curves[ALL], result.estimates[ALL]
    # S = 1 - 1/4 at day 20, then times 1 - 1/2 at day 40
    assert dict(zip(curve.time, curve.values["still in"], strict=True)) == pytest.approx(
        {20: 0.75, 30: 0.75, 40: 0.375, 90: 0.375}
    )
    assert (estimate.numerator, estimate.denominator, estimate.unit) == (2, 4, "day")
    assert result.ladder.steps[-2].lost_label == "never seen again: nothing is known of them"


def test_work_before_and_after_is_of_the_same_people() -> None:
    both = {"followup_180_reached": True}
    rows: list[Row] = [both | {"employed_admission": False, "followup_180_employed": True}] * 3
    rows += [both | {"employed_admission": True, "followup_180_employed": True}] * 2
    rows += [both | {"employed_admission": True, "followup_180_employed": False}]
    rows += [both | {"followup_180_employed": True}, both, {"followup_180_reached": False}]
    found = value(small_snapshot(rows), "employed_change")
    assert counted(found) == (6, 7, 2)
    assert found.details["paired"] == 6
    assert (found.details["before"], found.details["after"]) == pytest.approx((3 / 6, 5 / 6))


def test_recovery_meetings_half_a_year_later_are_a_share_without_a_change() -> None:
    # measures.md 4.E, noms_change: "mutual help". 3 of 5 with an answer went; one gave none, one was not reached.
    sud = {"is_sud": True}
    rows: list[Row] = [sud | {"followup_180_meetings": True}] * 3 + [sud | {"followup_180_meetings": False}] * 2
    rows += [sud | {"followup_180_reached": reached} for reached in (True, False)]
    rows += [sud | {"followup_180_outcome": "deceased"}, {"is_sud": False, "followup_180_meetings": True}]
    found = value(small_snapshot(rows), "meetings_followup")
    assert (found.numerator, found.denominator, found.unknown, found.value) == (3, 5, 2, 3 / 5)
    assert "paired" not in found.details


def test_weekly_endpoints_speak_of_weeks() -> None:
    rows: list[Row] = [{"is_sud": True, "use_pattern": pattern} for pattern in ("----", "--+-", "_oo_", "++++")]
    snapshot = small_snapshot([*rows, {"is_sud": True, "use_pattern": "__"}, {"is_sud": True}])
    longest = value(snapshot, "use_longest_abstinence")
    assert (longest.value, longest.unit, longest.denominator) == (1, "week", 4)
    assert counted(value(snapshot, "use_percent_negative"))[:2] == (7, 14)
    first = value(snapshot, "use_first_positive")
    assert (first.value, first.unit) == (2, "week")
    assert counted(value(snapshot, "use_negative_last_four")) == (2, 3, 0)
