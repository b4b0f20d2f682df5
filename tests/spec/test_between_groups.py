"""Groups of a split beside each other: counts joined, adjusted, placed, tested and said. Counts by hand."""

import json
import math

import pytest
from scipy.stats import norm

from analytics.__main__ import main
from analytics.errors import MeasureProblem
from analytics.measures import Stratifier, find, result_as_dict
from analytics.measures.between_groups import ComparedGroup, GroupComparison, compare_groups
from analytics.measures.between_groups_text import comparison_as_text
from analytics.measures.fair_comparison import compare_fairly
from tests.spec.outcome_tables import Row, small_snapshot

COMPLETION = find("completion")


def people(completed: int, left: int, **columns: object) -> list[Row]:
    return [columns] * completed + [columns | {"discharge_reason": "lost_contact"}] * (left - completed)


def by_name(comparison: GroupComparison) -> dict[str, ComparedGroup]:
    return {group.group: group for group in comparison.groups}


@pytest.fixture(scope="module")
def ten_programs() -> GroupComparison:
    """Nine programs with 20 of 40, one with 36 of 40, three people whose program has no second code, two unplaced."""
    rows = [row for number in range(9) for row in people(20, 40, site=f"s{number}")]
    rows += people(36, 40, site="s9") + people(3, 3, site="tiny") + people(1, 2, site=None)
    return compare_groups(COMPLETION, small_snapshot(rows), Stratifier.SITE)


def test_twelve_people_in_two_groups() -> None:
    rows = [
        *people(3, 4, modality="in_person"),
        *people(2, 4, modality="telehealth"),
        {"modality": "telehealth", "discharge_reason": None},  # why is not known
        {"modality": "in_person", "los_days": None},  # still in
        {"modality": None},
        {"modality": None, "discharge_reason": "moved"},
    ]
    comparison = compare_groups(COMPLETION, small_snapshot(rows), Stratifier.MODALITY)
    found = {
        name: (each.estimate.numerator, each.estimate.denominator, each.estimate.unknown)
        for name, each in by_name(comparison).items()
    }
    assert found == {"in_person": (3, 4, 0), "telehealth": (2, 4, 1), "not known": (1, 2, 0)}
    assert (comparison.everybody.numerator, comparison.everybody.denominator) == (6, 10)
    assert all(each.small for each in comparison.groups)
    assert (
        comparison.model_reason
        == "a model of 1 parameter needs 10 people with a yes and as many with a no; of the rarer there are 4"
    )
    assert all(math.isnan(each.ratio) and each.reason for each in comparison.groups)
    assert comparison.correction is None
    text = comparison_as_text(comparison)
    assert "small: fewer than 11 people, or not known to be more; do not compare, do not share." in text
    assert "Not in the comparison: 1 whose outcome is not known" in text
    assert "12 admitted" in text and "(lost 1: still in the program)" in text


def test_groups_are_placed_in_a_funnel(ten_programs: GroupComparison) -> None:
    found = by_name(ten_programs)
    # 220 of 405 = .5432; ten groups of 40 are placed. s9: .9, z = (.9 - .5432) / √(.5432 × .4568 / 40) = 4.53
    assert ten_programs.everybody.value == pytest.approx(220 / 405)
    assert found["s9"].position == "far above" and found["s0"].position == "within"
    assert found["s9"].usual_low < 220 / 405 < found["s9"].usual_high < 0.9
    assert ten_programs.funnel_reason is None
    # Three people and those without a site are counted, in the model, and neither placed nor tested.
    for name in ("tiny", "not known"):
        assert found[name].position is None and math.isnan(found[name].usual_low) and math.isnan(found[name].p_value)
        assert found[name].small
    text = comparison_as_text(ten_programs)
    assert "s9 lies far above the usual range of a group of its size: 90.0%, usual" in text
    assert "This flags groups to look at, not to blame." in text


def test_observed_over_expected_without_anything_to_adjust_for(ten_programs: GroupComparison) -> None:
    # Expected of 40 like everyone: 40 × 220/405 = 21.73; the adjusted share is then the one counted.
    group = by_name(ten_programs)["s0"]
    assert group.expected == pytest.approx(40 * 220 / 405)
    assert group.ratio == pytest.approx(20 / (40 * 220 / 405))
    assert group.adjusted == pytest.approx(0.5)
    assert group.ratio_low < group.ratio < group.ratio_high
    assert ten_programs.adjusted_for == ()
    assert "Not adjusted for anything" in comparison_as_text(ten_programs)


