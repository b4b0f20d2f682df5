"""Bands, notable change, item 9, national styles: each against the catalogue's worked example or by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from analytics.errors import MeasureProblem
from analytics.measures import ALL, Estimate, find
from analytics.measures.as_text import result_as_text
from analytics.measures.estimate import OF_KNOWN, UNKNOWN_AS_NO
from analytics.store.outcomes import build_outcomes
from tests.spec.outcome_tables import Row, SmallSnapshot, one, small_snapshot
from tests.spec.row_tables import row_tables


def value(snapshot: SmallSnapshot, name: str, instrument: str | None = "phq9") -> Estimate:
    return one(snapshot, find(name, instrument)).estimates[ALL]


def counted(estimate: Estimate) -> tuple[int, int, int]:
    return estimate.numerator, estimate.denominator, estimate.unknown


def m12(shared: Path) -> list[dict[str, Any]]:
    catalogue = json.loads((shared / "measure_examples.json").read_text(encoding="utf-8"))["examples"]
    rows: list[dict[str, Any]] = next(each for each in catalogue if each["id"] == "m12_dataset")["inputs"]["rows"]
    return rows


@pytest.fixture(scope="module")
def pairs(request: pytest.FixtureRequest) -> SmallSnapshot:
    """The twelve episodes of the catalogue, two of them open."""
    rows = m12(request.getfixturevalue("shared"))
    episodes: list[Row] = [{"los_days": 56 if row["discharge_date"] else None} for row in rows]
    scores = [
        {"episode_id": number, "first": row["phq_first"], "last": row["phq_last"]}
        for number, row in enumerate(rows, start=1)
    ]
    return small_snapshot(episodes, scores)


def test_a_change_people_notice(pairs: SmallSnapshot) -> None:
    # changes of the nine pairs: 12, 3, 4, -2, 6, 6, 1, -6, 6; five points or more: 12, 6, 6, 6
    assert counted(value(pairs, "mcid_improved")) == (4, 9, 1)


def test_moves_between_bands_add_up_to_the_pairs(pairs: SmallSnapshot) -> None:
    # ex: severity_shift: improved 6, same 2, worse 1
    found = value(pairs, "severity_band_shift")
    assert counted(found) == (6, 9, 1)
    moves = {words: int(number) for words, number in found.details.items() if number}
    names = ["minimal", "mild", "moderate", "moderately severe", "severe"]
    ways = {f"from {a} to {b}": names.index(b) < names.index(a) for a in names for b in names if a != b}
    assert (sum(n for words, n in moves.items() if ways.get(words)), sum(moves.values())) == (6, 9)
    assert sum(n for words, n in moves.items() if words.endswith(" at the start and at the end")) == 2


@pytest.mark.parametrize(
    ("instrument", "first", "last", "said"),
    [
        ("phq9", 19, 5, "from moderately severe to mild"),
        ("phq9", 5, 6, "mild at the start and at the end"),
        ("pcl5", 40, 10, "from at cut-off or above to below the cut-off"),
        ("who5", 20, 80, "from low to not low"),
        ("bam_protection", 20, 5, "from not flagged to flagged"),
        ("cssrs_level", 5, 0, "from high to none"),
    ],
)
def test_a_move_between_bands_is_told_in_words(instrument: str, first: int, last: int, said: str) -> None:
    # measures.md 4.D, severity_band_shift: from the lowest to the highest band as a reader names them.
    scores = [{"episode_id": 1, "instrument": instrument, "first": first, "last": last}]
    result = one(small_snapshot([{}], scores), find("severity_band_shift", instrument))
    assert [words for words, number in result.estimates[ALL].details.items() if number] == [said]
    assert f"\n{said}: 1\n" in result_as_text(result)


def test_an_instrument_without_bands_has_no_moves_between_them() -> None:
    with pytest.raises(MeasureProblem, match="BAM days Use has no bands of severity in a source we know"):
        find("severity_band_shift", "bam_continuous_use")


def test_a_band_of_a_scale_that_rises_is_read_from_the_other_end() -> None:
    # WHO-5, higher is better: from 20 to 80 is milder
    scores = [{"episode_id": 1, "instrument": "who5", "direction": -1, "first": 20, "last": 80}]
    assert counted(value(small_snapshot([{}], scores), "severity_band_shift", "who5")) == (1, 1, 0)


def test_thoughts_of_self_harm() -> None:
    # ex: item9: 18 of 40 at the start; 11 of these 18 gone; 2 of 22 new; 9 of 40 at the end. Three without an answer.
    answers = [(1, 0)] * 11 + [(2, 1)] * 7 + [(0, 1)] * 2 + [(0, 0)] * 20 + [(None, None)] * 2 + [(None, 1)]
    scores = [
        {"episode_id": number, "first": 12, "last": 8, "item_9_first": first, "item_9_last": last}
        for number, (first, last) in enumerate(answers, start=1)
    ]
    snapshot = small_snapshot([{}] * len(answers), scores)
    assert counted(value(snapshot, "item9_positive")) == (18, 40, 3)
    assert counted(value(snapshot, "item9_resolved")) == (11, 18, 0)
    assert counted(value(snapshot, "item9_new")) == (2, 22, 0)
    assert counted(value(snapshot, "item9_last")) == (10, 41, 2)


def test_item_9_is_asked_by_some_questionnaires_only() -> None:
    with pytest.raises(MeasureProblem, match="GAD-7 has no item 9"):
        find("item9_positive", "gad7")


# Months later. The windows themselves: tests/property/test_outcomes_twin.py.


def test_remission_months_later_counts_those_not_asked_as_no() -> None:
    # ex: drre_window (last 7: no remission, but halved) and cms159_window (last 4: remission)
    episodes: list[Row] = [{"observed_days": 455}] * 7 + [{"observed_days": 239}]
    episodes[4] = {"observed_days": 455, "discharge_reason": "deceased"}
    episodes[5] = {"observed_days": 455, "primary_condition": "bipolar"}
    scores: list[Row] = [
        {"first": 16, "first_day": 0, "six_months": 7, "twelve_months": 4},
        {"first": 16, "first_day": 0, "six_months": 4, "twelve_months": 5},
        {"first": 16, "first_day": 0},  # not asked
        {"first": 9, "first_day": 0, "six_months": 1},  # started below the clinical range
        {"first": 16, "first_day": 0, "six_months": 1},  # died
        {"first": 16, "first_day": 0, "six_months": 1},  # another condition
        {"six_months": 1},  # no score at the start
        {"first": 16, "first_day": 0, "six_months": 1},  # too recent
    ]
    snapshot = small_snapshot(episodes, [row | {"episode_id": n} for n, row in enumerate(scores, start=1)])  # type: ignore[operator]
    assert counted(value(snapshot, "followup_120_240")) == (2, 3, 0)
    six = one(snapshot, find("remission_120_240", "phq9"))
    assert counted(six.estimates[ALL]) == (1, 3, 1)
    assert six.estimates[ALL].too_recent == 1
    assert counted(six.variants[OF_KNOWN][ALL])[:2] == (1, 2)
    assert counted(value(snapshot, "response_120_240")) == (2, 3, 1)
    assert counted(value(snapshot, "remission_12m")) == (1, 3, 1)


# The English national rule


def composite(rows: list[tuple[float | None, ...]]) -> SmallSnapshot:
    names = ("nhs_depression_first", "nhs_depression_last", "nhs_anxiety_first", "nhs_anxiety_last")
    return small_snapshot(
        {"uses_nhs_pair": True, "attended_days": 10, **dict(zip(names, row, strict=True))} for row in rows
    )


def test_the_national_rule_matches_the_worked_example(shared: Path) -> None:
    # ex: m12_nhs: recovery 4/9, improvement 4/10, reliable recovery 3/9, deterioration 1/10
    rows = [row for row in m12(shared) if row["discharge_date"]]
    keys = ("phq_first", "phq_last", "gad_first", "gad_last")
    snapshot = composite([
        tuple(None if row["phq_last"] is None or row["gad_last"] is None else row[key] for key in keys) for row in rows
    ])  # fmt: skip
    assert counted(value(snapshot, "nhs_recovery", None)) == (4, 9, 1)
    assert counted(value(snapshot, "nhs_reliable_improvement", None)) == (4, 10, 1)
    assert counted(value(snapshot, "nhs_reliable_recovery", None)) == (3, 9, 1)
    assert counted(value(snapshot, "nhs_reliable_deterioration", None)) == (1, 10, 1)


def test_a_conflict_is_neither_better_nor_worse() -> None:
    # ex: nhs_conflict: PHQ 16 to 9, GAD 5 to 9
    snapshot = composite([(16, 9, 5, 9)])
    for name in ("nhs_recovery", "nhs_reliable_improvement", "nhs_reliable_recovery", "nhs_reliable_deterioration"):
        assert value(snapshot, name, None).numerator == 0, name


def test_without_all_four_scores_people_stay_in_as_not_recovered() -> None:
    snapshot = composite([(16, 4, 12, 3), (16, None, 12, None), (4, 2, 3, 1)])
    recovered = one(snapshot, find("nhs_recovery"))
    assert counted(recovered.estimates[ALL]) == (1, 2, 1)
    assert recovered.ladder.steps[-3].lost_label == "started below the clinical range"
    assert OF_KNOWN in recovered.variants
    assert UNKNOWN_AS_NO not in recovered.variants


def test_a_program_without_both_questionnaires_is_not_in_it() -> None:
    snapshot = small_snapshot([{"uses_nhs_pair": False, "attended_days": 10}])
    found = value(snapshot, "nhs_recovery", None)
    assert found.reason == "Nobody to count of 1: 1 in another program."


def asked_for_risk(*stays: tuple[int, list[tuple[int, int]]]) -> SmallSnapshot:
    """One person per stay: its length in days, and the C-SSRS levels as (day, level), read by the outcome SQL."""
    level = {"instrument": "cssrs_level", "direction": 1, "every_days": 14}
    bands = [("none", 0, 0), ("low", 1, 2), ("moderate", 3, 3), ("high", 4, 6)]
    connection = row_tables(
        episode=[{"los_days": los} for los, _ in stays],
        score=[
            {"episode_id": number, "instrument": "cssrs_level", "day": day, "total": total}
            for number, (_, levels) in enumerate(stays, start=1)
            for day, total in levels
        ],
        instrument=[
            level | {"band": band, "band_order": order, "band_low": low, "band_high": high}
            for order, (band, low, high) in enumerate(bands, start=1)
        ],
    )
    build_outcomes(connection)
    return SmallSnapshot(connection)


def test_the_highest_level_at_any_time_and_at_the_last() -> None:
    # measures.md 4.D, cssrs_high_risk: "share of episodes with any high band during care, and high at last screen
    # among screened". High is level 4 and above.
    snapshot = asked_for_risk(
        (56, [(0, 2), (14, 5), (28, 1)]),  # ever
        (56, [(0, 3), (28, 3)]),  # neither
        (56, [(7, 4)]),  # both, asked once
        (56, [(1, 5), (3, 1)]),  # ever: high and low in one week, whose latest is low
        (200, [(0, 0), (130, 6), (150, 2)]),  # ever: after week 17
        (56, [(20, 1), (40, 5)]),  # both: first asked after day 7, so without a score at the start
        (56, [(20, 5), (40, 1)]),  # ever: the same, and better at the end
        (56, []),  # never asked: a rung
        (56, [(70, 6)]),  # asked after the stay only: the same
    )
    for name, high in (("high_risk_ever", 6), ("high_risk_last", 2)):
        result = one(snapshot, find(name, "cssrs_level"))
        assert counted(result.estimates[ALL]) == (high, 7, 0)
        assert [step.lost for step in result.ladder.steps if step.lost_label == "never asked"] == [2]
    with pytest.raises(MeasureProblem, match="PHQ-9 is no rank"):
        find("high_risk_ever", "phq9")


def test_scores_on_time_are_counted_over_all_that_were_due() -> None:
    # ex: mbc: 31 of 50 due; an open stay counts, a stay without a due score does not
    scores = [(20, 12), (20, 14), (10, 5), (0, 0)]
    snapshot = small_snapshot(
        [{}, {}, {"los_days": None}, {"los_days": None}],
        [{"episode_id": n, "due_scores": due, "on_time_scores": came} for n, (due, came) in enumerate(scores, start=1)],
    )
    found = value(snapshot, "mbc_fidelity")
    assert (found.numerator, found.denominator, found.unit) == (31, 50, "score")


def test_the_ladder_names_who_came_twice_the_first_score_and_the_later_one() -> None:
    # measures.md 1.4: admitted, closed, treated, has baseline, (baseline at caseness,) has a later score, success; and
    # section 0: "treated" is a printed step. Everybody of these eight counts, also who came once.
    pairs = [(18, 6), (18, 17), (18, 6), (8, 3), (18, None), (None, None), (None, None), (18, 6)]
    episodes: list[Row] = [{}] * 7 + [{"los_days": None}]
    scores = [
        {"episode_id": number, "first": first, "last": last, "treated": number not in (3, 5, 6)}
        for number, (first, last) in enumerate(pairs, start=1)
    ]
    snapshot = small_snapshot(episodes, scores)
    improved = one(snapshot, find("reliable_improvement", "phq9"))
    assert [(step.count, step.lost, step.lost_label) for step in improved.ladder.steps] == [
        (8, 0, ""),
        (7, 1, "still in the program"),
        (5, 2, "no score at the start"),
        (4, 1, "not measured twice"),
        (2, 2, "known not to be so"),
    ]
    assert improved.ladder.steps[0].label == "admitted to a program that asks it"
    assert counted(improved.estimates[ALL]) == (2, 4, 3)  # the third came once, and counts
    came_twice = improved.ladder.printed[0]
    assert (came_twice.label, came_twice.count, came_twice.lost) == ("came on at least two days", 4, 3)
    text = result_as_text(improved)
    assert "4 of them came on at least two days   (3 came on fewer than two days; all stay in)" in text
    # With a cut-off the first score is a step, and those below it another.
    recovered = one(snapshot, find("recovery", "phq9"))
    assert [step.count for step in recovered.ladder.steps] == [8, 7, 5, 4, 3, 2]
    assert (recovered.ladder.printed[0].count, recovered.ladder.printed[0].lost) == (2, 2)
    # In profile nhs it is a step that takes people out, so it is not printed again.
    of_nhs = one(snapshot, find("reliable_improvement", "phq9", "nhs"))
    assert [step.label for step in of_nhs.ladder.steps][2] == "came on at least two days"
    assert "came on at least two days" not in [step.label for step in of_nhs.ladder.printed]
    # Where attendance was not collected nobody knows who came twice, and nothing is said.
    unknown = small_snapshot(episodes, [row | {"treated": None} for row in scores])
    labels = [step.label for step in one(unknown, find("reliable_improvement", "phq9")).ladder.printed]
    assert "came on at least two days" not in labels
