"""Jacobson and Truax's classes against R clinicalsignificance and the authors' own example."""

import doctest
from math import nan
from pathlib import Path

import numpy as np
import pytest
from reference_results import example, expected, rows

from analytics.statistics import clinical_significance, reliable_change
from analytics.statistics.change import cutoffs, jacobson_truax

THEIRS = {"Harmed": "relapsed"}


def general_sd(info: dict[str, float], kind: str) -> float:
    """The SD that R's cut-off uses: for b the package takes the one of people in care, the paper (and we) do not."""
    return info["sd_clinical" if kind == "b" else "sd_functional"]


def pairs(shared: Path, case: str, person: str, time: str, score: str, first: str, last: str) -> list[list[float]]:
    by_person: dict[str, dict[str, float]] = {}
    for row in rows(shared, case):
        value = row[score]
        by_person.setdefault(row[person], {})[row[time]] = nan if value in ("", "NA") else float(value)
    return [[scores.get(at, nan) for scores in by_person.values()] for at in (first, last)]


def test_the_examples_in_the_docstrings_hold() -> None:
    for module in (clinical_significance, reliable_change):
        assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("kind", ["a", "b", "c"])
def test_classes_match_r_where_lower_is_better(kind: str, shared: Path) -> None:
    # Oracle: rci_claus2020_bdi (JT), 40 of 43 people with both scores.
    first, last = pairs(shared, "rci_claus2020_bdi", "id", "time", "bdi", "1", "4")
    theirs = expected(shared, "rci_claus2020_bdi")[f"JT_{kind}"]
    info = theirs["cutoff_info"]
    found = jacobson_truax(
        first, last, info["sd_clinical"], 0.801,
        general_mean=info["m_functional"], general_sd=general_sd(info, kind), kind=kind,
    )  # fmt: skip
    assert found.cutoff == pytest.approx(info["value"], abs=1e-9)
    difference = found.change.standard_error_of_difference
    assert difference == pytest.approx(theirs["rci_parameters"]["s_diff"], abs=1e-9)
    known = found.classes[found.classes != "unknown"].tolist()
    assert known == [THEIRS.get(p["category"], p["category"].lower()) for p in theirs["participants"]]
    assert sum(found.counts.values()) == theirs["n"]["n_original"]
    assert found.counts["unknown"] == 3


@pytest.mark.parametrize("kind", ["a", "b", "c"])
def test_classes_match_r_where_higher_is_better(kind: str, shared: Path) -> None:
    # Oracle: rci_jacobson1989_das.
    first, last = pairs(shared, "rci_jacobson1989_das", "subject", "time", "das", "pre", "post")
    theirs = expected(shared, "rci_jacobson1989_das")[f"das_JT_{kind}"]
    info = theirs["cutoff_info"]
    index = np.array([p["rci"] for p in theirs["participants"]])
    reliability = 1 - (theirs["rci_parameters"]["s_diff"] / info["sd_clinical"]) ** 2 / 2
    found = jacobson_truax(
        first, last, info["sd_clinical"], reliability,
        general_mean=info["m_functional"], general_sd=general_sd(info, kind), kind=kind, direction=-1,
    )  # fmt: skip
    assert found.cutoff == pytest.approx(info["value"], abs=1e-9)
    np.testing.assert_allclose(found.change.index[found.classes != "unknown"], index, atol=1e-9)
    known = found.classes[found.classes != "unknown"].tolist()
    assert known == [THEIRS.get(p["category"], p["category"].lower()) for p in theirs["participants"]]


def test_cutoffs_match_the_worked_example(shared: Path) -> None:
    case = example(shared, "jt_cut")
    given = case["inputs"]
    found = cutoffs(given["m_clin"], given["sd_clin"], given["m_norm"], given["sd_norm"])
    assert (found.a, found.b, found.c) == pytest.approx(tuple(case["expected"][k] for k in "abc"), abs=1e-4)


def test_classes_by_hand() -> None:
    # SD 5.5, r .84: 6.1 points are reliable; cut-off a = 18 - 11 = 7, lower is better.
    #   18 -> 5 better, across; 18 -> 10 better only; 18 -> 14 neither; 18 -> missing; 5 -> 18 back across;
    #   10 -> 18 worse, was beyond the cut-off before
    first, last = [18, 18, 18, 18, 5, 10], [5, 10, 14, nan, 18, 18]
    found = jacobson_truax(first, last, 5.5, 0.84, clinical_mean=18)
    names = ["recovered", "improved", "unchanged", "unknown", "relapsed", "deteriorated"]
    assert found.classes.tolist() == names


def test_without_a_general_population_only_a_is_possible() -> None:
    assert jacobson_truax([10, 12], [5, 6], 3, 0.8).kind == "a"
    with pytest.raises(ValueError, match="general population"):
        jacobson_truax([10, 12], [5, 6], 3, 0.8, kind="c")


def test_nobody_gives_no_class_and_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    assert sum(jacobson_truax([], [], 3, 0.8).counts.values()) == 0
    assert jacobson_truax([nan], [3], 3, 0.8).counts["unknown"] == 1
    assert not recwarn.list
