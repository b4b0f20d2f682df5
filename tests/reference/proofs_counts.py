"""Proofs of shares, their differences, charts, funnels and interrupted series: R, qicharts2, FunnelPlotR and others."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from analytics.statistics.control_charts import (
    ControlChart,
    RunChart,
    laney_p_chart,
    p_chart,
    run_chart,
    u_chart,
    xmr_chart,
)
from analytics.statistics.funnel import proportion_funnel, ratio_funnel
from analytics.statistics.proportions import mcnemar, newcombe_difference, newcombe_paired, wilson
from analytics.statistics.regression import interrupted_time_series
from tests.reference.proof import Pair, proof
from tests.reference.reference_results import column, expected, rows

Points = list[dict[str, Any]]


def by(points: Points, name: str) -> list[Any]:
    return [point[name] for point in points]


# Shares


@proof("proportion_ci", "Wilson's interval", note="Without continuity correction, which R's prop.test adds by default.")
def wilson_limits(shared: Path) -> Iterator[Pair]:
    theirs = expected(shared, "proportion_ci")
    for case in (*theirs["single"], *theirs["single_90"]):
        limits = wilson(case["x"], case["n"], case["conf"])
        yield f"lower limit of {case['x']}/{case['n']}", limits.low, case["wilson"][0]
        yield f"upper limit of {case['x']}/{case['n']}", limits.high, case["wilson"][1]


@proof("proportion_ci", "Newcombe's interval of a difference (hybrid score)")
def difference_of_shares(shared: Path) -> Iterator[Pair]:
    for case in expected(shared, "proportion_ci")["difference"]:
        limits = newcombe_difference(case["x1"], case["n1"], case["x2"], case["n2"], case["conf"])
        yield "lower limit", limits.low, case["newcombe_hybrid_score"][0]
        yield "upper limit", limits.high, case["newcombe_hybrid_score"][1]


@proof("mcnemar_paired", "Newcombe's interval of a paired difference (method 10)")
def paired_difference(shared: Path) -> Iterator[Pair]:
    for case in expected(shared, "mcnemar_paired"):
        limits = newcombe_paired(case["a"], case["b"], case["c"], case["d"])
        yield "lower limit", limits.low, case["newcombe_paired_method10"][0]
        yield "upper limit", limits.high, case["newcombe_paired_method10"][1]


@proof(
    "mcnemar_paired",
    "McNemar's test, exact and mid-p",
    note="Exact, because the pairs are few; R's chi-square with correction is not offered. Mid-p where as many changed "
    "one way as the other is 1 − ½ P(tie) (Fagerland 2013); conventions differ there and it is not compared.",
)
def paired_test(shared: Path) -> Iterator[Pair]:
    for case in expected(shared, "mcnemar_paired"):
        counts = case["a"], case["b"], case["c"], case["d"]
        yield "exact p", mcnemar(*counts).p_value, case["exact_p_two_sided"]
        if case["b"] != case["c"]:
            yield "mid-p", mcnemar(*counts, method="mid-p").p_value, case["midp_two_sided"]


# Charts


def of_chart(chart: ControlChart | RunChart, points: Points) -> Iterator[Pair]:
    """Centre, limits and the runs of the last phase, as qicharts2 has them."""
    last = points[-1]
    if isinstance(chart, ControlChart):
        yield "centre", chart.centre[-1], last["cl"]
        for ours, theirs in ((chart.centre, "cl"), (chart.lower, "lcl"), (chart.upper, "ucl")):
            yield theirs, ours, by(points, theirs)
        yield "outside", chart.outside, by(points, "sigma.signal")
    else:
        yield "median", chart.centre, last["cl"]
    names = ("n.useful", "longest.run", "longest.run.max", "n.crossings", "n.crossings.min", "runs.signal")
    found = (
        chart.useful, chart.longest_run, chart.longest_run_limit, chart.crossings, chart.crossings_limit, chart.signal,
    )  # fmt: skip
    yield "runs", found, [last[name] for name in names]


def shares_chart(shared: Path, chart: Callable[..., ControlChart], name: str, **options: Any) -> Iterator[Pair]:
    table = rows(shared, "spc_cabg_monthly")
    found = chart(column(table, "readm"), column(table, "n"), **options)
    yield from of_chart(found, expected(shared, "spc_cabg_monthly")[name])


@proof("spc_cabg_monthly", "p chart: plain, frozen baseline, two phases")
def p_charts(shared: Path) -> Iterator[Pair]:
    yield from shares_chart(shared, p_chart, "p")
    yield from shares_chart(shared, p_chart, "p_freeze12", baseline=12)
    yield from shares_chart(shared, p_chart, "p_part12", phases=[12])


@proof("spc_cabg_monthly", "Laney's p′ chart", note="σ_z below 1 leaves the p chart as it is, unless asked otherwise.")
def laney(shared: Path) -> Iterator[Pair]:
    yield from shares_chart(shared, laney_p_chart, "pp")


@proof("spc_cabg_monthly", "Run chart, Anhøj's rules", note="Points on the median belong to no side.")
def run_of_shares(shared: Path) -> Iterator[Pair]:
    table = rows(shared, "spc_cabg_monthly")
    values = [x / n for x, n in zip(column(table, "readm"), column(table, "n"), strict=True)]
    yield from of_chart(run_chart(values), expected(shared, "spc_cabg_monthly")["run"])


@proof(
    "spc_cabg_monthly",
    "XmR chart",
    note="The constant is 2.66 (Making Data Count); qicharts2 has 3/1.128. Compared after undoing either. Moving "
    "ranges "
    "are screened once in both.",
)
def individual_values(shared: Path) -> Iterator[Pair]:
    points = expected(shared, "spc_cabg_monthly")["i_los"]
    chart = xmr_chart(column(rows(shared, "spc_cabg_monthly"), "mean_los"))
    yield "mean", chart.centre[0], points[0]["cl"]
    yield "centre", chart.centre, by(points, "cl")
    theirs = [(point["ucl"] - point["cl"]) * 1.128 / 3 for point in points]
    yield "mean moving range", (chart.upper - chart.centre) / 2.66, theirs


@proof("spc_cdi_u", "u chart: plain, frozen baseline, two phases")
def u_charts(shared: Path) -> Iterator[Pair]:
    table, theirs = rows(shared, "spc_cdi_u"), expected(shared, "spc_cdi_u")
    count, per_10_000 = column(table, "n"), [days / 10_000 for days in column(table, "days")]
    yield from of_chart(u_chart(count, per_10_000), theirs["u"])
    yield from of_chart(u_chart(count, per_10_000, baseline=24), theirs["u_freeze24"])
    yield from of_chart(u_chart(count, per_10_000, phases=[24]), theirs["u_part"])


@proof("spc_cdi_u", "Run chart, Anhøj's rules", note="Points on the median belong to no side.")
def run_of_rates(shared: Path) -> Iterator[Pair]:
    table = rows(shared, "spc_cdi_u")
    values = [10_000 * x / days for x, days in zip(column(table, "n"), column(table, "days"), strict=True)]
    yield from of_chart(run_chart(values), expected(shared, "spc_cdi_u")["run"])


SPECIAL = {
    "Above UCL": "above_limit",
    "Below LCL": "below_limit",
    "7 Point Trend (Increasing)": "rising",
    "7 Point Trend (Decreasing)": "falling",
    "2 in 3 Above CL": "two_of_three_high",
    "2 in 3 Below CL": "two_of_three_low",
    "7 Points Above CL": "run_above",
    "7 Points Below CL": "run_below",
    "Common Cause": None,
}
# Name of the case, column measured, options of the chart.
PLOT_THE_DOTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("pct_increase", "pct", {}),
    ("attendances", "attendances", {}),
    ("pct_noscreen", "pct", {"screen": False}),
    ("pct_fix12", "pct", {"baseline": 12}),
    ("pct_rebase", "pct", {}),
    ("synthetic_increase", "value", {}),
    ("synthetic_neutral", "value", {}),
)


@proof("spc_xmr_plotthedots", "XmR chart and the special causes of Making Data Count")
def plot_the_dots(shared: Path) -> Iterator[Pair]:
    for name, measured, options in PLOT_THE_DOTS:
        points = expected(shared, "spc_xmr_plotthedots")[name]
        file = "input_synthetic.csv" if name.startswith("synthetic") else "input.csv"
        if name == "pct_rebase":
            options = {"phases": [next(at for at, point in enumerate(points) if point["rebase_group"])]}
        chart = xmr_chart(column(rows(shared, "spc_xmr_plotthedots", file), measured), **options)
        yield f"upper limit, {name}", chart.upper[-1], points[-1]["upl"]
        for ours, theirs in ((chart.centre, "mean_col"), (chart.lower, "lpl"), (chart.upper, "upl")):
            yield f"{name}, {theirs}", ours, by(points, theirs)
        causes = [SPECIAL[point["special_cause_type"]] or "common" for point in points]
        yield f"{name}, special causes", [cause or "common" for cause in chart.special], causes


# Funnels


@proof(
    "funnel_nhstt_recovery_2023_24",
    "Funnel of shares: z, over-dispersion and limits (arcsine)",
    1e-6,
    note="Our default is exact binomial limits; method “arcsine” is FunnelPlotR's, which rounds its normal quantiles "
    "to "
    "six digits. Over-dispersion is additive, tails of 10 % and 5 % winsorised.",
)
def funnel_of_shares(shared: Path) -> Iterator[Pair]:
    for name, tail in (("od", 0.10), ("trim5", 0.05)):
        theirs = expected(shared, "funnel_nhstt_recovery_2023_24")[name]
        points = theirs["aggregated"]
        count, n = by(points, "numerator"), by(points, "denominator")
        wide = proportion_funnel(count, n, method="arcsine", overdispersion="additive", tail=tail)
        narrow = proportion_funnel(count, n, method="arcsine")
        yield "φ", wide.phi, theirs["phi"]
        yield "τ²", wide.tau2, theirs["tau2"]
        yield "z", wide.z, by(points, "Uzscore")
        yield from of_funnel(wide, narrow, points)
        yield "outside", int(wide.outside[0.998].sum()), sum(by(points, "outlier"))


@proof(
    "funnel_medpar_sr",
    "Funnel of ratios: over-dispersion and limits (SHMI)",
    1e-6,
    note="The plain limits are exact on the expected; over-dispersion is additive on the log scale, outer tenths "
    "left out.",
)
def funnel_of_ratios(shared: Path) -> Iterator[Pair]:
    for name in ("shmi", "shmi_norounding"):
        theirs = expected(shared, "funnel_medpar_sr")[name]
        points = theirs["aggregated"]
        observed, expectation = by(points, "numerator"), by(points, "denominator")
        wide = ratio_funnel(observed, expectation, overdispersion="additive")
        yield "φ", wide.phi, theirs["phi"]
        yield "τ²", wide.tau2, theirs["tau2"]
        yield from of_funnel(wide, ratio_funnel(observed, expectation), points)


def of_funnel(wide: Any, narrow: Any, points: Points) -> Iterator[Pair]:
    for funnel, prefix, suffix in ((wide, "OD95", ""), (narrow, "", "95")):
        yield "lower, 95 %", funnel.lower[0.95], by(points, f"{prefix}LCL{suffix}")
        yield "upper, 95 %", funnel.upper[0.95], by(points, f"{prefix}UCL{suffix}")
    for funnel, prefix, suffix in ((wide, "OD99", ""), (narrow, "", "99")):
        yield "lower, 99.8 %", funnel.lower[0.998], by(points, f"{prefix}LCL{suffix}")
        yield "upper, 99.8 %", funnel.upper[0.998], by(points, f"{prefix}UCL{suffix}")


# Interrupted series


@proof(
    "its_cdi",
    "Segmented regression with Newey–West errors",
    note="No prewhitening and no small-sample factor. Their time begins at 1 and ours at 0, so the first level is "
    "compared at the first month.",
)
def segmented(shared: Path) -> Iterator[Pair]:
    theirs = expected(shared, "its_cdi")["ols"]
    newey_west = {row["term"]: row for row in theirs["newey_west"]}
    found = interrupted_time_series(column(rows(shared, "its_cdi"), "rate"), 24, lag=theirs["nw_lag"])
    for effect, name in ((found.level_change, "post"), (found.slope_before, "t"), (found.slope_change, "tpost")):
        row = newey_west[name]
        ours = (effect.value, effect.standard_error, effect.p_value)
        yield f"effect of {name}", effect.value, row["Estimate"]
        yield name, ours, (row["Estimate"], row["Std. Error"], row["Pr(>|t|)"])
    at_first = newey_west["(Intercept)"]["Estimate"] + newey_west["t"]["Estimate"]
    yield "first level", found.level_before.value, at_first
