"""A measure by calendar period: which periods count, which chart is taken, and its sentences. Counts by hand."""

import json
import math

import pytest

from analytics.errors import MeasureProblem
from analytics.measures import Stratifier, find, result_as_dict
from analytics.measures.chart_choice import Chart
from analytics.measures.over_time import TimeSeries, over_time
from analytics.measures.over_time_text import series_as_text
from analytics.texts.periods import grain_of, is_over, period_at, place_of
from tests.spec.outcome_tables import Row, SmallSnapshot, small_snapshot

COMPLETION = find("completion")
LATER = "2030-12-31"  # a data cut after everything


def left(month: str, completed: int, people: int, **columns: object) -> list[Row]:
    """People who left in a month, admitted long before the data could be too young."""
    common = {"discharge_period": month, "admit_period": "2020-01", **columns}
    return [common] * completed + [common | {"discharge_reason": "lost_contact"}] * (people - completed)


def months(count: int, start: str = "2025-01") -> list[str]:
    return [period_at(place_of(start) + number, "month") for number in range(count)]


def monthly(completed: list[int], people: int = 20) -> SmallSnapshot:
    return small_snapshot(
        [row for month, yes in zip(months(len(completed)), completed, strict=True) for row in left(month, yes, people)]
    )


def counts(series: TimeSeries) -> dict[str, tuple[int, int]]:
    return {point.period: (point.numerator, point.denominator) for point in series.points}


def standings(series: TimeSeries) -> dict[str, str]:
    return {point.period: point.standing for point in series.points}


# Labels


@pytest.mark.parametrize("period", ["2024-12", "2025-01", "2024-Q4", "2025-Q1", "2025"])
def test_every_period_has_a_place_among_those_of_its_grain(period: str) -> None:
    assert period_at(place_of(period), grain_of(period)) == period


def test_the_next_period_is_one_place_further() -> None:
    assert place_of("2025-01") - place_of("2024-12") == 1
    assert place_of("2025-Q1") - place_of("2024-Q4") == 1
    assert period_at(place_of("2024-12") + 14, "month") == "2026-02"


@pytest.mark.parametrize(
    ("period", "data_as_of", "over"),
    [
        ("2024-02", "2024-02-29", True),
        ("2024-02", "2024-02-28", False),
        ("2024-Q1", "2024-03-31", True),
        ("2024-Q1", "2024-03-30", False),
        ("2023", "2023-12-31", True),
        ("2024", "2023-12-31", False),
        # Where no day is kept, the period of the data cut itself is in doubt.
        ("2024-Q1", "2024-Q2", True),
        ("2024-Q2", "2024-Q2", False),
        ("2023", "2024", True),
        ("2024-Q4", "2024", False),
    ],
)
def test_a_period_is_over_when_its_last_day_has_passed(period: str, data_as_of: str, over: bool) -> None:
    assert is_over(period, data_as_of) is over


# Counts


def test_twelve_people_by_the_month_they_left_in() -> None:
    rows = [
        *left("2025-01", 2, 3),
        *left("2025-02", 1, 4),
        # nobody left in March
        *left("2025-04", 3, 3),
        {"discharge_period": "2025-04", "admit_period": "2020-01", "discharge_reason": None},  # not known why
        {"los_days": None, "admit_period": "2025-01"},  # still in: not among those who left
    ]
    series = over_time(COMPLETION, small_snapshot(rows), LATER)
    assert series.by is Stratifier.DISCHARGE_PERIOD and series.grain == "month"
    assert counts(series) == {"2025-01": (2, 3), "2025-02": (1, 4), "2025-03": (0, 0), "2025-04": (3, 3)}
    assert standings(series)["2025-03"] == "nobody"
    assert [point.unknown for point in series.points] == [0, 0, 0, 1]
    assert [point.persons for point in series.points] == [3, 4, None, 3]
    assert series.chart is Chart.POINTS
    assert series.reason == "3 complete months: a run chart needs 10, limits need 12."
    assert series.snapshot_id == "small"


def test_months_are_taken_together() -> None:
    rows = [*left("2025-01", 2, 3), *left("2025-03", 1, 4), *left("2025-04", 0, 2)]
    snapshot = small_snapshot(rows)
    assert counts(over_time(COMPLETION, snapshot, LATER, "quarter")) == {"2025-Q1": (3, 7), "2025-Q2": (0, 2)}
    assert counts(over_time(COMPLETION, snapshot, LATER, "year")) == {"2025": (3, 9)}


