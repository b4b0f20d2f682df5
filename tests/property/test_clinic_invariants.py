"""What holds from rows on: random clinics through the outcome tables and `evaluate` (measure catalogue, 4.Y)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import duckdb
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from analytics.instruments import load_instruments
from analytics.measures import ALL, Estimate, Measure, Stratifier, evaluate, find
from analytics.store.outcomes import OUTCOME_TABLES, build_outcomes
from tests.property.random_clinic import random_clinic
from tests.spec.outcome_tables import SmallSnapshot
from tests.spec.row_tables import RowTables, load

# A clinic takes a second to build: four of them, each built once for all tests.
PERSONS = 120
CLINICS = 4
clinics = st.integers(1, CLINICS)
few = settings(max_examples=CLINICS, deadline=None, derandomize=True, phases=[Phase.generate])


def build(tables: RowTables) -> duckdb.DuckDBPyConnection:
    connection = load(tables)
    build_outcomes(connection)
    return connection


@cache
def clinic(seed: int) -> SmallSnapshot:
    return SmallSnapshot(build(random_clinic(seed, PERSONS)))


def of_everybody(seed: int, measures: Sequence[Measure]) -> list[Estimate]:
    return [each.estimates[ALL] for each in evaluate(measures, clinic(seed))]


def on_one_set(*names: str) -> list[Measure]:
    """Measures that differ in how far they look, all read on the people of the one that looks farthest."""
    measures = [find(name) for name in names]
    return [replace(each, horizon=measures[-1].horizon) for each in measures]


@few
@given(clinics)
def test_a_longer_look_back_never_finds_fewer_stays(seed: int) -> None:
    # On the same people, seen for half a year: whom capture covers for less is not known (measures catalogue 4.F, 4.Y).
    seen = {"seen for half a year": "captured_days is null or captured_days >= 180"}
    asked = on_one_set("readmission_30d", "readmission_90d", "readmission_180d")
    on_the_same = [
        replace(each, eligible={**each.eligible, **seen}, lost={**each.lost, **dict.fromkeys(seen, "not seen so long")})
        for each in asked
    ]
    found = of_everybody(seed, on_the_same)
    assert found[-1].numerator > 0
    for shorter, longer in pairwise(found):
        assert shorter.numerator <= longer.numerator
        assert shorter.known + shorter.unknown == longer.known + longer.unknown
        assert shorter.upper_bound <= longer.upper_bound + 1e-12


@few
@given(clinics)
def test_fewer_people_stay_longer(seed: int) -> None:
    found = of_everybody(seed, on_one_set("retention_30", "retention_60", "retention_90"))
    assert found[0].numerator > 0
    for shorter, longer in pairwise(found):
        assert shorter.numerator >= longer.numerator
        # Whom death or custody took out before day 90 may still count at day 30.
        assert shorter.known + shorter.unknown >= longer.known + longer.unknown


@few
@given(clinics)
def test_no_use_at_all_is_never_more_than_no_use_last_month(seed: int) -> None:
    asked = [find("abstinence_followup_180"), find("abstinence_continuous")]
    # Few are reached, in time, without use and not in a controlled place: some in one of the clinics.
    assert any(of_everybody(each, asked)[0].numerator for each in range(1, CLINICS + 1))
    point, whole = of_everybody(seed, asked)
    assert whole.numerator <= point.numerator
    assert whole.known + whole.unknown == point.known + point.unknown


@few
@given(clinics)
def test_more_positives_in_a_row_come_to_fewer_people(seed: int) -> None:
    first, three, four = of_everybody(
        seed, [find("use_first_positive"), find("use_three_positive"), find("use_four_positive")]
    )
    assert first.numerator >= three.numerator >= four.numerator
    complete, last_four = of_everybody(seed, [find("use_complete_abstinence"), find("use_negative_last_four")])
    assert complete.numerator <= complete.denominator and last_four.numerator <= last_four.denominator


@few
@given(clinics)
def test_the_english_rule_holds_together(seed: int) -> None:
    recovery, reliable, better, worse = of_everybody(
        seed,
        [
            find(name)
            for name in (
                "nhs_recovery",
                "nhs_reliable_recovery",
                "nhs_reliable_improvement",
                "nhs_reliable_deterioration",
            )
        ],
    )
    assert better.numerator > 0
    assert reliable.numerator <= min(recovery.numerator, better.numerator)
    assert better.numerator + worse.numerator <= better.known == worse.known
    assert recovery.denominator <= better.denominator == worse.denominator
    # Who is not measured twice stays in, but for those whose first scores are known to lie below the range.
    assert recovery.unknown <= better.unknown


COLUMNS = (
    "select column_name from duckdb_columns() where table_name = ? and column_name not in ('person_id', 'start_day')"
)


@few
@given(clinics, st.integers(0, 60), st.randoms(use_true_random=False))
def test_dates_moved_by_whole_weeks_and_other_names_of_people_change_nothing(
    seed: int, weeks: int, chance: Any
) -> None:
    tables = random_clinic(seed, PERSONS)
    people = sorted({row["person_id"] for row in tables["episode"]})
    moved = {person: 7 * (weeks + chance.randint(0, 9)) for person in people}
    names = dict(zip(people, chance.sample(range(1, 10 * PERSONS), len(people)), strict=True))
    days = {"episode": ("start_day",), "acute_event": ("start_day", "end_day"), "capture": ("from_day", "to_day")}
    for row in tables["referral"]:
        row["person_id"] = names.get(row["person_id"], row["person_id"] and 20 * PERSONS + row["person_id"])
    for table, columns in days.items():
        for row in tables[table]:
            row |= {name: row[name] + moved[row["person_id"]] for name in columns if row[name] is not None}
            row["person_id"] = names[row["person_id"]]
    again = build(tables)
    for table in OUTCOME_TABLES:
        columns = ", ".join(f'"{name}"' for (name,) in again.execute(COLUMNS, [table]).fetchall())
        text = f"select {columns} from {table} order by all"
        assert again.execute(text).fetchall() == clinic(seed).connection.execute(text).fetchall(), table


@few
@given(clinics, st.sampled_from([Stratifier.PROGRAM, Stratifier.TRACK, Stratifier.ADMIT_PERIOD]))
def test_ladders_never_rise_and_every_loss_is_named(seed: int, by: Stratifier) -> None:
    names = ("completion", "readmission_90d", "abstinence_followup_180", "employed_change", "nhs_recovery")
    measures = [*map(find, names), find("remission_12m", "phq9"), find("item9_new", "phq9")]
    for result in evaluate(measures, clinic(seed), by=by):
        for ladder in result.ladders.values():
            for above, below in pairwise(ladder.steps):
                assert above.count - below.lost == below.count >= 0
                assert below.lost_label or not below.lost
        if not result.matured:
            assert result.ladder.steps[0].count == result.episodes


def test_bands_partition_the_range_of_every_questionnaire() -> None:
    for instrument in load_instruments().values():
        steps = round((instrument.maximum - instrument.minimum) / instrument.step)
        totals = [round(instrument.minimum + number * instrument.step, 6) for number in range(steps + 1)]
        for total in totals:
            inside = [name for name, low, high in instrument.bands if low <= total <= high]
            assert len(inside) == (1 if instrument.bands else 0), (instrument.id, total)
