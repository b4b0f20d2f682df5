"""Groups of curves set against each other: tests of all of them together, and differences on one day."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import isnan
from typing import Final

from analytics.measures.curves import WAYS, Cells
from analytics.measures.results import DayDifference, Estimate, GroupTest
from analytics.measures.types import ALL, NOT_KNOWN, Estimator, Measure
from analytics.statistics.gray import GrayTest, gray_test
from analytics.statistics.survival import CumulativeIncidence, LogRank, incidence_difference, log_rank

MOST_COMPARED: Final = 4  # groups; with more of them, differences are a list that nobody reads


def group_tests(measure: Measure, cells: Mapping[str, Cells]) -> tuple[GroupTest, ...]:
    """Return the tests between the known groups; none with fewer than two, or nothing to compare.

    A stay is compared by the log-rank test. An incidence is compared twice in the measure's way of leaving: by the
    cause-specific log-rank test, for which those who leave otherwise are censored, and by Gray's test of the
    incidences themselves. Groups may differ in one and not in the other.
    """
    known = {group: days for group, days in cells.items() if group not in (ALL, NOT_KNOWN) and days}
    if len(known) < 2:
        return ()
    rows = [(day, way, people, group) for group, days in known.items() for (day, way), people in days.items()]
    days, ways, people, groups = zip(*rows, strict=True)
    found: list[tuple[str, str, LogRank | GrayTest]]
    if measure.estimator is not Estimator.INCIDENCE:
        test = log_rank(days, [way is not None for way in ways], groups, people)
        found = [("log-rank", "whether people stay equally long", test)]
    else:
        codes = [0 if way is None else WAYS.index(way) + 1 for way in ways]
        chosen = WAYS.index(str(measure.way)) + 1
        rates = log_rank(days, [code == chosen for code in codes], groups, people)
        shares = gray_test(days, codes, groups, people, of=chosen)
        found = [
            (
                f"cause-specific log-rank ({measure.way})",
                "whether those still in the program leave in this way at the same pace",
                rates,
            ),
            (f"Gray ({measure.way})", "whether the same share has left in this way by each day", shares),
        ]
    return tuple(
        GroupTest(name, test.statistic, test.degrees_of_freedom, test.p_value, asks)
        for name, asks, test in found
        if not isnan(test.statistic)
    )


def day_differences(
    measure: Measure, estimates: Mapping[str, Estimate], curves: Mapping[str, CumulativeIncidence]
) -> tuple[DayDifference, ...]:
    """Return the differences of incidence between each two of at most four known groups, at the day both are read."""
    known = [group for group in curves if group not in (ALL, NOT_KNOWN) and estimates[group].has_value]
    if len(known) > MOST_COMPARED:
        return ()
    found = []
    for first, second in combinations(known, 2):
        day = estimates[first].details["day"]
        if day == estimates[second].details["day"]:
            gap = incidence_difference(curves[first], curves[second], WAYS.index(str(measure.way)) + 1, day)
            found.append(DayDifference(first, second, int(day), gap.value, gap.low, gap.high))
    return tuple(found)
