"""Jacobson and Truax's index with the SD of the people measured, and what the domain Use of the BAM says at last."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analytics.errors import MeasureProblem
from analytics.instruments import find_instrument
from analytics.instruments.model import Fact, Population
from analytics.measures import ALL, Cohort, Measure, Stratifier, evaluate, find
from analytics.measures.as_text import result_as_text
from analytics.measures.cards import definition_card
from analytics.measures.explain import explain
from analytics.measures.own_data import NO_THRESHOLD
from analytics.measures.symptom_change import rci_jacobson_truax
from analytics.statistics.change import jacobson_truax
from tests.reference.reference_results import example
from tests.spec.outcome_tables import Row, SmallSnapshot, one, small_snapshot


def scores_of(pairs: list[tuple[float | None, float | None]], instrument: str = "phq9") -> list[Row]:
    found = find_instrument(instrument)
    assert found is not None
    return [
        {"episode_id": n, "instrument": instrument, "direction": found.direction, "first": first, "last": last}
        for n, (first, last) in enumerate(pairs, start=1)
    ]


@pytest.fixture(scope="module")
def by_hand() -> SmallSnapshot:
    """First scores 8, 12, 16, 20, 14: mean 14, SD √20 = 4.472. A sixth person is still in the program: not counted."""
    rows: list[Row] = [
        {"modality": "in_person"}, {"modality": "in_person"}, {"modality": "in_person"},
        {"modality": "telehealth"}, {"modality": "telehealth"}, {"los_days": None},
    ]  # fmt: skip
    return small_snapshot(rows, scores_of([(8, 3), (12, 8), (16, 10), (20, None), (14, 19), (27, 0)]))


def test_the_index_by_hand(by_hand: SmallSnapshot) -> None:
    # measures.md 4.D, rci_jacobson_truax: S_diff = √2 · 4.472 · √(1 - .89) = 2.0976, times 1.96 = 4.111 points; cut-off
    # a = 14 - 2 · 4.472 = 5.056. Changes 5 (to 3: recovered), 4 (unchanged), 6 (to 10: improved), -5 (deteriorated).
    found = one(by_hand, find("rci_jacobson_truax", "phq9")).estimates[ALL]
    assert (found.numerator, found.denominator, found.unknown) == (2, 4, 1)
    assert found.details["own_sd"] == pytest.approx(20**0.5)
    assert found.details["own_reliable_change"] == pytest.approx(4.1113, abs=1e-4)
    assert found.details["own_cutoff"] == pytest.approx(5.0557, abs=1e-4)
    classes = ("recovered", "improved, not recovered", "unchanged", "deteriorated")
    assert [found.details[words] for words in classes] == [1, 1, 1, 1]
    assert (found.lower_bound, found.upper_bound) == (2 / 5, 3 / 5)


def test_the_example_of_the_catalogue(shared: Path) -> None:
    # jt_rci: SD 5.5 with r = .89. First scores 25, 3 and seven times 14: 2 · 11² / 8 = 5.5². Six points are more than
    # 5.056, five are not.
    case = example(shared, "jt_rci")
    pairs: list[tuple[float | None, float | None]] = [(25, 25), (3, 3), (14, 8), (14, 9), *[(14, None)] * 5]
    found = one(small_snapshot([{}] * 9, scores_of(pairs)), find("rci_jacobson_truax", "phq9")).estimates[ALL]
    assert found.details["own_sd"] == pytest.approx(case["inputs"]["sd"])
    threshold = case["expected"]["r_0_89"]["raw_threshold"]
    assert found.details["own_reliable_change"] == pytest.approx(threshold, abs=case["tolerance"])
    assert (found.numerator, found.denominator, found.unknown) == (1, 4, 5)


def test_every_group_is_held_against_the_same_threshold(by_hand: SmallSnapshot) -> None:
    (result,) = evaluate([find("rci_jacobson_truax", "phq9")], by_hand, by=Stratifier.MODALITY)
    told = {group: (each.numerator, each.denominator) for group, each in result.estimates.items()}
    assert told == {ALL: (2, 4), "in_person": (2, 3), "telehealth": (0, 1)}
    assert len({each.details["own_reliable_change"] for each in result.estimates.values()}) == 1
    # Another cohort has another SD: 8, 12, 16 are 4 apart.
    (inside,) = evaluate([result.measure], by_hand, Cohort({"modality": ("in_person",)}))
    assert inside.estimates[ALL].details["own_sd"] == pytest.approx(4)
    assert result.measure is find("rci_jacobson_truax", "phq9")


@pytest.mark.parametrize("people", [None, Population(60.0, 18.0, "D", "made up")], ids=["cut-off a", "cut-off c"])
@pytest.mark.parametrize("instrument", ["phq9", "who5"])
def test_it_is_the_statistic_that_equals_r(instrument: str, people: Population | None) -> None:
    # The oracle is jacobson_truax, which equals R clinicalsignificance (proofs_change.py).
    found = find_instrument(instrument)
    assert found is not None
    if people is not None:
        people = replace(people, mean=60.0 if instrument == "who5" else 3.3, sd=18.0 if instrument == "who5" else 3.8)
    told = replace(found, reliability=Fact(0.8, "D", "made up"), general_population=people)
    measure: Measure = rci_jacobson_truax.bind(told)
    chance = np.random.default_rng(5)
    top = int(found.maximum)
    first = np.clip(chance.normal(0.65 if found.direction == 1 else 0.35, 0.12, 300) * top, 0, top).round()
    last = np.clip(first + chance.normal(0, top / 4, 300).round(), 0, top)
    last[:40] = np.nan
    pairs = [(int(a), None if np.isnan(b) else int(b)) for a, b in zip(first, last, strict=True)]
    ours = one(small_snapshot([{}] * 300, scores_of(list(pairs), instrument)), measure).estimates[ALL]
    general = {} if people is None else {"general_mean": people.mean, "general_sd": people.sd}
    theirs = jacobson_truax(
        first, last, float(first.std(ddof=1)), 0.8, clinical_mean=float(first.mean()), direction=found.direction,
        kind="a" if people is None else "c", **general,
    )  # fmt: skip
    counts = theirs.counts
    assert ours.details["own_cutoff"] == pytest.approx(theirs.cutoff, abs=1e-9)
    assert ours.unknown == counts["unknown"] == 40
    assert ours.details["recovered"] == counts["recovered"] > 0
    assert ours.details["improved, not recovered"] == counts["improved"] > 0
    assert ours.details["unchanged"] == counts["unchanged"] > 0
    assert ours.details["deteriorated"] == counts["deteriorated"] + counts["relapsed"] > 0
    assert ours.numerator == counts["recovered"] + counts["improved"]


@pytest.mark.parametrize("pairs", [[(12, 3)], [(12, 3), (12, 11)], [(None, None), (9, 4)]])
def test_without_a_spread_there_is_no_threshold_and_a_reason(pairs: list[tuple[float | None, float | None]]) -> None:
    snapshot = small_snapshot([{}] * len(pairs), scores_of(pairs))
    found = one(snapshot, find("rci_jacobson_truax", "phq9")).estimates[ALL]
    assert np.isnan(found.value) and found.reason == NO_THRESHOLD
    assert explain(find("rci_jacobson_truax", "phq9"), snapshot, 1).because == NO_THRESHOLD


def test_what_it_was_held_against_is_told(by_hand: SmallSnapshot) -> None:
    measure = find("rci_jacobson_truax", "phq9")
    told = explain(measure, by_hand, 2)
    assert told.answer == "no"
    assert {name: told.values[name] for name in ("first", "last")} == {"first": 12, "last": 8}
    assert told.values["$own_reliable_change"] == pytest.approx(4.1113, abs=1e-4)
    card = definition_card(measure)
    assert [(each.words, each.value) for each in card.thresholds] == [("reliability of the questionnaire", "0.89")]
    assert card.sql.index("stddev_samp") < card.sql.index("own_reliable_change of the statement above")
    told_in_words = result_as_text(one(by_hand, measure))
    assert "reliable change by our own data, in points: 4.11" in told_in_words and "recovered: 1" in told_in_words


def test_no_use_at_last() -> None:
    # measures.md 4.E, bam_domains: "% with Use=0 at last". Of four with a last score two have 0, one from the start.
    pairs: list[tuple[float | None, float | None]] = [(5, 0), (0, 0), (7, 2), (3, 3), (6, None)]
    result = one(small_snapshot([{}] * 5, scores_of(pairs, "bam_use")), find("no_use_at_last", "bam_use"))
    found = result.estimates[ALL]
    assert (found.numerator, found.denominator, found.unknown) == (2, 4, 1)
    printed = {step.label: step.count for step in result.ladder.printed}
    assert printed["reported use at the start"] == 3
    with pytest.raises(MeasureProblem, match="is about substance use; PHQ-9 asks about other things"):
        find("no_use_at_last", "phq9")
