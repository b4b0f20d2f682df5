"""Endpoints over weekly patterns by hand; on the 1,269 people of CTN-0027: `proofs_episodes.py`."""

from typing import Any

import duckdb
import numpy as np
import pytest

from analytics.measures import use_patterns
from analytics.measures.types import Measure
from analytics.measures.use_patterns import (
    FOUR_MISSING,
    FOUR_POSITIVE,
    LONGEST_ABSTINENCE,
    NEGATIVE_LAST_FOUR,
    NEGATIVE_WEEKS,
    NOT_OFFERED,
    THREE_POSITIVE,
    WEEKS,
)

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
