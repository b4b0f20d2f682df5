"""Mixed models: the worked example, statsmodels, sums against rows, and edges; lme4's proofs: `proofs_change.py`."""

import doctest
import warnings
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference_results import example

from analytics.measures import ALL, find
from analytics.statistics import mixed_model
from analytics.statistics.change import mixed_slope
from analytics.statistics.mixed_model import mixed_slope_from_sums
from analytics.statistics.restricted_likelihood import PathSums, path_sums
from tests.spec.outcome_tables import one, small_snapshot


def test_the_example_in_the_docstring_holds() -> None:
    result = doctest.testmod(mixed_model)
    assert (result.attempted, result.failed) == (2, 0)


def test_the_mixed_model_matches_the_worked_example(shared: Path) -> None:
    case = example(shared, "mixed")
    who, week, score = zip(*case["inputs"]["rows"], strict=True)
    found = mixed_slope(score, week, who)
    answer = case["expected"]
    assert (found.people, found.scores, found.has_random_slope) == (6, 20, False)
    assert found.intercept == pytest.approx(answer["intercept"], abs=2e-3)
    assert found.slope == pytest.approx(answer["slope_per_week"], abs=2e-3)
    assert [found.slope_low, found.slope_high] == pytest.approx(answer["slope_ci"], abs=2e-3)
    assert found.variance_between == pytest.approx(answer["var_id"], abs=0.02)