def test_quarters_are_not_made_finer() -> None:
    snapshot = small_snapshot([*left("2025-Q1", 2, 3, admit_period="2020-Q1"), *left("2025-Q3", 1, 1)])
    assert counts(over_time(COMPLETION, snapshot, "2026-Q1")) == {
        "2025-Q1": (2, 3),
        "2025-Q2": (0, 0),
        "2025-Q3": (1, 1),
    }
    assert counts(over_time(COMPLETION, snapshot, "2026-Q1", "year")) == {"2025": (3, 4)}
    with pytest.raises(MeasureProblem, match="no period finer than a quarter"):
        over_time(COMPLETION, snapshot, "2026-Q1", "month")


def test_without_a_month_of_leaving_people_stand_in_their_month_of_admission() -> None:
    # 8 planned weeks and 14 days after admission 70 days have passed for the first two, not for the third.
    rows: list[Row] = [
        {"admit_period": "2025-01", "observed_days": 70},
        {"admit_period": "2025-01", "observed_days": 70, "discharge_reason": "lost_contact"},
        {"admit_period": "2025-02", "observed_days": 69},
    ]
    series = over_time(COMPLETION, small_snapshot(rows), LATER)
    assert series.by is Stratifier.ADMIT_PERIOD
    assert standings(series) == {"2025-01": "counted", "2025-02": "too recent"}
    assert "In February 2025: for 1 the time has not passed yet." in series_as_text(series)


def test_the_month_in_which_the_data_end_is_shown_and_not_counted() -> None:
    snapshot = monthly([10] * 12)
    series = over_time(COMPLETION, snapshot, "2025-12-30")
    assert standings(series)["2025-12"] == "not over" and len(series.counted) == 11
    assert series.points[-1].denominator == 20 and math.isnan(series.points[-1].upper)
    assert "In December 2025: the data end with 30 December 2025, before this period was over." in series_as_text(
        series
    )
    assert len(over_time(COMPLETION, snapshot, "2025-12-31").counted) == 12


def test_the_first_months_of_young_data_hold_only_short_stays() -> None:
    # Admissions begin in January, planned for 8 weeks; 70 days later is within the third month after it.
    rows = [row for month in months(6) for row in left(month, 1, 2, admit_period="2025-01")]
    series = over_time(COMPLETION, small_snapshot(rows), LATER)
    assert [*standings(series).values()] == ["too early"] * 3 + ["counted"] * 3
    assert "January to March 2025: only short stays could have ended" in series_as_text(series)
    # One plan of a year does not take a year of points away.
    rows.append({**rows[0], "planned_weeks": 52})
    assert standings(over_time(COMPLETION, small_snapshot(rows), LATER)) == standings(series)


def test_what_adds_up_over_a_stay_waits_for_its_end() -> None:
    booked = {
        "attended_sessions": 8,
        "no_show_sessions": 2,
        "cancelled_client_sessions": 0,
        "cancelled_late_sessions": 0,
    }
    rows: list[Row] = [
        {**booked, "admit_period": "2025-01"},
        {**booked, "admit_period": "2025-02", "los_days": None, "observed_days": 100},  # long past the plan
        {**booked, "admit_period": "2025-03", "los_days": None, "observed_days": 30},
    ]
    series = over_time(find("no_show"), small_snapshot(rows), LATER)
    assert standings(series) == {"2025-01": "counted", "2025-02": "counted", "2025-03": "unfinished"}
    assert series.points[0].value == pytest.approx(0.2)
    assert "In March 2025: 1 stays are not over yet." in series_as_text(series)


def test_a_month_of_few_people_is_marked() -> None:
    # Twelve stays, all of one person.
    rows = [row | {"person_id": 1} for row in left("2025-01", 6, 12)] + left("2025-02", 6, 12)
    series = over_time(COMPLETION, small_snapshot(rows), LATER)
    assert [point.small for point in series.points] == [True, False]
    assert "small: fewer than 11 people, or not known to be more; do not compare, do not share." in series_as_text(
        series
    )


def test_data_without_a_calendar_say_so() -> None:
    series = over_time(COMPLETION, small_snapshot([{"admit_period": None}]), "")
    assert series.points == () and series.undated == 1
    assert "These data have no calendar" in series_as_text(series)


def test_what_was_not_collected_has_a_reason() -> None:
    snapshot = small_snapshot([{}], absent=["attendance"])
    series = over_time(find("attendance"), snapshot, LATER)
    assert series.reason == "Not collected: attendance of sessions."
    assert series.reason in series_as_text(series)


# Which chart


