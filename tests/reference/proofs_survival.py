"""Proofs of Kaplan-Meier, medians and log-rank tests: R survival 3.5-3."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analytics.statistics.log_rank import LogRank
from analytics.statistics.survival import (
    CurvePoint,
    SurvivalCurve,
    kaplan_meier,
    kaplan_meier_by_group,
    log_rank,
    median_survival,
)
from tests.reference.proof import Pair, proof
from tests.reference.reference_results import column, expected, rows

Rows = list[dict[str, Any]]

LOG_LOG = "Limits are log–log (R's own default is log), because they stay inside 0 to 1; none where S is 0 or 1."
NAMES = (
    ("survival", "surv"),
    ("standard_error", "greenwood_se"),
    ("ci_low", "loglog_lower"),
    ("ci_high", "loglog_upper"),
)


def of_curve(ours: SurvivalCurve, theirs: Rows) -> Iterator[Pair]:
    """Every time of R's survfit: counts, survival, Greenwood error and log-log limits."""
    counts = (("time", "time"), ("at_risk", "n_risk"), ("events", "n_event"), ("censored", "n_censor"))
    for mine, name in (*counts, *NAMES):
        yield name, getattr(ours, mine), [row[name] for row in theirs]


def of_point(ours: CurvePoint, theirs: dict[str, Any]) -> Iterator[Pair]:
    yield "n_risk", ours.at_risk, theirs["n_risk"]
    values = (ours.value, ours.standard_error, ours.ci_low, ours.ci_high)
    yield f"time {theirs['time']}", values, [theirs[name] for _, name in NAMES]


def of_median(curve: SurvivalCurve, theirs: dict[str, Any], stratum: str | None = None) -> Iterator[Pair]:
    """Median and its log-log limits of R's quantile.survfit."""
    ours = median_survival(curve)
    for value, part in zip((ours.value, ours.low, ours.high), ("estimate", "lower", "upper"), strict=True):
        quantiles = theirs["quantiles_loglog"][part]
        yield f"median, {part}", value, (quantiles[stratum] if stratum else quantiles)["q50"]


def of_test(ours: LogRank, theirs: dict[str, Any]) -> Iterator[Pair]:
    """R's survdiff: statistic, p, degrees of freedom, observed and expected events."""
    order = [ours.groups.index(name.split("=")[1]) for name in theirs["groups"]]
    yield "chi-square", ours.statistic, theirs["chisq"]
    yield "p", ours.p_value, theirs["p"]
    yield "degrees of freedom", ours.degrees_of_freedom, theirs["df"]
    yield "observed", ours.observed[order], theirs["observed"]
    yield "expected", ours.expected[order], theirs["expected"]


@proof("km_lung_overall", "Kaplan–Meier and median", note=LOG_LOG)
def lung(shared: Path) -> Iterator[Pair]:
    table, theirs = rows(shared, "km_lung_overall"), expected(shared, "km_lung_overall")
    curve = kaplan_meier(column(table, "time"), column(table, "event"))
    yield from of_median(curve, theirs)
    yield from of_curve(curve, theirs["curve"])


@proof("km_lung_by_sex", "Kaplan–Meier by group on fixed days, and medians", note=LOG_LOG)
def lung_by_sex(shared: Path) -> Iterator[Pair]:
    # summary(survfit, times=): events there are counted since the time before, so they are not compared.
    table, theirs = rows(shared, "km_lung_by_sex"), expected(shared, "km_lung_by_sex")
    sex = [row["sex"] for row in table]
    curves = kaplan_meier_by_group(sex, column(table, "time"), column(table, "event"))
    for label in ("1", "2"):
        yield from of_median(curves[label], theirs, f"sex={label}")
    for row in theirs["curve"]:
        yield from of_point(curves[row["strata"][-1]].at(row["time"]), row)


@proof("km_lung_by_sex", "Log-rank of two groups, of three, and stratified")
def lung_tests(shared: Path) -> Iterator[Pair]:
    # The stratum is ph.ecog, one row without it is dropped; the three groups are ph.ecog 0, 1, 2.
    table, theirs = rows(shared, "km_lung_by_sex"), expected(shared, "km_lung_by_sex")
    sex = [row["sex"] for row in table]
    yield from of_test(log_rank(column(table, "time"), column(table, "event"), sex), theirs["logrank"])
    known = [row for row in table if row["ph.ecog"]]
    state = [row["ph.ecog"] for row in known]
    stratified = log_rank(column(known, "time"), column(known, "event"), [row["sex"] for row in known], strata=state)
    yield from of_test(stratified, theirs["stratified"])
    three = [row for row in known if row["ph.ecog"] in "012"]
    of_three = log_rank(column(three, "time"), column(three, "event"), [row["ph.ecog"] for row in three])
    yield from of_test(of_three, theirs["three_group"])