@pytest.mark.parametrize(
    ("score", "time", "who", "reason"),
    [
        ([], [], [], "fewer than two people have a score"),
        ([5], [0], [1], "fewer than two people have a score"),
        ([5, 6], [0, 0], [1, 2], "nobody has two scores"),
        ([5, 5, 5, 5, 5, 5], [0, 1, 2, 0, 1, 2], [1, 1, 1, 2, 2, 2], "all scores are equal"),
        ([5, 6, 7, 8], [0, 0, 0, 0], [1, 1, 2, 2], "the scores do not differ in time, or one of the groups has none"),
        ([nan, nan], [0, 1], [1, 1], "fewer than two people have a score"),
    ],
)
def test_a_mixed_model_without_an_answer_says_why(score: Any, time: Any, who: Any, reason: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = mixed_slope(score, time, who)
    assert found.reason == reason
    assert np.isnan(found.slope)


def paths(people: int, weeks: int, seed: int) -> tuple[Any, Any, Any]:
    """Scores, weeks and people with slopes of their own; every third score is missing, one person has one score."""
    chance = np.random.default_rng(seed)
    who, week = np.repeat(np.arange(people), weeks), np.tile(np.arange(weeks, dtype=float), people)
    level, slope = chance.normal(15, 4, people)[who], chance.normal(-0.8, 0.4, people)[who]
    score = np.round(level + slope * week + chance.normal(0, 2, len(who)))
    kept = (chance.random(len(who)) > 1 / 3) & ((who > 0) | (week == 0))
    kept[0] = True
    return score[kept], week[kept], who[kept]


@pytest.mark.parametrize("random_slope", [False, True])
def test_the_mixed_model_matches_statsmodels(random_slope: bool) -> None:
    import statsmodels.api as sm

    score, week, who = paths(people=80, weeks=9, seed=4)
    found = mixed_slope(score, week, who, random_slope=random_slope)
    design = np.column_stack([np.ones(len(week)), week])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sm.MixedLM(score, design, groups=who, exog_re=design if random_slope else None).fit(method="lbfgs")
    assert theirs.converged
    assert (found.intercept, found.slope) == pytest.approx(tuple(theirs.fe_params), abs=1e-5)
    assert found.slope_error == pytest.approx(theirs.bse_fe[1], rel=1e-3)
    assert found.variance_within == pytest.approx(theirs.scale, rel=1e-3)
    assert found.variance_between == pytest.approx(np.asarray(theirs.cov_re)[0, 0], rel=1e-3)


def test_sums_by_pattern_of_times_give_the_answer_of_the_rows() -> None:
    score, week, who = paths(people=200, weeks=5, seed=1)
    rows = path_sums(score, week, who)
    patterns = {}
    for entry in zip(*(getattr(rows, name) for name in rows.__dataclass_fields__), strict=True):
        number, scores, time, squares, *sums = (float(each) for each in entry)
        before = patterns.get((scores, time, squares), np.zeros(7))
        patterns[scores, time, squares] = before + np.array([number, *sums])
    assert len(patterns) < 32 < len(rows.people)
    keys, sums = np.array(list(patterns)).T, np.array(list(patterns.values())).T
    added = PathSums(sums[0], *keys, *sums[1:])
    ours, theirs = mixed_slope_from_sums([added]), mixed_slope(score, week, who)
    assert (ours.people, ours.scores, ours.has_random_slope) == (len(rows.people), len(score), True)
    assert ours.slope == pytest.approx(theirs.slope, abs=1e-9)
    assert ours.slope_error == pytest.approx(theirs.slope_error, rel=1e-6)


def test_scores_that_all_lie_on_the_lines_have_no_doubt_and_so_no_answer() -> None:
    found = mixed_slope([5, 4, 3, 9, 8, 7], [0, 1, 2, 0, 1, 2], [1, 1, 1, 2, 2, 2])
    assert found.reason == "no score lies off its person's line, or the model did not settle"
    assert np.isnan(found.slope)


def test_the_slope_is_computed_where_the_scores_lie(shared: Path) -> None:
    # ex: mixed, as a measure: a falling PHQ-9 is improvement, so the sign turns. The seventh stay has no score.
    case = example(shared, "mixed")
    stays: dict[int, dict[str, Any]] = {}
    for who, week, score in case["inputs"]["rows"]:
        stays.setdefault(who, {"episode_id": who})[f"week_{week}"] = score
    snapshot = small_snapshot([{}] * 7, [*stays.values(), {"episode_id": 7}])
    result = one(snapshot, find("mixed_model_slope", "phq9"))
    found, answer = result.estimates[ALL], case["expected"]
    assert found.value == pytest.approx(-answer["slope_per_week"], abs=1e-5)
    low, high = answer["slope_ci"]
    assert (found.ci_low, found.ci_high) == pytest.approx((-high, -low), abs=2e-3)
    assert (found.denominator, found.unknown, found.persons) == (6, 1, 6)
    assert found.details["score_at_week_0"] == pytest.approx(answer["intercept"], abs=1e-4)
    assert found.details["variance_within"] == pytest.approx(answer["var_resid"], abs=2e-2)
    assert (found.details["scores"], found.details["scores_week_8"], found.details["scores_week_1"]) == (20, 4, 0)
    assert [(step.count, step.lost_label) for step in result.ladder.steps] == [
        (7, ""),
        (6, "no score during the stay"),
    ]


def test_the_slope_of_a_scale_that_rises_is_plus_when_it_rises() -> None:
    rows = [
        {"episode_id": who, "instrument": "who5", "direction": -1, "week_0": 40 + who, "week_4": 60 - 2 * who}
        for who in range(1, 5)
    ]
    found = one(small_snapshot([{}] * 4, rows), find("mixed_model_slope", "who5")).estimates[ALL]
    assert found.value == pytest.approx(sum(20 - 3 * who for who in range(1, 5)) / 4 / 4)


def test_stays_without_two_scores_have_no_slope_but_a_reason() -> None:
    found = one(small_snapshot([{}] * 2, [{"episode_id": 1, "week_0": 9}, {"episode_id": 2, "week_0": 12}]),
                find("mixed_model_slope", "phq9")).estimates[ALL]  # fmt: skip
    assert found.reason == "No slope: nobody has two scores."
    assert not found.has_value and found.denominator == 2