@pytest.mark.parametrize(
    ("completed", "people", "chart"),
    [
        ([10] * 9, 20, Chart.POINTS),
        ([9, 11] * 5, 20, Chart.RUN),
        ([9, 11] * 5 + [10], 20, Chart.RUN),
        # Neighbours differ as chance would have it: 20 people with and without, five expected of each kind.
        ([10, 11, 12, 11, 10, 9] * 2, 20, Chart.P),
        # 2 and 18 of 20 in turn: far more than chance.
        ([2, 18] * 6, 20, Chart.P_PRIME),
        # Four people a month: two expected.
        ([1, 3, 2, 2, 1, 2] * 2, 4, Chart.XMR),
        # Never anything else than half: no range at all; but from counts there is one.
        ([2] * 12, 4, Chart.RUN),
        ([10] * 12, 20, Chart.P),
        ([20] * 12, 20, Chart.RUN),
    ],
)
def test_the_chart_is_the_one_that_the_counts_allow(completed: list[int], people: int, chart: Chart) -> None:
    series = over_time(COMPLETION, monthly(completed, people), LATER)
    assert series.chart is chart
    has_limits = chart in (Chart.P, Chart.P_PRIME, Chart.XMR)
    assert has_limits is (series.reason is None) is not math.isnan(series.points[0].upper)


def test_limits_of_a_share_by_hand() -> None:
    # Half of 20: .5 ± 3 √(.25/20) = .5 ± .3354; sigma_z 0, so it stays with plain limits.
    series = over_time(COMPLETION, monthly([10] * 12), LATER)
    (first, *_) = series.points
    assert (first.centre, first.lower, first.upper) == pytest.approx((0.5, 0.164590, 0.835410), abs=1e-6)
    assert series.sigma_z == 0


def test_limits_of_single_values_stay_within_what_a_share_can_be() -> None:
    # 1 and 3 of 4 in turn: mean .5, moving range .5, limits .5 ± 1.33.
    series = over_time(COMPLETION, monthly([1, 3] * 6, people=4), LATER)
    assert series.chart is Chart.XMR
    assert {(point.lower, point.upper) for point in series.points} == {(0.0, 1.0)}


def test_events_per_time_have_a_u_chart() -> None:
    # Twenty stays of 50 days a month, five and seven of them with a step up in turn: 6 ± 3 √6 per 1,000 days.
    rows = [
        {"admit_period": month, "los_days": 50, "step_up_day": 9 if number < 5 + 2 * (place % 2) else None}
        for place, month in enumerate(months(12))
        for number in range(20)
    ]
    series = over_time(find("step_up_rate"), small_snapshot(rows), LATER)
    assert series.chart is Chart.U
    assert (series.points[0].value, series.points[0].denominator) == (5.0, 1000)
    assert (series.centre, series.points[0].upper) == pytest.approx((6.0, 6 + 3 * math.sqrt(6)))
    assert series.points[0].lower == 0.0


# Signals


def test_a_point_beyond_the_limits_of_a_frozen_baseline() -> None:
    # A year at half; then 18 of 20, above .8354.
    series = over_time(COMPLETION, monthly([10] * 12 + [11, 18]), LATER, baseline=12)
    assert [point.outside for point in series.points] == [False] * 13 + [True]
    assert series.baseline == 12 and series.centre == 0.5
    (signal,) = series.signals
    assert (signal.rule, signal.first, signal.direction) == ("outside", "2026-02", 1)
    assert signal.words == "In February 2026: 90.0%, above the usual range (the usual range ends at 83.5%)."
    assert "frozen on the first 12 months" in series_as_text(series)


def test_a_long_run_is_said_in_words() -> None:
    # 24 months around .5: twelve below, twelve above; up to 8 in a row are common, 8 crossings at least usual.
    series = over_time(COMPLETION, monthly([8, 9] * 6 + [11, 12] * 6), LATER)
    assert [signal.rule for signal in series.signals] == ["run", "run", "crossings"]
    assert series.signals[1].words == (
        "January to December 2026: 12 months in a row above the centre; chance alone rarely gives more than 8."
    )
    assert series.signals[2].words.startswith("January 2025 to December 2026: the series crosses its centre once in 24")
    assert series_as_text(series).count("chance alone rarely") == 3


