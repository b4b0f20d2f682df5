"""From counts and sums to one number with its doubt: proportion, ratio of sums, mean change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from math import isnan, nan
from typing import Final, Literal

from analytics.measures.results import Estimate
from analytics.measures.sums_sql import PairSums
from analytics.measures.tally import PLURAL, Paired, Tally, why_nothing
from analytics.measures.types import Counted, Measure
from analytics.statistics.counts import mean_from_sums, poisson_rate, quantiles
from analytics.statistics.mean_change import mean_change_from_sums
from analytics.statistics.nonresponse import WeightedShare
from analytics.statistics.proportions import mcnemar, newcombe_paired, ratio_of_sums, wilson

# The other way to treat the unknown; every proportion carries it beside its own, in these words.
WEIGHTED: Final = "weighted so that those reached stand for all"
UNKNOWN_AS_NO: Final = "counting not known as no"
OF_KNOWN: Final = "of those known"

Missing = Literal["shown", "failure"]


def proportion(tally: Tally, measure: Measure, unit: Counted, missing: Missing | None = None) -> Estimate:
    """Return the Wilson estimate of a share from its counts by code.

    Parameters
    ----------
    tally : counts of the measure, or of one of its variants.
    missing : how the unknown are treated; None as the measure says.

    Returns
    -------
    Estimate
        `lower_bound` and `upper_bound` are the share if every unknown were a no, a yes; NaN when nobody is
        eligible.
    """
    treated = missing or measure.missing
    denominator = tally.known if treated == "shown" else tally.eligible
    reason = why_nothing(tally, measure, unit)
    limits = wilson(tally.yes, denominator)
    return Estimate(
        value=tally.yes / denominator if denominator else nan,
        ci_low=limits.low,
        ci_high=limits.high,
        numerator=tally.yes,
        denominator=denominator,
        persons=None,
        unknown=tally.unknown,
        too_recent=tally.too_recent,
        lower_bound=tally.yes / tally.eligible if tally.eligible else nan,
        upper_bound=(tally.yes + tally.unknown) / tally.eligible if tally.eligible else nan,
        method="wilson" if treated == "shown" else "wilson, missing as failure",
        unit=unit,
        reason=None if denominator else reason or f"Not known for any of the {PLURAL[unit]}.",
        missing=treated,
    )


def other_treatment(measure: Measure) -> tuple[str, Missing]:
    """Return the words and the rule for the unknown that the measure itself does not use."""
    return (UNKNOWN_AS_NO, "failure") if measure.missing == "shown" else (OF_KNOWN, "shown")


def weighted_proportion(tally: Tally, share: WeightedShare, measure: Measure, unit: Counted) -> Estimate:
    """Return a share of those known under weights by which they resemble all who are eligible.

    `details` hold the effective sample size: how many equally weighted people they are worth.
    """
    reason = why_nothing(tally, measure, unit)
    if reason is None and share.reason is not None:
        reason = f"{'No weights' if isnan(share.share) else 'No interval'}: {share.reason}."
    return replace(
        proportion(tally, measure, unit, "shown"),
        value=share.share,
        ci_low=share.ci_low,
        ci_high=share.ci_high,
        method="inverse probability weights, robust t on the logit",
        reason=reason,
        details={} if isnan(share.share) else {"effective_sample_size": share.effective},
    )


def without_bounds(
    tally: Tally,
    *,
    value: float,
    ci_low: float,
    ci_high: float,
    numerator: int,
    denominator: int,
    method: str,
    unit: str,
    reason: str | None,
    details: Mapping[str, float],
) -> Estimate:
    """Return an estimate of what has no worst and best case, with the counts that every estimate takes of its tally."""
    return Estimate(
        value=value,
        ci_low=ci_low,
        ci_high=ci_high,
        numerator=numerator,
        denominator=denominator,
        persons=None,
        unknown=tally.unknown,
        too_recent=tally.too_recent,
        lower_bound=nan,
        upper_bound=nan,
        method=method,
        unit=unit,
        reason=reason,
        details=details,
    )


def ratio(tally: Tally, sums: PairSums, measure: Measure, unit: Counted) -> Estimate:
    """Return a ratio of sums over rows, such as sessions attended of sessions booked.

    `numerator` and `denominator` count what `ratio_unit` says; `unknown` and `too_recent` count rows. The
    rows are the independent units, so their spread makes the interval. `details` hold how many rows there are
    and the plain mean of their own shares, in which long stays weigh no more than short ones.
    """
    answer = ratio_of_sums(sums.n, sums.x, sums.y, sums.xx, sums.xy, sums.yy)
    reason = why_nothing(tally, measure, unit) if isnan(answer.value) else None
    if isnan(answer.value) and reason is None:
        # Rows count by the measure's own definition, and none of them by this one.
        reason = f"Nothing to count: no {measure.ratio_unit} is recorded as one of these."
    if not isnan(answer.value) and isnan(answer.low):
        reason = _no_spread(sums.n, unit)
    return without_bounds(
        tally,
        value=answer.value,
        ci_low=answer.low,
        ci_high=answer.high,
        numerator=round(sums.y),
        denominator=round(sums.x),
        method="ratio of sums, logit t",
        unit=str(measure.ratio_unit),
        reason=reason,
        details={f"{PLURAL[unit]}": sums.n, f"mean_of_{PLURAL[unit]}": sums.shares / sums.n} if sums.n else {},
    )


def rate(tally: Tally, sums: PairSums, measure: Measure, unit: Counted) -> Estimate:
    """Return events per `measure.per` units of time, with the exact Poisson interval.

    `numerator` counts events, `denominator` units of time; `unknown` and `too_recent` count rows.
    """
    limits = poisson_rate(sums.y, sums.x)
    reason = why_nothing(tally, measure, unit) if not sums.x else None
    return without_bounds(
        tally,
        value=measure.per * sums.y / sums.x if sums.x else nan,
        ci_low=measure.per * limits.low,
        ci_high=measure.per * limits.high,
        numerator=round(sums.y),
        denominator=round(sums.x),
        method="poisson, exact",
        unit=str(measure.ratio_unit),
        reason=reason,
        details={f"{PLURAL[unit]}": sums.n} if sums.n else {},
    )


def median_estimate(
    amounts: Sequence[int], people: Sequence[int], tally: Tally, measure: Measure, unit: Counted
) -> Estimate:
    """Return the median of whole numbers; `details` hold quarter, three_quarters, ninety and the coverage.

    Parameters
    ----------
    amounts, people : the distinct amounts, and how many rows have each.
    """
    found = quantiles(amounts, people)
    reason = why_nothing(tally, measure, unit)
    if reason is None and isnan(found.ci_low):
        reason = f"No interval: {found.n} {PLURAL[unit]} are too few for one of a median."
    spread = ("quarter", "three_quarters", "ninety", "coverage")
    return without_bounds(
        tally,
        value=found.median,
        ci_low=found.ci_low,
        ci_high=found.ci_high,
        numerator=found.n,
        denominator=found.n,
        method="median, order statistic",
        unit=measure.amount_unit,
        reason=reason,
        details={name: getattr(found, name) for name in spread} if found.n else {},
    )


def mean_amount(tally: Tally, sums: PairSums, measure: Measure, unit: Counted) -> Estimate:
    """Return the mean of amounts with its t interval; `details` hold the SD.

    `lower_bound` and `upper_bound` are the mean if every unknown were the lowest, the highest there can be.
    """
    found = mean_from_sums(sums.n, sums.y, sums.yy)
    reason = why_nothing(tally, measure, unit)
    if reason is None and isnan(found.ci_low):
        reason = _no_spread(sums.n, unit)
    lowest, highest = measure.amount_range or (nan, nan)
    eligible = tally.eligible or nan
    estimate = without_bounds(
        tally,
        value=found.mean,
        ci_low=found.ci_low,
        ci_high=found.ci_high,
        numerator=sums.n,
        denominator=sums.n,
        method="t",
        unit=measure.amount_unit,
        reason=reason,
        details={"sd": found.sd} if sums.n else {},
    )
    return replace(
        estimate,
        lower_bound=(sums.y + tally.unknown * lowest) / eligible,
        upper_bound=(sums.y + tally.unknown * highest) / eligible,
    )


def mean_difference(tally: Tally, sums: PairSums, measure: Measure, unit: Counted) -> Estimate:
    """Return the mean change from first to last in points, positive when better, with its paired t interval.

    `details` hold the means and SDs of both times and the effect sizes by the names of `MeanChange`.
    """
    direction = measure.parameters["direction"]
    change = mean_change_from_sums(
        sums.n,
        sums.x,
        sums.y,
        sum_first_sq=sums.xx,
        sum_last_sq=sums.yy,
        sum_product=sums.xy,
        direction=1 if direction == 1 else -1,
    )
    reason = why_nothing(tally, measure, unit)
    if reason is None and isnan(change.ci_low):
        reason = _no_spread(sums.n, unit)
    left_out = ("n", "mean", "ci_low", "ci_high")
    return without_bounds(
        tally,
        value=change.mean,
        ci_low=change.ci_low,
        ci_high=change.ci_high,
        numerator=sums.n,
        denominator=sums.n,
        method="paired t",
        unit="point",
        reason=reason,
        details={name: value for name, value in asdict(change).items() if name not in left_out and sums.n},
    )


def paired_details(answers: Paired) -> dict[str, float]:
    """Return the change among those who answered both times; empty when nobody did.

    `before`, `after` and `change` are shares of the `paired` rows, `change` = after - before with Newcombe's
    paired interval; `after_of_not_before` is the share of yes after among those with no before.
    """
    both, only_before = answers.of(True, True), answers.of(True, False)
    only_after, neither = answers.of(False, True), answers.of(False, False)
    paired = both + only_before + only_after + neither
    if not paired:
        return {}
    limits = newcombe_paired(both, only_after, only_before, neither)
    not_before = only_after + neither
    return {
        "paired": paired,
        "before": (both + only_before) / paired,
        "after": (both + only_after) / paired,
        "change": (only_after - only_before) / paired,
        "change_low": limits.low,
        "change_high": limits.high,
        "mcnemar_p": mcnemar(both, only_before, only_after, neither).p_value,
        "not_before": not_before,
        "after_of_not_before": only_after / not_before if not_before else nan,
    }


def _no_spread(n: int, unit: Counted) -> str:
    if n == 1:
        return f"No interval: one {unit} alone shows no spread."
    return f"No interval: the {n} {PLURAL[unit]} do not differ, so they show no spread."


def not_collected(tally: Tally, measure: Measure, unit: Counted, reason: str) -> Estimate:
    """Return the estimate of what was never collected: no number, but the sentence that says so."""
    return Estimate(
        value=nan,
        ci_low=nan,
        ci_high=nan,
        numerator=0,
        denominator=0,
        persons=None,
        unknown=tally.eligible,
        too_recent=tally.too_recent,
        lower_bound=nan,
        upper_bound=nan,
        method="none",
        unit=unit,
        reason=reason,
        missing=measure.missing,
    )
