"""Groups with the same people in mind: Simpson's example, what cannot be adjusted, and weights for the not reached."""

import math

import pytest

from analytics.errors import MeasureProblem
from analytics.measures import ALL, Stratifier, evaluate, find, result_as_dict, result_as_text
from analytics.measures.estimate import WEIGHTED
from analytics.measures.fair_comparison import COVARIATES, compare_fairly, weighted_estimates
from tests.spec.outcome_tables import Row, SmallSnapshot, small_snapshot

COMPLETION = find("completion")


@pytest.fixture(scope="module")
def simpson() -> SmallSnapshot:
    """ex: simpson. Telehealth looks better (82.6 against 78.0 %) and is worse among the mild and among the severe."""
    cells = {
        ("in_person", "mild"): (81, 87), ("in_person", "severe"): (192, 263),
        ("telehealth", "mild"): (234, 270), ("telehealth", "severe"): (55, 80),
    }  # fmt: skip
    rows: list[Row] = []
    for (modality, severity), (yes, people) in cells.items():
        common = {"modality": modality, "baseline_severity": severity}
        rows += [common] * yes + [common | {"discharge_reason": "lost_contact"}] * (people - yes)
    return small_snapshot(rows)


def test_standardised_rates_match_the_worked_example(simpson: SmallSnapshot) -> None:
    found = compare_fairly(COMPLETION, simpson, Stratifier.MODALITY).standardised
    assert found["in_person"].rate == pytest.approx(0.832546, abs=1e-6)
    assert found["telehealth"].rate == pytest.approx(0.778875, abs=1e-6)
    assert (found["in_person"].crude, found["telehealth"].crude) == pytest.approx((0.78, 0.825714), abs=1e-6)


def test_observed_over_expected_turns_the_order_round_too(simpson: SmallSnapshot) -> None:
    found = compare_fairly(COMPLETION, simpson, Stratifier.MODALITY)
    # Expected from the pooled rate of each band: mild 315 of 357, severe 247 of 343
    expected = 87 * 315 / 357 + 263 * 247 / 343
    assert found.groups["in_person"].expected == pytest.approx(expected, abs=1e-6)
    assert found.groups["in_person"].ratio > 1 > found.groups["telehealth"].ratio
    assert found.adjusted_rate("in_person") == pytest.approx(273 / expected * 562 / 700)
    assert found.covariates == ("baseline_severity",)
    assert dict(found.left_out)["age_band"] == "the same for everybody"


def test_one_statement_counts_everything(simpson: SmallSnapshot) -> None:
    asked = len(simpson.statements)
    compare_fairly(COMPLETION, simpson, Stratifier.MODALITY)
    assert len(simpson.statements) == asked + 1


@pytest.mark.parametrize("by", [Stratifier.THERAPY, Stratifier.EXIT, Stratifier.DOSE_BAND])
def test_what_came_about_later_is_not_compared(by: Stratifier, simpson: SmallSnapshot) -> None:
    with pytest.raises(MeasureProblem, match="cannot be compared fairly"):
        compare_fairly(COMPLETION, simpson, by)


def test_only_shares_are_adjusted(simpson: SmallSnapshot) -> None:
    with pytest.raises(MeasureProblem, match="no share of people"):
        compare_fairly(find("attendance"), simpson, Stratifier.MODALITY)
    with pytest.raises(MeasureProblem, match="no weighted form"):
        weighted_estimates(find("length_of_stay"), simpson)


def test_few_people_get_a_reason_and_no_number() -> None:
    rows: list[Row] = [
        {"modality": name, "baseline_severity": band} for name in ("in_person", "hybrid") for band in ("mild", "severe")
    ]
    found = compare_fairly(COMPLETION, small_snapshot(rows), Stratifier.MODALITY)
    assert found.model.reason is not None
    assert math.isnan(found.groups["hybrid"].ratio)
    assert compare_fairly(COMPLETION, small_snapshot([]), Stratifier.MODALITY).groups == {}


def test_nothing_that_happens_later_is_a_covariate() -> None:
    assert not {"exit", "dose_band", "los_days", "attended_days"} & set(COVARIATES)