def test_single_values_are_read_by_their_own_rules() -> None:
    # 4 people a month; seven rising months: 0 is not possible, so years of shares in steps of a quarter and a tenth.
    rows = [row for month, yes, people in zip(
        months(14), [1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5], [2, 3, 2, 3, 2, 4, 7, 6, 8, 7, 8, 7, 8, 7], strict=True
    ) for row in left(month, yes, people)]  # fmt: skip
    series = over_time(COMPLETION, small_snapshot(rows), LATER)
    assert series.chart is Chart.XMR
    rules = [signal.rule for signal in series.signals]
    # From June (.25) on each month is higher: .286, .333, .375, .429, .5, .571, .625, .714.
    trend = next(signal for signal in series.signals if signal.rule == "trend")
    assert (trend.first, trend.last, trend.direction) == ("2025-06", "2026-02", 1)
    assert "9 months in a row, each higher than the one before" in trend.words
    assert "crossings" not in rules


def test_ordinary_movement_is_no_signal() -> None:
    series = over_time(COMPLETION, monthly([10, 12, 9, 11, 8, 10, 11, 9, 12, 10, 9, 11]), LATER)
    assert series.signals == ()
    assert "No signal: it moved within its usual range." in series_as_text(series)


# A change


def test_a_change_has_a_phase_of_its_own_and_a_level_with_an_interval() -> None:
    snapshot = monthly([8, 9, 8, 7] * 3 + [12, 11, 12, 13] * 3)
    series = over_time(COMPLETION, snapshot, LATER, change_at="2026-01")
    assert (series.points[0].centre, series.points[-1].centre) == pytest.approx((0.4, 0.6))
    assert series.signals == ()  # each year moves within its own range
    change = series.change
    assert change is not None and (change.before, change.after) == (12, 12)
    assert 0.15 < change.level_change.ci_low < 0.2 < change.level_change.ci_high < 0.25
    assert change.slope_change.ci_low < 0 < change.slope_change.ci_high
    text = series_as_text(series)
    assert "At the change of January 2026, against the line of the 12 months before: 2" in text
    assert "against the former slope: no clear change, between" in text


def test_too_few_points_since_a_change_are_judged_by_those_before() -> None:
    series = over_time(COMPLETION, monthly([10] * 12 + [17, 18]), LATER, change_at="2026-01")
    assert series.baseline == 12 and series.points[-1].centre == 0.5
    assert series.change is not None and math.isnan(series.change.level_change.value)
    assert "cannot be told: at least 3 observed points are needed" in series_as_text(series)
    short = over_time(COMPLETION, monthly([10] * 14), LATER, change_at="2025-06")
    assert short.chart is Chart.POINTS
    assert short.reason == "5 complete months before the change: limits need 12, and none are taken across it."


# What cannot be asked


def test_what_cannot_be_asked_is_said() -> None:
    snapshot = monthly([10] * 12)
    for match, options in {
        "at least 12 months": {"baseline": 6},
        "12 complete months so far": {"baseline": 24},
        "Give a baseline or a change": {"baseline": 12, "change_at": "2025-06"},
        "from 2025-01 to 2025-12": {"change_at": "2024-06"},
    }.items():
        with pytest.raises(MeasureProblem, match=match):
            over_time(COMPLETION, snapshot, LATER, **options)  # type: ignore[arg-type]
    with pytest.raises(MeasureProblem, match="about the whole stay"):
        over_time(find("retention_km"), snapshot, LATER)


def test_the_json_has_whole_numbers_and_null() -> None:
    data = json.loads(json.dumps(result_as_dict(over_time(COMPLETION, monthly([1, 2]), "2025-02-10")), allow_nan=False))
    assert data["chart"] == "points only" and data["reason"]
    first, last = data["points"]
    assert (first["numerator"], first["denominator"], first["upper"]) == (1, 20, None)
    assert last["standing"] == "not over" and last["reason"].startswith("the data end with 10 February 2025")
    assert data["snapshot_id"] == "small" and data["data_as_of"] == "2025-02-10"


def test_the_mean_share_of_a_plan_has_a_chart_in_percent() -> None:
    # Of eight weeks one stays four, one eight, and the third by turns: 83.3 or 66.7 %. No limit is above 100 %.
    rows: list[Row] = []
    for number, month in enumerate(months(12)):
        common = {"discharge_period": month, "admit_period": "2020-01"}
        rows += [common | {"los_days": 28}, common | {"los_days": 56}, common | {"los_days": 56 - 28 * (number % 2)}]
    series = over_time(find("planned_length_attained"), small_snapshot(rows), LATER)
    assert series.chart is Chart.XMR
    assert [round(point.value, 4) for point in series.points[:2]] == [0.8333, 0.6667]
    assert max(point.upper for point in series.counted) <= 1
    assert "December 2025: 66.7%." in series_as_text(series)