def test_p_values_are_adjusted_for_the_number_of_groups(ten_programs: GroupComparison) -> None:
    found = by_name(ten_programs)
    share = 220 / 405
    z = (36 - 40 * share) / math.sqrt(40 * share * (1 - share))
    assert found["s9"].p_value == pytest.approx(2 * norm.sf(z), rel=1e-6)
    # Holm: the smallest of ten times ten.
    assert ten_programs.correction == "holm"
    assert found["s9"].adjusted_p == pytest.approx(10 * found["s9"].p_value)
    assert found["s0"].adjusted_p == 1
    assert "Set apart from everyone by p under 0.05, adjusted for the number of groups (Holm): s9." in (
        comparison_as_text(ten_programs)
    )


def test_more_than_ten_groups_are_a_screen() -> None:
    rows = [row for number in range(12) for row in people(10 + (number == 3) * 9, 20, site=f"s{number}")]
    comparison = compare_groups(COMPLETION, small_snapshot(rows), Stratifier.SITE)
    assert comparison.correction == "benjamini_hochberg"
    # The smallest of twelve times twelve over one.
    assert by_name(comparison)["s3"].adjusted_p == pytest.approx(12 * by_name(comparison)["s3"].p_value)
    assert "(Benjamini and Hochberg)" in comparison_as_text(comparison)


def test_fewer_than_eight_groups_have_no_funnel_and_a_sentence() -> None:
    rows = [row for number in range(7) for row in people(10, 20, site=f"s{number}")]
    comparison = compare_groups(COMPLETION, small_snapshot(rows), Stratifier.SITE)
    assert comparison.funnel_reason == "a funnel needs at least 8 units"
    assert all(each.position is None for each in comparison.groups)
    text = comparison_as_text(comparison)
    assert "No funnel: it needs at least 8 groups of 11 people or more, and there are 7." in text
    assert "usual range" not in text


def test_groups_that_differ_on_the_whole_have_a_wider_funnel() -> None:
    # Half of them 30 %, half 70 %, of 40 each: z² = .2² / (.25 / 40) = 6.4, above 1 + 2 √(2/8) = 2.
    rows = [row for number in range(8) for row in people(12 if number % 2 else 28, 40, site=f"s{number}")]
    comparison = compare_groups(COMPLETION, small_snapshot(rows), Stratifier.SITE)
    assert comparison.widened and comparison.phi == pytest.approx(6.4)
    assert {each.position for each in comparison.groups} == {"within"}
    assert "the usual range is 2.5 times as wide" in comparison_as_text(comparison)


# What may adjust


def test_what_is_the_groups_own_does_not_adjust() -> None:
    # North is intensive, south partial: adjusting for the level would expect of each just what it had.
    rows = people(40, 50, site="north", level_of_care="IOP") + people(20, 50, site="south", level_of_care="PHP")
    comparison = compare_groups(COMPLETION, small_snapshot(rows), Stratifier.SITE)
    assert dict(comparison.not_adjusted_for)["level_of_care"] == "each group has only one kind"
    assert by_name(comparison)["north"].ratio == pytest.approx(40 / 30)
    assert "level of care (each group has only one kind)" in comparison_as_text(comparison)
    # Where nearly everybody has the same, it belongs to nobody: it has no spread.
    rows = people(48, 98, site="north", level_of_care="IOP") + people(1, 2, site="north", level_of_care="PHP")
    rows += people(50, 100, site="south", level_of_care="IOP")
    found = compare_fairly(COMPLETION, small_snapshot(rows), Stratifier.SITE)
    assert dict(found.left_out)["level_of_care"] == "too few people"


