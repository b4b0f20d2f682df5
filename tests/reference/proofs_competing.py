"""Proofs of competing ways of leaving: R cmprsk 2.2-11 and survival 3.5-3."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from analytics.statistics.event_table import log_log_limits
from analytics.statistics.gray import gray_test
from analytics.statistics.survival import (
    CumulativeIncidence,
    cumulative_incidence,
    cumulative_incidence_by_group,
    incidence_difference,
)
from tests.reference.proof import Pair, proof
from tests.reference.reference_results import column, expected, rows

CASES = {"cr_bmtcrr": ("ftime", "dis"), "cr_mgus2_ties": ("etime", "sex")}
AALEN = (
    "The variance is Aalen's, as in cmprsk. survfit's is the infinitesimal jackknife (.1 to 1 % apart); its limits are "
    "compared by our formula over its error."
)


def by_group(shared: Path, case: str) -> Any:
    table, (time, group) = rows(shared, case), CASES[case]
    return cumulative_incidence_by_group([row[group] for row in table], column(table, time), column(table, "status"))


def of_cmprsk(name: str, curve: CumulativeIncidence, cause: int, theirs: Any) -> Iterator[Pair]:
    points = [curve.at(cause, row["time"]) for row in theirs]
    yield f"last incidence, {name}", points[-1].value, theirs[-1]["cif"]
    yield name, [point.value for point in points], [row["cif"] for row in theirs]
    yield f"{name}, variance", [p.standard_error**2 for p in points], [row["var_cmprsk"] for row in theirs]


def of_survfit(curves: Any, theirs: Any) -> Iterator[Pair]:
    for state, of_state in theirs["survfit_aj_loglog"].items():
        for row in of_state:
            curve: CumulativeIncidence = curves[row["group"]]
            last = int(np.searchsorted(curve.time, row["time"], side="right")) - 1
            if state == "state_event_free":
                yield state, curve.event_free[last], row["p"]
            else:
                point = curve.at(int(state[-1]), row["time"])
                yield state, (point.value, point.at_risk), (row["p"], row["n_risk"])
            low, high = log_log_limits(np.array([row["p"]]), np.array([row["se"]]), 0.95)
            yield f"{state}, limits", (low[0], high[0]), (row["lower"], row["upper"])


def incidence(shared: Path, case: str) -> Iterator[Pair]:
    curves, theirs = by_group(shared, case), expected(shared, case)
    for name, points in theirs["cmprsk"].items():
        group, cause = name.split()
        yield from of_cmprsk(name, curves[group], int(cause), points)
    yield from of_survfit(curves, theirs)


def gray(shared: Path, case: str) -> Iterator[Pair]:
    table, (time, group) = rows(shared, case), CASES[case]
    ways = [int(way) for way in column(table, "status")]
    for cause in (1, 2):
        theirs = expected(shared, case)["gray_test"][f"cause_{cause}"]
        found = gray_test(column(table, time), ways, [row[group] for row in table], of=cause)
        yield f"statistic, cause {cause}", found.statistic, theirs["stat"]
        yield "p and degrees of freedom", (found.p_value, found.degrees_of_freedom), (theirs["pv"], theirs["df"])


@proof("cr_bmtcrr", "Aalen–Johansen incidence and variance, by group and of all", note=AALEN)
def transplants(shared: Path) -> Iterator[Pair]:
    yield from incidence(shared, "cr_bmtcrr")
    table = rows(shared, "cr_bmtcrr")
    of_all = cumulative_incidence(column(table, "ftime"), column(table, "status"))
    for name, points in expected(shared, "cr_bmtcrr")["overall"]["cmprsk"].items():
        yield from of_cmprsk(f"all {name}", of_all, int(name.split()[1]), points)


@proof("cr_bmtcrr", "Difference of two incidences at 12 months")
def transplants_difference(shared: Path) -> Iterator[Pair]:
    # cmprsk's incidences and variances of relapse in the two diseases, combined by hand.
    curves, theirs = by_group(shared, "cr_bmtcrr"), expected(shared, "cr_bmtcrr")["cmprsk"]
    a, b = (next(row for row in theirs[name] if row["time"] == 12) for name in ("ALL 1", "AML 1"))
    gap = incidence_difference(curves["ALL"], curves["AML"], cause=1, time=12)
    difference, half = a["cif"] - b["cif"], 1.959963984540054 * (a["var_cmprsk"] + b["var_cmprsk"]) ** 0.5
    yield "difference", gap.value, difference
    yield "limits", (gap.low, gap.high), (difference - half, difference + half)


@proof("cr_bmtcrr", "Gray's test of both causes")
def transplants_gray(shared: Path) -> Iterator[Pair]:
    yield from gray(shared, "cr_bmtcrr")


@proof("cr_mgus2_ties", "Aalen–Johansen incidence and variance, heavy ties", note=AALEN)
def ties(shared: Path) -> Iterator[Pair]:
    yield from incidence(shared, "cr_mgus2_ties")


@proof("cr_mgus2_ties", "Gray's test of both causes, heavy ties")
def ties_gray(shared: Path) -> Iterator[Pair]:
    yield from gray(shared, "cr_mgus2_ties")
