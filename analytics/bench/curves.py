"""Benchmark of curves by day, staying and ways of leaving, against statsmodels and R on the rows."""

from __future__ import annotations

from dataclasses import replace
from math import isclose
from pathlib import Path
from typing import Final

from analytics.bench.budget import Gate, Row
from analytics.bench.leaving import LeavingRows, leaving_rows
from analytics.bench.r_peer import run_r
from analytics.bench.timing import medians
from analytics.measures import catalog, evaluate
from analytics.measures.results import StratifiedResult
from analytics.measures.types import Measure, Stratifier
from analytics.store.snapshot import open_current

FASTER_THAN_STATSMODELS: Final = Gate(40, target=80, at_least=True)
FASTER_THAN_R: Final = Gate(60, target=150, at_least=True)
FASTER_THAN_R_MULTI_STATE: Final = Gate(150, target=300, at_least=True)

BY: Final = Stratifier.MODALITY

# Another order of summation changes far less; another rule changes far more.
SAME: Final = 1e-6


def curve_rows(store: Path, scratch: Path) -> list[Row]:
    """Time the curves of the published snapshot of `store`; `scratch` takes the rows for R.

    The peers find the rows of known modality ready in arrays: fetching and grouping them is not counted.
    """
    snapshot = open_current(store)
    staying, leaving = catalog.find("retention_km"), catalog.find("completion_cif")
    rows = leaving_rows(snapshot, staying, leaving, BY)

    def curves_of(measure: Measure) -> StratifiedResult:
        return evaluate([measure], snapshot, by=BY, persons=False)[0]

    curves, ways = curves_of(staying), curves_of(leaving)
    ours_chi_square = curves.tests[0].statistic if curves.tests else None
    (seconds, statsmodels_seconds), runs = medians(lambda: curves_of(staying), lambda: statsmodels_curves(rows))
    (ways_seconds,), ways_runs = medians(lambda: curves_of(leaving))
    survival = Row(
        f"{staying.name} by {BY}, intervals and log-rank", "ms", FASTER_THAN_STATSMODELS,
        1000 * seconds, "statsmodels", 1000 * statsmodels_seconds, runs,
        disagreement=difference("log-rank", ours_chi_square, statsmodels_curves(rows)),
    )  # fmt: skip
    survival_in_r = replace(survival, gate=FASTER_THAN_R, peer="R survfit, survdiff", against=None, disagreement="")
    ways_in_r = Row(
        f"{leaving.name} by {BY}, intervals", "ms", FASTER_THAN_R_MULTI_STATE,
        1000 * ways_seconds, "R survfit, multi-state", None, ways_runs,
    )  # fmt: skip
    answer = run_r(rows, scratch, str(leaving.way), leaving.read_at[0])
    if isinstance(answer, str):
        return [survival, replace(survival_in_r, reason=answer), replace(ways_in_r, reason=answer)]
    return [
        survival,
        replace(
            survival_in_r,
            against=1000 * answer.survival_seconds,
            disagreement=difference("log-rank", ours_chi_square, answer.chi_square),
        ),
        replace(
            ways_in_r,
            against=1000 * answer.competing_seconds,
            disagreement=difference("incidence", ways.estimates[rows.labels[0]].value, answer.incidence),
        ),
    ]


def statsmodels_curves(rows: LeavingRows) -> float:
    """Estimate every group's curve with its errors, and test them; return the log-rank statistic."""
    from statsmodels.duration.survfunc import SurvfuncRight, survdiff

    for days, left in rows.by_group:
        SurvfuncRight(days, left)
    statistic, _ = survdiff(rows.day, rows.left, rows.name)
    return float(statistic)


def difference(what: str, ours: float | None, theirs: float) -> str:
    """Return "" when two answers are the same number, else how they differ."""
    if ours is not None and isclose(ours, theirs, rel_tol=SAME):
        return ""
    return f"{what} differs: {ours} against {theirs}"
