"""Proofs of change, effect sizes, clinical significance and mixed models: effectsize, metafor, lme4 and others."""

from collections.abc import Iterator
from math import nan, sqrt
from pathlib import Path
from typing import Any

from analytics.statistics.change import (
    MeanChange,
    jacobson_truax,
    mean_change,
    mean_difference,
    mixed_slope,
    reliable_change,
)
from tests.reference.proof import Pair, proof
from tests.reference.reference_results import column, expected, rows

SETS = (("sleep", "input.csv"), ("das", "input_das.csv"))
# Ours and theirs by name; their sign is post minus pre.
PAIRED_T = (
    ("t", "t"), ("p_value", "p"), ("n", "n"), ("mean", "mean_change"), ("sd", "sd_change"), ("mean_first", "mean_pre"),
    ("mean_last", "mean_post"), ("sd_first", "sd_pre"), ("sd_last", "sd_post"), ("correlation", "r"),
)  # fmt: skip


def paired(shared: Path) -> Iterator[tuple[MeanChange, dict[str, Any]]]:
    for name, file in SETS:
        scores = rows(shared, "paired_change", file)
        first, last = column(scores, "pre"), column(scores, "post")
        yield mean_change(first, last, direction=-1), expected(shared, "paired_change")[name]


@proof("paired_change", "Paired t: mean change, its interval, spread and correlation")
def paired_t(shared: Path) -> Iterator[Pair]:
    for ours, theirs in paired(shared):
        for mine, other in PAIRED_T:
            yield mine, getattr(ours, mine), theirs[other]
        yield "limits", (ours.ci_low, ours.ci_high), theirs["ci95_change"]


@proof(
    "paired_change",
    "Effect sizes d_z, d_pre, d_av and Hedges' g",
    note="d_av divides by the root mean square of the two SDs (Cumming 2012), because its interval is known; the files "
    "divide by their mean (Lakens 2013). Compared after undoing either divisor.",
)
def effect_sizes(shared: Path) -> Iterator[Pair]:
    for ours, theirs in paired(shared):
        mean_of_sds = (theirs["sd_pre"] + theirs["sd_post"]) / 2
        root_mean_square = sqrt((theirs["sd_pre"] ** 2 + theirs["sd_post"] ** 2) / 2)
        yield "d_z", ours.d_z, theirs["dz"]
        yield "d_pre", ours.d_pre, theirs["d_pre_sd"]
        yield "d_pre with the factor", ours.hedges_j * ours.d_pre, theirs["metafor_SMCR"]["yi"]
        yield "J", ours.hedges_j, theirs["J_df"]
        yield "d_av", ours.d_av * root_mean_square / mean_of_sds, theirs["d_av"]
        yield "g", ours.hedges_g, theirs["J_df"] * theirs["d_av"] * mean_of_sds / root_mean_square
        yield "g of d_z", ours.hedges_j * ours.d_z, theirs["gz"]


@proof(
    "paired_change",
    "Interval of d_z by the noncentral t distribution",
    5e-7,
    note="effectsize's search for the limits ends at some 1e-7.",
)
def limits_of_d_z(shared: Path) -> Iterator[Pair]:
    for ours, theirs in paired(shared):
        limits = theirs["effectsize_cohens_d_paired"]
        yield "lower limit", ours.d_z_low, limits["CI_low"]
        yield "upper limit", ours.d_z_high, limits["CI_high"]


def tooth_growth(shared: Path) -> tuple[Any, Any]:
    table = rows(shared, "independent_groups")
    first, second = ([float(row["len"]) for row in table if row["supp"] == name] for name in ("OJ", "VC"))
    return mean_difference(first, second), expected(shared, "independent_groups")


@proof("independent_groups", "Welch's test, and Hedges' g with pooled SD")
def welch(shared: Path) -> Iterator[Pair]:
    found, theirs = tooth_growth(shared)
    yield "p", found.p_value, theirs["welch"]["p"]
    yield "difference", found.difference, theirs["m1"] - theirs["m2"]
    yield "degrees of freedom", found.degrees_of_freedom, theirs["welch"]["df"]
    yield "limits", (found.ci_low, found.ci_high), theirs["welch"]["ci"]
    yield "people", (found.n_first, found.n_second), (theirs["n1"], theirs["n2"])
    yield "g", found.hedges_g, theirs["hedges_g_pooled"]["Hedges_g"]


@proof("independent_groups", "Interval of Hedges' g", 1e-5, note="effectsize's search for the limits ends early.")
def limits_of_g(shared: Path) -> Iterator[Pair]:
    found, theirs = tooth_growth(shared)
    g = theirs["hedges_g_pooled"]
    yield "lower limit", found.g_low, g["CI_low"]
    yield "upper limit", found.g_high, g["CI_high"]


# Jacobson and Truax

CLASSES = {"Harmed": "relapsed"}
CUTOFF_B = (
    "“Recovered” is reliable change past the cut-off; their “Harmed” (reliably worse and back across) is our "
    "“relapsed”. "
    "For cut-off b the package takes the SD of people in care, the paper and we that of the general population; "
    "compared with the package's."
)


def first_and_last(shared: Path, case: str, names: tuple[str, str, str], times: tuple[str, str]) -> list[list[float]]:
    """Scores of every person at the two times, NaN where there is none; `names` are person, time and score."""
    person, time, score = names
    by_person: dict[str, dict[str, float]] = {}
    for row in rows(shared, case):
        value = row[score]
        by_person.setdefault(row[person], {})[row[time]] = nan if value in ("", "NA") else float(value)
    return [[scores.get(at, nan) for scores in by_person.values()] for at in times]