def test_those_reached_stand_for_all_who_were_due() -> None:
    # ex: ipw: mild 60 due, 40 reached, 32 well; severe 40 due, 10 reached, 4 well: 72 % of those reached, 64 % weighted
    rows: list[Row] = []
    for severity, due, reached, well in (("mild", 60, 40, 32), ("severe", 40, 10, 4)):
        common = {"is_sud": True, "baseline_severity": severity}
        rows += [common | {"followup_180_abstinent": True}] * well
        rows += [common | {"followup_180_abstinent": False}] * (reached - well)
        rows += [common] * (due - reached)
    found = weighted_estimates(find("abstinence_followup_180"), small_snapshot(rows))[ALL]
    assert found.share == pytest.approx(0.64, abs=0.005)  # weights above the 99th percentile are cut off
    assert found.ci_low < found.share < found.ci_high
    assert found.effective == pytest.approx(40, abs=1)


def test_the_weighted_share_stands_among_the_ways_to_treat_those_not_reached() -> None:
    # ex: ipw, in two programs alike; the second reaches everybody, so its weighted share is the plain one.
    rows: list[Row] = []
    for severity, due, reached, well in (("mild", 60, 40, 32), ("severe", 40, 10, 4)):
        common = {"is_sud": True, "baseline_severity": severity, "program_id": "north"}
        rows += [common | {"followup_180_abstinent": True}] * well
        rows += [common | {"followup_180_abstinent": False}] * (reached - well)
        rows += [common] * (due - reached)
    south = {"is_sud": True, "program_id": "south", "baseline_severity": "mild"}
    rows += [south | {"followup_180_abstinent": well} for well in (True, True, False)]
    measure, snapshot = find("abstinence_followup_180"), small_snapshot(rows)
    (result,) = evaluate([measure], snapshot, by=Stratifier.PROGRAM, weighted=True)
    found = result.variants[WEIGHTED]
    assert found["north"].value == pytest.approx(0.64, abs=0.005)
    assert found["north"].details["effective_sample_size"] == pytest.approx(40, abs=1)
    assert (found["north"].numerator, found["north"].denominator, found["north"].unknown) == (36, 50, 50)
    assert found["south"].value == pytest.approx(2 / 3)
    assert list(found) == [ALL, "north", "south"]
    text = result_as_text(result)
    assert f"{WEIGHTED}: " in text and "worth" in text
    assert result_as_dict(result)["variants"][WEIGHTED]["north"]["reason"] is None  # type: ignore[index]
    # It costs a model, so it is computed where it is asked for, and only where somebody could not be reached.
    assert WEIGHTED not in evaluate([measure], snapshot)[0].variants
    assert WEIGHTED not in evaluate([COMPLETION], snapshot, weighted=True)[0].variants


def test_where_there_are_no_weights_the_reason_stands_in_their_place() -> None:
    rows: list[Row] = [{"is_sud": True, "baseline_severity": "mild", "followup_180_abstinent": True}] * 30
    rows += [{"is_sud": True, "baseline_severity": "severe"}] * 30
    (result,) = evaluate([find("abstinence_followup_180")], small_snapshot(rows), weighted=True)
    assert (
        result.variants[WEIGHTED][ALL].reason
        == "No weights: of who was reached, one trait tells yes and no apart completely."
    )
    assert f"{WEIGHTED}: no value (No weights: of who was reached, one trait" in result_as_text(result)
    (empty,) = evaluate([find("abstinence_followup_180")], small_snapshot([]), weighted=True)
    assert empty.variants[WEIGHTED][ALL].reason == "Nobody matches these filters."
    absent = small_snapshot([{"is_sud": True}], absent=("followup",))
    assert evaluate([find("abstinence_followup_180")], absent, weighted=True)[0].variants == {}


def test_when_all_are_reached_nothing_is_weighted() -> None:
    rows: list[Row] = [{"is_sud": True, "followup_180_abstinent": well} for well in (True, True, False)]
    assert weighted_estimates(find("abstinence_followup_180"), small_snapshot(rows))[ALL].share == pytest.approx(2 / 3)


def test_nobody_reached_of_a_kind_has_no_weighted_answer() -> None:
    rows: list[Row] = [{"is_sud": True, "baseline_severity": "mild", "followup_180_abstinent": True}] * 30
    rows += [{"is_sud": True, "baseline_severity": "severe"}] * 30
    found = weighted_estimates(find("abstinence_followup_180"), small_snapshot(rows))[ALL]
    assert math.isnan(found.share)
    assert found.reason == "of who was reached, one trait tells yes and no apart completely"
