"""What docs/demo.md says is true in the demo is what `evaluate` finds in the imported demo.

The numbers in the comments and asserted as counts are those of docs/demo.md, which `test_demo_raw` computes from the
raw files with pandas: a second opinion on the whole way from a file to an estimate.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import sqrt
from statistics import NormalDist

import pytest
from scipy.stats import chi2

from analytics.demo import DemoFacts, write_raw
from analytics.intake.deidentify import DEMO_KEY, Key
from analytics.intake.importer import ImportRequest, run_import
from analytics.intake.report import ImportReport
from analytics.measures import ALL, Cohort, Estimate, Measure, StratifiedResult, Stratifier, evaluate, find
from analytics.measures.between_groups import compare_groups
from analytics.measures.over_time import over_time
from analytics.statistics.proportions import newcombe_difference
from analytics.store.snapshot import Snapshot, open_current

COMPLETION = find("completion")
IMPROVED = find("reliable_improvement", "phq9")
PAIRED = find("paired_score", "phq9")
NO_SHOW = find("no_show")
SMALL_CELL = 11
Z = NormalDist().inv_cdf(0.975)


@pytest.fixture(scope="session")
def imported_demo(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[DemoFacts, ImportReport, Snapshot]]:
    """The demo of docs/demo.md, imported once as `python -m analytics demo` does it."""
    home = tmp_path_factory.mktemp("planted")
    facts = write_raw(home / "raw", episodes=2400, seed=1)
    report = run_import(
        ImportRequest(home / "raw", home / "store", "synthetic", Key(DEMO_KEY, None), facts.data_cut, facts.import_date)
    )
    snapshot = open_current(home / "store")
    yield facts, report, snapshot
    snapshot.close()


@pytest.fixture(scope="session")
def demo(imported_demo: tuple[DemoFacts, ImportReport, Snapshot]) -> Snapshot:
    return imported_demo[2]


def result(
    snapshot: Snapshot, measure: Measure, by: Stratifier | None = None, cohort: Cohort | None = None
) -> StratifiedResult:
    (found,) = evaluate([measure], snapshot, cohort or Cohort(), by)
    return found


def only(measure: Measure, words: str, condition: str) -> Measure:
    """The measure with one more step of its ladder: a condition over the outcome table that no split offers."""
    return replace(
        measure,
        eligible={**measure.eligible, words: condition},
        lost={**measure.lost, words: f"not: {words}"},
    )


def of_all(snapshot: Snapshot, measure: Measure, cohort: Cohort | None = None) -> Estimate:
    return result(snapshot, measure, cohort=cohort).estimates[ALL]


def clearly_above(higher: Estimate, lower: Estimate) -> bool:
    """The two intervals do not meet: a larger gap than a difference that is only not zero."""
    return higher.ci_low > lower.ci_high


def groups(found: StratifiedResult) -> dict[str, Estimate]:
    return {name: estimate for name, estimate in found.estimates.items() if name != ALL}


def test_every_row_but_the_mistakes_on_purpose_is_in_the_snapshot(
    imported_demo: tuple[DemoFacts, ImportReport, Snapshot],
) -> None:
    facts, report, snapshot = imported_demo
    found: dict[tuple[str, str], int] = {}
    for name, file in report.files.items():
        for item in file.rejected:
            found[name, item.rule] = found.get((name, item.rule), 0) + 1
    assert found == facts.mess
    for table, name in {"episode": "episodes", "attendance": "attendance", "score": "scores"}.items():
        refused = sum(rows for (file, _), rows in facts.mess.items() if file == f"{name}.csv")
        assert snapshot.facts.counts[table] == facts.rows[f"{name}.csv"] - refused, table


# 1


def test_telehealth_completes_more_often_and_less_often_at_every_severity(demo: Snapshot) -> None:
    overall = groups(result(demo, COMPLETION, Stratifier.MODALITY))
    assert clearly_above(overall["telehealth"], overall["in_person"])  # 67.6 % and 56.6 %
    difference, variance, people = 0.0, 0.0, 0
    for band in ("mild", "moderate", "moderately_severe", "severe"):
        cohort = Cohort({"baseline_severity": (band,)})
        found = groups(result(demo, COMPLETION, Stratifier.MODALITY, cohort))
        remote, present = found["telehealth"], found["in_person"]
        assert remote.value < present.value, band
        size = sum(estimate.denominator for estimate in found.values())
        people += size
        difference += size * (remote.value - present.value)
        variance += size**2 * sum(e.value * (1 - e.value) / e.denominator for e in (remote, present))
    # The same people in every band on both sides: the difference and its 95 % interval lie below zero.
    assert people > 1_800
    assert difference / people + Z * sqrt(variance) / people < 0


def test_with_the_same_people_telehealth_completes_less_often(demo: Snapshot) -> None:
    found = {each.group: each for each in compare_groups(COMPLETION, demo, Stratifier.MODALITY).groups}
    remote, present = found["telehealth"], found["in_person"]
    assert remote.estimate.value > present.estimate.value + 0.08
    assert remote.ratio < 1 < present.ratio
    assert remote.adjusted < present.adjusted - 0.03
    assert remote.same_mix < present.same_mix - 0.03


def test_telehealth_people_start_milder(demo: Snapshot) -> None:
    first = "first is not null"
    severe = replace(
        COMPLETION,
        table=PAIRED.table,
        instrument="phq9",
        eligible={"left the program": "is_closed", "had a score at the start": first},
        lost={"left the program": "still in", "had a score at the start": "no score"},
        success="first >= 15",
        variants={},
        mature=None,
    )
    found = groups(result(demo, severe, Stratifier.MODALITY))
    assert clearly_above(found["in_person"], found["telehealth"])


# 2


def test_planned_length_hardly_matters_for_improvement(demo: Snapshot) -> None:
    found = groups(result(demo, IMPROVED, Stratifier.PLANNED_WEEKS))
    assert list(found) == ["6", "8", "12"]
    values = [estimate.value for estimate in found.values()]
    assert max(values) - min(values) < 0.06
    for one in found.values():
        assert all(not clearly_above(one, other) for other in found.values())


def test_no_planned_length_is_set_apart_for_improvement(demo: Snapshot) -> None:
    comparison = compare_groups(IMPROVED, demo, Stratifier.PLANNED_WEEKS)
    assert [each.group for each in comparison.groups] == ["6", "8", "12"]
    assert all(each.adjusted_p > 0.05 and each.ratio_low < 1 < each.ratio_high for each in comparison.groups)
    assert comparison.model_reason is None and "baseline_severity" in comparison.adjusted_for


def test_attained_length_seems_to_matter_much(demo: Snapshot) -> None:
    stayed = {
        "under 4 weeks": "los_days < 28",
        "4 to 6 weeks": "los_days between 28 and 48",
        "7 weeks and more": "los_days >= 49",
    }
    short, middle, long = (of_all(demo, only(IMPROVED, words, days)) for words, days in stayed.items())
    assert clearly_above(middle, short) and clearly_above(long, short)
    assert middle.value - short.value > 0.15  # 33 %, 59 % and 60 %


# 3


def test_fewer_no_shows_since_the_reminder_calls(demo: Snapshot) -> None:
    # Whoever was admitted by March 2025 had left before July; whoever came from July on had the calls throughout.
    before = of_all(demo, NO_SHOW, Cohort(end="2025-03"))
    since = of_all(demo, NO_SHOW, Cohort(start="2025-07"))
    assert clearly_above(before, since)
    assert since.value < 0.75 * before.value
    halves = [
        (Cohort(end="2024-06"), Cohort(start="2024-07", end="2025-03")),
        (Cohort(start="2025-07", end="2026-01"), Cohort(start="2026-02")),
    ]
    for one, other in halves:  # no fall within either period
        assert abs(of_all(demo, NO_SHOW, one).value - of_all(demo, NO_SHOW, other).value) < 0.03


def test_the_month_of_the_sessions_shows_the_day_the_calls_began(demo: Snapshot) -> None:
    months = demo.query(
        "select period, sum(sessions) filter (status = 'no_show') / sum(sessions) as missed "
        "from attendance_calendar where status in ('attended', 'no_show') group by period order by period"
    )
    assert [month for month, _ in months][21] == "2025-07" and len(months) == 36
    assert max(missed for _, missed in months[21:]) < min(missed for _, missed in months[:21])


def test_the_series_of_no_shows_falls_when_the_calls_began_and_has_no_signal_on_either_side(demo: Snapshot) -> None:
    series = over_time(NO_SHOW, demo, demo.facts.data_as_of, change_at="2025-07")
    assert series.change is not None
    assert series.change.level_change.ci_high < -0.02  # a fall of three to six points
    assert series.change.slope_change.ci_low < 0 < series.change.slope_change.ci_high
    # Without the change in mind the same months are a signal: the year before it is above the centre, the year after
    # below. Who is still in does not count yet.
    plain = over_time(NO_SHOW, demo, demo.facts.data_as_of)
    assert {signal.rule for signal in plain.signals} >= {"run"}
    assert plain.signals[-1].direction == -1
    assert [point.standing for point in plain.points[-3:]] == ["unfinished"] * 3


# 4


def test_most_people_without_a_second_score_had_left_early(demo: Snapshot) -> None:
    asked_once = only(PAIRED, "had a score at the start", "first is not null")
    early = of_all(demo, only(asked_once, "left early", "exit = 'left_early'"))
    others = of_all(demo, only(asked_once, "ended otherwise", "exit <> 'left_early'"))
    assert clearly_above(others, early)
    missing_early, missing_others = (each.denominator - each.numerator for each in (early, others))
    assert missing_early / early.denominator > 0.6
    assert missing_others / others.denominator < 0.1
    assert missing_early > 2 * missing_others  # three in four of those without one


# 5


def test_about_six_in_a_hundred_get_reliably_worse(demo: Snapshot) -> None:
    worse = of_all(demo, find("reliable_deterioration", "phq9"))
    better = of_all(demo, IMPROVED)
    assert worse.denominator == better.denominator > 1_000
    assert 0.04 < worse.ci_low < 0.06 < worse.ci_high < 0.08
    assert 0.5 < better.ci_low < better.ci_high < 0.6
    # Whoever is not known is shown beside it, never counted as well or unwell.
    assert worse.unknown == better.unknown > 500
    assert worse.lower_bound < worse.value < worse.upper_bound


# 6


def test_half_a_year_later_a_little_more_than_half_are_reached(demo: Snapshot) -> None:
    reach = find("followup_180_reach")
    asked = of_all(demo, reach)
    assert asked.ci_low > 0.5 and asked.value < 0.62
    # Of everyone whose window has closed, with those who died or had not agreed: 55.7 % of 1,706.
    everyone = of_all(demo, replace(reach, eligible={"left": "is_closed"}, lost={"left": "still in the program"}))
    assert (everyone.numerator, everyone.denominator) == (950, 1706)
    assert everyone.ci_low > 0.53 and everyone.ci_high < 0.585
    assert asked.numerator == everyone.numerator  # nobody who was reached is left out


# 7


def test_most_people_of_one_site_have_no_baseline(demo: Snapshot) -> None:
    had = replace(PAIRED, success="first is not null", missing="shown")
    found = groups(result(demo, had, Stratifier.SITE))
    late = found.pop("northgate")
    assert late.ci_high < 0.4  # 71.8 % have none
    assert all(estimate.ci_low > 0.9 for estimate in found.values()), found
    # It does ask: the first score comes after the first week.
    assert (
        of_all(demo, replace(had, success="first is not null or late_first"), Cohort({"site": ("northgate",)})).value
        > late.value + 0.4
    )
    # The ladder of a measure that needs a baseline says how many fell out there.
    ladders = result(demo, find("recovery", "phq9"), Stratifier.SITE).ladders
    lost = {
        site: step.lost / (step.lost + step.count)
        for site, ladder in ladders.items()
        for step in ladder.steps
        if step.lost_label == "no score at the start"
    }
    assert lost["northgate"] > 0.6 and max(lost[site] for site in found) < 0.1


# 8


def test_some_groups_are_smaller_than_eleven_people(demo: Snapshot) -> None:
    therapies = groups(result(demo, COMPLETION, Stratifier.THERAPY))
    small = {name for name, each in therapies.items() if each.persons is not None and each.persons < SMALL_CELL}
    assert small == {"music"} and therapies["music"].persons == 7
    programs = groups(result(demo, COMPLETION, Stratifier.PROGRAM))
    cells: list[int | None] = []
    for program in programs:
        # Everybody, also who is still in: the days seen are known of all.
        admitted = replace(COMPLETION, eligible={}, lost={}, success="observed_days >= 0", variants={})
        found = groups(result(demo, admitted, Stratifier.GENDER, Cohort({"program_id": (program,)})))
        cells += [estimate.persons for estimate in found.values()]
    assert sum(1 for persons in cells if persons is not None and persons < SMALL_CELL) == 25


# 9


def test_some_people_come_back_soon_or_later(demo: Snapshot) -> None:
    counted: Mapping[str, int] = {
        unit: result(demo, COMPLETION, cohort=Cohort(unit=unit)).episodes for unit in ("episode", "course", "person")
    }
    assert counted["episode"] - counted["course"] == 195  # returns within 30 days: the same course
    assert counted["course"] - counted["person"] == 165  # returns later: another course
    assert result(demo, COMPLETION).persons == counted["person"] == 2040


def test_about_one_in_eleven_needs_a_hospital_within_30_days(demo: Snapshot) -> None:
    back = of_all(demo, find("readmission_30d"))
    assert 0.07 < back.ci_low < 1 / 11 < back.ci_high < 0.11
    assert back.details["direct_transfers"] >= SMALL_CELL
    assert back.unknown > 300  # stays that could not be seen for 30 days are no "no"


# 10


def naive_completion(snapshot: Snapshot) -> dict[str, float]:
    """Completed among all closed, by admission month: what somebody gets who forgets who is still in."""
    rows = snapshot.query(
        "select admit_period, avg(cast(discharge_reason = 'completed' as integer)) "
        "from episode_outcome where is_closed group by 1 order by 1"
    )
    return {month: share for month, share in rows}


def test_completion_is_steady_and_the_newest_cohorts_only_seem_to_collapse(demo: Snapshot) -> None:
    found = result(demo, COMPLETION, Stratifier.ADMIT_PERIOD)
    assert found.matured
    months = groups(found)
    usual = found.estimates[ALL].value
    sizeable = {month: each for month, each in months.items() if each.denominator >= 30}
    assert (min(sizeable), max(sizeable), len(sizeable)) == ("2023-10", "2026-07", 34)
    assert all(abs(each.value - usual) < 0.1 for each in sizeable.values())
    spread = sum(
        (each.numerator - each.denominator * usual) ** 2 / (each.denominator * usual * (1 - usual))
        for each in sizeable.values()
    )
    assert chi2.sf(spread, len(sizeable) - 1) > 0.05  # no more than chance lies between the months
    # The newest months are too recent, and say so instead of falling.
    newest = months["2026-09"]
    assert newest.denominator == 0 and newest.reason and newest.too_recent > 50
    assert months["2026-08"].too_recent > 10 * months["2026-08"].denominator
    series = over_time(COMPLETION, demo, demo.facts.data_as_of, cohort=Cohort(start="2023-10"))
    assert series.by is Stratifier.ADMIT_PERIOD and series.counted[-1].period == "2026-05"
    assert {point.standing for point in series.points[-4:]} == {"too recent"}
    # By the month they left in nobody is too recent; there the first months hold only short stays.
    left = over_time(COMPLETION, demo, demo.facts.data_as_of)
    assert left.by is Stratifier.DISCHARGE_PERIOD and left.counted[-1].period == "2026-09"
    assert {point.period: point.value for point in left.points}["2023-10"] == 0
    assert [point.standing for point in left.points[:5]] == ["too early"] * 4 + ["counted"]
    naive = naive_completion(demo)
    for month in ("2026-08", "2026-09"):
        left = demo.query(
            "select count(*) filter (discharge_reason = 'completed'), count(*) from episode_outcome "
            f"where is_closed and admit_period = '{month}'"
        )[0]
        all_mature = found.estimates[ALL]
        gap = newcombe_difference(all_mature.numerator, all_mature.denominator, left[0], left[1])
        assert gap.low > 0.05, month  # a collapse that is none
    assert naive["2026-09"] == 0 and naive["2026-08"] < usual - 0.15
    assert all(abs(share - usual) < 0.12 for month, share in naive.items() if month < "2026-06")