def classes(shared: Path, case: str, prefix: str, scores: list[list[float]], direction: Any) -> Iterator[Pair]:
    for kind in ("a", "b", "c"):
        theirs = expected(shared, case)[f"{prefix}_{kind}"]
        info = theirs["cutoff_info"]
        difference = theirs["rci_parameters"]["s_diff"]
        found = jacobson_truax(
            *scores, info["sd_clinical"], 1 - (difference / info["sd_clinical"]) ** 2 / 2,
            general_mean=info["m_functional"],
            general_sd=info["sd_clinical" if kind == "b" else "sd_functional"],
            kind=kind, direction=direction,
        )  # fmt: skip
        known = found.classes != "unknown"
        yield f"cut-off {kind}", found.cutoff, info["value"]
        yield "error of a difference", found.change.standard_error_of_difference, difference
        yield "people", (len(found.classes), int(known.sum())), (theirs["n"]["n_original"], theirs["n"]["n_used"])
        yield "index", -direction * found.change.index[known], [person["rci"] for person in theirs["participants"]]
        yield "change", -direction * found.change.change[known], [p["change"] for p in theirs["participants"]]
        yield (
            "class",
            found.classes[known],
            [CLASSES.get(p["category"], p["category"].lower()) for p in theirs["participants"]],
        )


@proof("rci_claus2020_bdi", "Jacobson–Truax classes with cut-offs a, b, c; lower is better", note=CUTOFF_B)
def depression(shared: Path) -> Iterator[Pair]:
    scores = first_and_last(shared, "rci_claus2020_bdi", ("id", "time", "bdi"), ("1", "4"))
    yield from classes(shared, "rci_claus2020_bdi", "JT", scores, 1)


@proof("rci_jacobson1989_das", "Jacobson–Truax classes with cut-offs a, b, c; higher is better", note=CUTOFF_B)
def couples(shared: Path) -> Iterator[Pair]:
    scores = first_and_last(shared, "rci_jacobson1989_das", ("subject", "time", "das"), ("pre", "post"))
    yield from classes(shared, "rci_jacobson1989_das", "das_JT", scores, -1)


@proof("rci_jacobson1989_das", "Reliable change index of the 1991 paper")
def paper_of_1991(shared: Path) -> Iterator[Pair]:
    published = expected(shared, "rci_jacobson1989_das")["published_example_1991"]
    ours = reliable_change(published["pre"], published["post"], sd=7.5, reliability=0.80, direction=-1)
    yield "index", float(ours.index), published["rc"]
    errors = (ours.standard_error_of_measurement, ours.standard_error_of_difference)
    yield "errors", errors, (published["s_e"], published["s_diff"])


# Mixed models

SEARCH = (
    "Each program searches for the REML maximum until it is flat enough; the errors agree less far than the effects."
)


def sleep(shared: Path) -> tuple[Any, Any]:
    table = rows(shared, "mixed_sleepstudy")
    who = [row["id"] for row in table]
    found = mixed_slope(column(table, "reaction"), column(table, "days"), who, random_slope=True)
    return found, expected(shared, "mixed_sleepstudy")["lmer"]


def trial(shared: Path) -> Iterator[tuple[Any, Any]]:
    table = [row for row in rows(shared, "mixed_claus_bdi") if row["bdi"] not in ("", "NA")]
    who, group = [row["id"] for row in table], [row["treatment"] == "PA" for row in table]
    for random, name in ((False, "random_intercept_reml"), (True, "random_slope_reml")):
        found = mixed_slope(column(table, "bdi"), column(table, "t"), who, group, random)
        yield found, expected(shared, "mixed_claus_bdi")[name]


@proof("mixed_sleepstudy", "Mixed model with random slopes, REML: effects", 1e-5)
def sleep_effects(shared: Path) -> Iterator[Pair]:
    found, theirs = sleep(shared)
    yield "slope", found.slope, theirs["fixef"]["Days"]
    yield "intercept", found.intercept, theirs["fixef"]["(Intercept)"]
    yield "people and scores", (found.people, found.scores), (theirs["ngrps"]["Subject"], theirs["nobs"])


@proof(
    "mixed_sleepstudy", "Mixed model with random slopes, REML: errors and variances", 2e-4, note=SEARCH, relative=True
)
def sleep_errors(shared: Path) -> Iterator[Pair]:
    found, theirs = sleep(shared)
    yield "error of the slope", found.slope_error, theirs["se"]["Days"]
    yield "variance within people", found.variance_within, theirs["varcorr"][3]["vcov"]
    yield "variance between people", found.variance_between, theirs["varcorr"][0]["vcov"]


@proof("mixed_claus_bdi", "Mixed model with two groups, random intercepts and slopes, REML: effects", 2e-5, note=SEARCH)
def trial_effects(shared: Path) -> Iterator[Pair]:
    for found, theirs in trial(shared):
        effects = theirs["fixef"]
        yield "difference of slopes", found.slope_difference, list(effects.values())[3]
        values = (found.intercept, found.slope, found.group_difference)
        yield "intercept, slope, groups", values, list(effects.values())[:3]
        yield "people and scores", (found.people, found.scores), (theirs["ngrps"]["id"], theirs["nobs"])


@proof(
    "mixed_claus_bdi",
    "Mixed model with two groups, random intercepts and slopes, REML: errors",
    1e-4,
    note=SEARCH,
    relative=True,
)
def trial_errors(shared: Path) -> Iterator[Pair]:
    for found, theirs in trial(shared):
        yield "error of the slope", found.slope_error, theirs["se"]["tn"]
        yield "variance within people", found.variance_within, theirs["varcorr"][-1]["vcov"]