@proof("km_freireich_6mp", "Kaplan–Meier and medians by group", note=LOG_LOG)
def freireich(shared: Path) -> Iterator[Pair]:
    table, theirs = rows(shared, "km_freireich_6mp"), expected(shared, "km_freireich_6mp")
    group = [row["treat"] for row in table]
    curves = kaplan_meier_by_group(group, column(table, "weeks"), column(table, "relapse"))
    for label in ("6-MP", "control"):
        stratum = f"treat={label}"
        yield from of_median(curves[label], theirs, stratum)
        yield from of_curve(curves[label], [row for row in theirs["curve"] if row["strata"] == stratum])


@proof("km_freireich_6mp", "Log-rank")
def freireich_test(shared: Path) -> Iterator[Pair]:
    table = rows(shared, "km_freireich_6mp")
    found = log_rank(column(table, "weeks"), column(table, "relapse"), [row["treat"] for row in table])
    yield from of_test(found, expected(shared, "km_freireich_6mp")["logrank"])


EDGES = ("A_ties", "B_all_censored", "C_last_is_event", "D_single", "E_half_exact", "F_event_at_zero")


@proof(
    "km_edge_cases",
    "Kaplan–Meier and median: ties, all censored, one person, S of 0, event on day 0",
    note="Where S is exactly ½ for a while, our median is the first such day (measures read it as the day half had "
    "left); R gives the middle of the flat part. That one median is not compared.",
)
def edge_cases(shared: Path) -> Iterator[Pair]:
    for name in EDGES:
        table = [row for row in rows(shared, "km_edge_cases") if row["set"] == name]
        theirs = expected(shared, "km_edge_cases")[name]
        curve = kaplan_meier(column(table, "time"), column(table, "event"))
        if name != "E_half_exact":
            yield from of_median(curve, theirs)
        yield from of_curve(curve, theirs["curve"])


@proof(
    "km_weighted",
    "Kaplan–Meier of whole-number weights",
    note="A weight here is a number of people. Fractional weights need a robust error and are refused.",
)
def weighted(shared: Path) -> Iterator[Pair]:
    table, theirs = rows(shared, "km_weighted"), expected(shared, "km_weighted")["integer_weights"]
    curve = kaplan_meier(column(table, "futime"), column(table, "fustat"), column(table, "wi"))
    yield "S at the end", curve.survival[-1], theirs[-1]["surv"]
    yield from of_curve(curve, theirs)


@proof("km_ctn0027_retention", "Kaplan–Meier of staying in treatment by arm, and medians", note=LOG_LOG)
def trial_retention(shared: Path) -> Iterator[Pair]:
    table, theirs = rows(shared, "km_ctn0027_retention"), expected(shared, "km_ctn0027_retention")["dropout"]
    arm = [row["treatment"] for row in table]
    curves = kaplan_meier_by_group(arm, column(table, "dropout_week"), column(table, "dropout_event"))
    for label, curve in curves.items():
        stratum = f"treatment={label}"
        of_arm = [row for row in theirs["curve"] if row["strata"] == stratum]
        yield f"S at the end, {label}", curve.survival[-1], of_arm[-1]["surv"]
        yield from of_curve(curve, of_arm)
        yield from of_median(curve, theirs, stratum)


@proof("km_ctn0027_retention", "Log-rank of staying and of relapse, weekly ties")
def trial_tests(shared: Path) -> Iterator[Pair]:
    table, theirs = rows(shared, "km_ctn0027_retention"), expected(shared, "km_ctn0027_retention")
    for outcome in ("dropout", "relapse"):
        week, event = column(table, f"{outcome}_week"), column(table, f"{outcome}_event")
        found = log_rank(week, event, [row["treatment"] for row in table])
        yield from of_test(found, theirs[outcome]["logrank"])


@proof(
    "recurrent_cgd",
    "Kaplan–Meier to the first event by group",
    note="Where S is 1 we give no limits and survfit gives 1; not compared.",
)
def first_infection(shared: Path) -> Iterator[Pair]:
    # One row per interval between events: the first row of a person ends with the first event or with the watch.
    table, theirs = rows(shared, "recurrent_cgd"), expected(shared, "recurrent_cgd")["first_km"]
    first = [row for row in table if float(row["tstart"]) == 0]
    curves = kaplan_meier_by_group([row["treat"] for row in first], column(first, "tstop"), column(first, "status"))
    for row in theirs["curve"]:
        point = curves[row["strata"].removeprefix("treat=")].at(row["time"])
        yield f"S at day {row['time']}", point.value, row["surv"]
        yield "error and number at risk", (point.standard_error, point.at_risk), (row["greenwood_se"], row["n_risk"])
        if row["surv"] < 1:
            yield "limits", (point.ci_low, point.ci_high), (row["loglog_lower"], row["loglog_upper"])
    for label, curve in curves.items():
        yield from of_median(curve, theirs, f"treat={label}")
