"""Jacobson and Truax's classes by hand; the proofs against R: `proofs_change.py`."""

import doctest
from math import nan
from pathlib import Path

import pytest
from reference_results import example

from analytics.statistics import clinical_significance, reliable_change
from analytics.statistics.change import cutoffs, jacobson_truax


def test_the_examples_in_the_docstrings_hold() -> None:
    for module in (clinical_significance, reliable_change):
        assert doctest.testmod(module).failed == 0


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
