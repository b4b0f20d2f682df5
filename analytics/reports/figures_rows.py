"""Rows of dots with intervals: groups beside each other, and what the missing could change."""

from __future__ import annotations

import math
from typing import Final

from analytics.disclosure import Disclosed, disclosed_only
from analytics.errors import MeasureProblem
from analytics.measures.results import STILL_IN, Estimate, StratifiedResult
from analytics.measures.subjects import counted_as
from analytics.measures.types import ALL, Estimator
from analytics.reports.axis import share_axis
from analytics.reports.figure import Figure, band_shape, figure, line_shape, text
from analytics.reports.numbers import Scale, count, day_words, percent, scale_of
from analytics.reports.palette import Theme, palette
from analytics.reports.rows import ROW, Row, row_alt, row_marks, row_words, rows_figure
from analytics.reports.sentences import takeaway
from analytics.reports.steps import share_words, value_at
from analytics.statistics.proportions import wilson
from analytics.texts import label, unit_words

SHOWN_DAYS: Final = (28, 56)  # read on a curve when the measure names no days


@disclosed_only
def dot_rows(disclosed: Disclosed[StratifiedResult], theme: Theme) -> Figure:
    """Draw one row per group: dot, 95% interval, value, interval and count; the dashed line is everybody.

    The grey band behind a dot says where the value would lie if all unknown were a no, or a yes. The axis is
    zoomed to what there is. Without a split there is one row.
    """
    result = disclosed.content
    groups = [group for group in result.estimates if group != ALL or result.by is None]
    rows = [
        row_of(disclosed, group, "Everyone" if result.by is None else label(result.by.value, group)) for group in groups
    ]
    everyone = result.estimates[ALL].value if result.by is not None else math.nan
    scale = scale_of(result.measure, result.estimates.values())
    return rows_figure(rows, scale, theme, takeaway(disclosed), everyone)


def row_of(disclosed: Disclosed[StratifiedResult], group: str, words: str) -> Row:
    """Return the row of one group under the given words."""
    result = disclosed.content
    estimate = result.estimates[group]
    return Row(
        words,
        estimate.value,
        estimate.ci_low,
        estimate.ci_high,
        _counted(result, estimate),
        estimate.lower_bound,
        estimate.upper_bound,
        small=group in disclosed.small,
        reason="" if estimate.has_value else estimate.reason or "No value.",
    )


def _counted(result: StratifiedResult, estimate: Estimate) -> str:
    estimator = result.measure.estimator
    if estimator is Estimator.COST:
        return f"{count(estimate.numerator)} for {count(estimate.denominator)}"
    if estimator in (Estimator.PROPORTION, Estimator.RATIO, Estimator.CAPACITY):
        return f"{count(estimate.numerator)} of {count(estimate.denominator)}"
    if estimator is Estimator.INCIDENCE:
        return f"of {count(estimate.denominator)}"  # censored people make the two counts no fraction
    counted = counted_as(result.measure, result.cohort.unit)
    return f"{count(estimate.denominator)} {unit_words(counted, estimate.denominator)}"


@disclosed_only
def still_in_rows(disclosed: Disclosed[StratifiedResult], theme: Theme, day: int | None = None) -> Figure:
    """Draw the share still in on one day, one row per group; the dashed line is everybody.

    Parameters
    ----------
    disclosed
        A result with curves.
    theme
        Light or dark.
    day
        Days since the start; None = the first day at which the measure is read.
    """
    result = disclosed.content
    shown_day = (result.measure.read_at or SHOWN_DAYS)[0] if day is None else day
    rows = [_still_in_row(disclosed, group, shown_day) for group in result.curves if group != ALL or result.by is None]
    total = math.nan
    if result.by is not None and ALL in result.curves:
        total = _still_in_row(disclosed, ALL, shown_day).value
    sentence = f"{share_words(result.measure)} on {day_words(shown_day)}"
    return rows_figure(rows, Scale.SHARE, theme, sentence, total)


def _still_in_row(disclosed: Disclosed[StratifiedResult], group: str, day: int) -> Row:
    result = disclosed.content
    curve = result.curves[group]
    watched = bool(curve.time) and curve.time[-1] >= day
    share, low, high = (
        value_at(curve, values[STILL_IN], day, before) if watched else math.nan
        for values, before in ((curve.values, 1.0), (curve.ci_low, math.nan), (curve.ci_high, math.nan))
    )
    people = sum(curve.events) + sum(curve.censored)
    return Row(
        "Everyone" if result.by is None else label(result.by.value, group),
        share,
        low,
        high,
        f"{count(people)} {unit_words(result.cohort.unit, people)}",
        small=group in disclosed.small,
        reason="" if watched else f"Not known yet: nobody was watched for {day} days.",
    )


@disclosed_only
def missing_dots(disclosed: Disclosed[StratifiedResult], theme: Theme, target: float | None = None) -> Figure:
    """Draw how much the missing matter: of those known, the rest counted as not, the rest counted as yes.

    Parameters
    ----------
    disclosed
        A proportion; the group of everybody is drawn.
    theme
        Light or dark.
    target
        The share aimed at, a dotted line; None = none.

    Raises
    ------
    MeasureProblem
        When the measure has no bounds, or nobody is known.
    """
    result = disclosed.content
    estimate = result.estimates[ALL]
    known, everyone = estimate.known, estimate.known + estimate.unknown
    if math.isnan(estimate.lower_bound) or known == 0:
        raise MeasureProblem(f"{result.measure.title} has no range of the missing: {estimate.reason or 'no counts'}")
    yes, most = estimate.numerator, estimate.numerator + estimate.unknown
    rows = [
        _counted_row("Of those known", yes, known),
        _counted_row("Rest counted as not", yes, everyone, quiet=True),
        _counted_row("Rest counted as yes", most, everyone, quiet=True),
    ]
    colours = palette(theme)
    height = ROW * len(rows)
    shapes = [band_shape(estimate.lower_bound, 0, estimate.upper_bound, height, colours.hairline)]
    annotations = row_words(rows, Scale.SHARE, colours)
    alt = f"{takeaway(disclosed)}. {row_alt(rows, Scale.SHARE)}"
    if target is not None:
        shapes.append(line_shape(target, 0, target, height, colours.ink, line={"dash": "dot", "width": 1.5}))
        side = "left" if target < 0.5 else "right"
        shift = 6 if side == "left" else -6
        annotations.append(
            text(target, height - 10, f"target {percent(target)}", colours.ink, xanchor=side, xshift=shift)
        )
        alt += f" Target {percent(target)}."
    return figure(
        theme,
        [trace for number, row in enumerate(rows) for trace in row_marks(row, number, Scale.SHARE, colours)],
        alt,
        height + 8 + 36,
        x=share_axis(),
        y={"range": [height, 0], "visible": False},
        annotations=annotations,
        shapes=shapes,
        margin={"r": 22},
    )


def _counted_row(words: str, yes: int, of: int, *, quiet: bool = False) -> Row:
    limits = wilson(yes, of)
    return Row(words, yes / of, limits.low, limits.high, f"{count(yes)} of {count(of)}", quiet=quiet)
