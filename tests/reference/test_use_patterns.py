"""Endpoints over weekly patterns against the trial definitions of CTNote, on 1,269 people of CTN-0027."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from reference_results import expected, rows

from analytics.measures import use_patterns
from analytics.measures.types import Measure
from analytics.measures.use_patterns import (
    FIRST_POSITIVE,
    FOUR_MISSING,
    FOUR_POSITIVE,
    LONGEST_ABSTINENCE,
    NEGATIVE_LAST_FOUR,
    NEGATIVE_WEEKS,
    NOT_OFFERED,
    THREE_POSITIVE,
    WEEKS,
    complete_abstinence,
)
from analytics.statistics.survival import kaplan_meier, log_rank

# CTNote's implementation of Krupitsky's weeks 5 to 24 ends with week 15.
ENDPOINTS = {
    "longest abstinence": (LONGEST_ABSTINENCE, "Ab_schottenfeldB_2008"),
    "complete abstinence": (complete_abstinence(5, 15), "Ab_krupitskyA_2011"),
    "negative in the last four weeks": (NEGATIVE_LAST_FOUR, "Ab_ctnThirty_2011"),
    "week of the first positive": (FIRST_POSITIVE.week, "AbT_schottenfeldA_2008"),
    "first positive came": (FIRST_POSITIVE.happened, "AbE_schottenfeldA_2008"),
    "week of three positives": (THREE_POSITIVE.week, "RsT_schottenfeld_2008"),
    "three positives came": (THREE_POSITIVE.happened, "RsE_schottenfeld_2008"),
    "week of four positives": (FOUR_POSITIVE.week, "RsT_ctnNinetyFour_2023"),
    "four positives came": (FOUR_POSITIVE.happened, "RsE_ctnNinetyFour_2023"),
    "week of four missing": (FOUR_MISSING.week, "DrT_ctnNinetyFour_2023"),
    "four missing came": (FOUR_MISSING.happened, "DrE_ctnNinetyFour_2023"),
    "negative weeks": (NEGATIVE_WEEKS, "n_negative"),
    "percent negative, missing as positive": (f"{NEGATIVE_WEEKS} / {WEEKS}", "prop_negative"),
}


@pytest.fixture(scope="module")
def patterns(request: pytest.FixtureRequest) -> duckdb.DuckDBPyConnection:
    shared: Path = request.getfixturevalue("shared")
    connection = duckdb.connect()
    connection.execute("create table weekly (who varchar, use_pattern varchar)")
    table = rows(shared, "abstinence_ctn0027")
    connection.executemany("insert into weekly values (?, ?)", [(row["who"], row["use_pattern"]) for row in table])
    return connection


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_matches_ctnote_for_everybody(name: str, patterns: Any, shared: Path) -> None:
    text, column = ENDPOINTS[name]
    theirs = {str(row["who"]): row[column] for row in expected(shared, "abstinence_ctn0027")}
    ours = patterns.execute(f"select who, {text} from weekly").fetchall()
    assert len(ours) == 1269
    different = [(who, value, theirs[who]) for who, value in ours if value != pytest.approx(theirs[who], abs=1e-12)]
    assert different == []


@pytest.mark.parametrize(("endpoint", "name"), [(FOUR_MISSING, "dropout"), (FOUR_POSITIVE, "relapse")])
def test_curves_by_arm_match_r_from_the_patterns_alone(endpoint: Any, name: str, patterns: Any, shared: Path) -> None:
    # Oracle: km_ctn0027_retention (survfit, survdiff by treatment).
    arms = {row["who"]: row["treatment"] for row in rows(shared, "km_ctn0027_retention")}
    theirs = expected(shared, "km_ctn0027_retention")[name]
    found = patterns.execute(f"select who, {endpoint.week}, {endpoint.happened} from weekly").fetchall()
    for arm in set(arms.values()):
        mine = [(week, came) for who, week, came in found if arms[who] == arm]
        curve = kaplan_meier([week for week, _ in mine], [came for _, came in mine])
        points = [point for point in theirs.get("curve", []) if point["strata"] == f"treatment={arm}"]
        for point in points:  # of the dropout only: R was not asked for the other curve
            at = curve.at(point["time"])
            assert at.value == pytest.approx(point["surv"], abs=1e-9)
            assert at.standard_error == pytest.approx(point["greenwood_se"], abs=1e-9)
        assert len(points) > 10 or name == "relapse"
    test = log_rank([w for _, w, _ in found], [c for _, _, c in found], [arms[who] for who, _, _ in found])
    assert test.statistic == pytest.approx(theirs["logrank"]["chisq"], abs=1e-9)
    assert test.observed.tolist() == theirs["logrank"]["observed"]


# By hand: `_` is a week without a test, skipped in every run


def value(pattern: str, text: str) -> Any:
    connection = duckdb.connect()
    answer = connection.execute(f"select {text} from (select $pattern as use_pattern)", {"pattern": pattern}).fetchone()
    return answer[0] if answer else None


@pytest.mark.parametrize(
    ("pattern", "text", "answer"),
    [
        ("--_--+", LONGEST_ABSTINENCE, 4),
        ("--o--+", LONGEST_ABSTINENCE, 2),
        ("--*-", LONGEST_ABSTINENCE, 2),
        ("++", LONGEST_ABSTINENCE, 0),
        ("-+_+_o-", THREE_POSITIVE.week, 2),
        ("-+_+-o-", THREE_POSITIVE.happened, False),
        ("-+_+-o-", THREE_POSITIVE.week, 5),
        ("--oo_oo", FOUR_MISSING.week, 3),
        ("-", FOUR_POSITIVE.week, 0),
        ("-_-_--", NEGATIVE_LAST_FOUR, True),
        ("--+-_-", NEGATIVE_LAST_FOUR, True),
        ("--++_-", NEGATIVE_LAST_FOUR, False),
        ("+_-o", f"{NEGATIVE_WEEKS} || ' of ' || {WEEKS}", "1 of 3"),
    ],
)
def test_weeks_without_a_test_are_skipped(pattern: str, text: str, answer: Any) -> None:
    assert value(pattern, text) == answer


def test_eight_endpoints_are_offered_and_the_others_listed_with_a_reason() -> None:
    offered = [each for each in vars(use_patterns).values() if isinstance(each, Measure)]
    assert len(offered) == 8
    assert all(reason for reason in NOT_OFFERED.values())
    assert np.all([name[0].isupper() for name in NOT_OFFERED])