def test_covariates_enter_as_long_as_the_outcomes_carry_them() -> None:
    # 30 completed, 90 did not: three parameters, so the constant and two more. Severity takes one, age two: too many,
    # gender one.
    rows: list[Row] = []
    for number in range(120):
        rows.append({
            "site": ("north", "south")[number % 2],
            "baseline_severity": ("mild", "severe")[number // 2 % 2],
            "age_band": ("18-25", "26-34", "35-44")[number // 4 % 3],
            "gender": ("female", "male")[number // 12 % 2],
            "discharge_reason": "completed" if (number // 24 % 4 == 0 and number < 96) or number in range(96, 102)
            else "lost_contact",
        })  # fmt: skip
    assert sum(row["discharge_reason"] == "completed" for row in rows) == 30
    found = compare_fairly(COMPLETION, small_snapshot(rows), Stratifier.SITE)
    assert found.covariates == ("baseline_severity", "gender")
    assert dict(found.left_out)["age_band"] == "too few people"
    assert found.model.reason is None


def test_rare_codes_are_taken_together() -> None:
    # Of 200 with half completed, a code of three who all completed would tell them apart completely.
    rows = [row for site in ("north", "south") for row in people(45, 95, site=site, gender="female")]
    rows += people(3, 3, site="north", gender="nonbinary") + people(7, 7, site="south", gender="other")
    found = compare_fairly(COMPLETION, small_snapshot(rows), Stratifier.SITE)
    assert found.model.reason is None or "completely" in found.model.reason
    rows += people(6, 12, site="south", gender="other")
    found = compare_fairly(COMPLETION, small_snapshot(rows), Stratifier.SITE)
    assert found.model.reason is None
    assert found.covariates == ("gender",)


def test_a_kind_of_whom_nobody_can_is_expected_to_do_just_that() -> None:
    # Mild people cannot get well by as much as the measure asks: none of 30. Of the severe 60 of 80 and 20 of 40.
    rows: list[Row] = []
    for site, mild, (well, severe) in (("north", 10, (60, 80)), ("south", 20, (20, 40))):
        rows += people(0, mild, site=site, baseline_severity="mild")
        rows += people(well, severe, site=site, baseline_severity="severe")
    found = compare_fairly(COMPLETION, small_snapshot(rows), Stratifier.SITE)
    assert found.model.reason is None
    # Expected: the severe of both together, 80 of 120, and nobody of the mild.
    assert found.groups["north"].expected == pytest.approx(80 * 80 / 120)
    assert found.groups["south"].ratio == pytest.approx(20 / (40 * 80 / 120))


def test_a_group_of_whom_everybody_did_is_not_explained_away() -> None:
    rows = people(30, 30, site="north", level_of_care="IOP") + people(10, 40, site="south", level_of_care="PHP")
    found = compare_fairly(COMPLETION, small_snapshot(rows), Stratifier.SITE)
    assert found.groups["north"].ratio == pytest.approx(30 / (30 * 40 / 70))


def test_where_not_known_counts_as_no_it_does_in_the_comparison() -> None:
    measure = find("abstinence_followup_180")
    assert measure.missing == "failure"
    common = {"is_sud": True}
    rows: list[Row] = []
    for site, yes, no, unknown in (("north", 20, 10, 10), ("south", 20, 10, 30)):
        rows += [{**common, "site": site, "followup_180_abstinent": True}] * yes
        rows += [{**common, "site": site, "followup_180_abstinent": False}] * no
        rows += [{**common, "site": site}] * unknown
    found = by_name(compare_groups(measure, small_snapshot(rows), Stratifier.SITE))
    assert [each.estimate.denominator for each in found.values()] == [40, 60]
    assert found["north"].expected == pytest.approx(40 * 0.4)  # 40 of all 100
    assert found["south"].adjusted == pytest.approx(1 / 3)


# Reasons, JSON, commands


def test_what_was_not_collected_is_not_compared() -> None:
    measure = find("abstinence_followup_180")
    comparison = compare_groups(measure, small_snapshot([{"is_sud": True}], absent=["followup"]), Stratifier.SITE)
    assert comparison.groups == () and comparison.reason == "Not collected: follow-up interviews."
    assert comparison.reason in comparison_as_text(comparison)


def test_only_shares_and_groups_fixed_at_admission_are_compared() -> None:
    with pytest.raises(MeasureProblem, match="no share of people"):
        compare_groups(find("attendance"), small_snapshot([{}]), Stratifier.SITE)
    with pytest.raises(MeasureProblem, match="cannot be compared fairly"):
        compare_groups(COMPLETION, small_snapshot([{}]), Stratifier.THERAPY)


def test_the_json_has_whole_numbers_and_null(ten_programs: GroupComparison) -> None:
    data = json.loads(json.dumps(result_as_dict(ten_programs), allow_nan=False))
    groups = {each["group"]: each for each in data["groups"]}
    assert (groups["s9"]["estimate"]["numerator"], groups["s9"]["position"]) == (36, "far above")
    assert groups["tiny"]["p_value"] is None and groups["tiny"]["small"] is True
    assert data["snapshot_id"] == "small" and data["by"] == "site"
    for each in data["groups"]:
        assert each["ratio"] is not None or each["reason"]
        assert each["same_mix"] is not None or each["same_mix_reason"]


def test_somebody_who_counts_twice_is_said() -> None:
    rows = [row | {"person_id": 1 + number // 2} for number, row in enumerate(people(20, 40, site="north"))]
    text = comparison_as_text(compare_groups(COMPLETION, small_snapshot(rows), Stratifier.SITE))
    assert "40 episodes of 20 people" in text and "--unit person" in text


def test_the_command_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "completion", "--by", "nothing"]) == 2
    assert "There is no split nothing" in capsys.readouterr().err
