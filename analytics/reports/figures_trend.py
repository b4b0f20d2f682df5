"""A rate by period: points with intervals, the too recent ones apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from analytics.disclosure import Disclosed, disclosed_only
from analytics.errors import MeasureProblem
from analytics.measures.results import Estimate, StratifiedResult
from analytics.measures.types import ALL, NOT_KNOWN, Stratifier
from analytics.reports.axis import value_axis, zoomed
from analytics.reports.figure import SMALL_NOTE, Figure, Spec, band_shape, figure, line_shape, text
from analytics.reports.numbers import Scale, count, interval_words, scale_of, value_words
from analytics.reports.palette import Palette, Theme, fade, palette
from analytics.reports.sentences import takeaway
from analytics.texts import period_short, period_words
from analytics.texts.periods import place_of

HEIGHT: Final = 400
MOST_NAMES: Final = 7  # names of periods that fit on a phone
_STEPS: Final = (1, 2, 3, 6, 12, 24)
_PERIODS: Final = frozenset({Stratifier.ADMIT_PERIOD, Stratifier.DISCHARGE_PERIOD})


@dataclass(frozen=True)
class _Point:
    """One period: its place on the calendar (whole steps of its grain) and its estimate."""

    place: int
    period: str
    estimate: Estimate
    small: bool

    @property
    def recent(self) -> bool:
        """True when some people's time has not passed: the value will still change."""
        return self.estimate.too_recent > 0


@disclosed_only
def trend_line(disclosed: Disclosed[StratifiedResult], theme: Theme, target: float | None = None) -> Figure:
    """Draw the value of each period with its 95% interval, joined by a thin line.

    A period of which some people are too recent is an open ring on a panel, not joined to the line. Periods
    without a value leave a gap. There are no limits of the usual range here.

    Parameters
    ----------
    disclosed
        A result split by admission or discharge period.
    theme
        Light or dark.
    target
        The value aimed at, a dotted line; None = none.

    Raises
    ------
    MeasureProblem
        When the result is not split by period, or no period is known.
    """
    result = disclosed.content
    if result.by not in _PERIODS:
        raise MeasureProblem("A trend needs the result split by period. Ask for it by admission period.")
    points = [
        _Point(place_of(group), group, estimate, group in disclosed.small)
        for group, estimate in result.estimates.items()
        if group not in (ALL, NOT_KNOWN)
    ]
    if not points:
        raise MeasureProblem("No period is known for these episodes, so there is no trend to draw.")
    points.sort(key=lambda point: point.place)
    colours = palette(theme)
    scale = scale_of(result.measure, result.estimates.values())
    shown = [value for point in points for value in _shown(point.estimate)]
    low, high = zoomed([*shown, math.nan if target is None else target], scale)
    shapes, words = _recent_panel(points, low, high, colours)
    if target is not None:
        shapes.append(line_shape(0, target, 1, target, colours.ink, xref="paper", line={"dash": "dot", "width": 1.4}))
        named = f"target {value_words(target, scale)}"
        plate = {"bgcolor": fade(colours.paper, 0.8), "borderpad": 0}
        words.append(text(0, target, named, colours.ink, xref="paper", xanchor="left", yshift=10, xshift=6, **plate))
    first, last = points[0].place, points[-1].place
    alt = "; ".join(_told(point, scale) for point in points)
    return figure(
        theme,
        _traces(points, scale, colours),
        f"{takeaway(disclosed)}. By period: {alt}.",
        HEIGHT,
        x={
            "range": [first - 0.6, last + 0.6],
            **_names(points),
            "ticks": "outside",
            "ticklen": 5,
            "tickcolor": colours.axis,
            "showline": True,
        },
        y=value_axis(low, high, scale),
        annotations=words,
        shapes=shapes,
        margin={"l": 60 if scale in (Scale.DAYS, Scale.POINTS, Scale.PACE) else 44, "r": 8, "b": 48},
        note=SMALL_NOTE if any(point.small for point in points) else "",
    )


def _shown(estimate: Estimate) -> tuple[float, ...]:
    return (estimate.value, estimate.ci_low, estimate.ci_high) if estimate.has_value else ()


def _names(points: list[_Point]) -> Spec:
    """Return the periods that are named under the axis: the year's first ones where the grain allows it."""
    first, last = points[0].place, points[-1].place
    step = next((step for step in _STEPS if (last - first) // step < MOST_NAMES), _STEPS[-1])
    by_place = {point.place: point.period for point in points}
    named = [place for place in sorted(by_place) if place % step == 0] or [first]
    return {
        "tickvals": named,
        "ticktext": ["<br>".join(period_short(by_place[place]).rsplit(" ", 1)) for place in named],
    }


def _recent_panel(points: list[_Point], low: float, high: float, colours: Palette) -> tuple[list[Spec], list[Spec]]:
    """Return the panel behind the too recent periods, with the reason in words above it."""
    recent = [point for point in points if point.recent]
    if not recent:
        return [], []
    start, end = recent[0].place - 0.5, recent[-1].place + 0.5
    people = sum(point.estimate.too_recent for point in recent)
    words = f"too recent:<br>{count(people)} not counted yet"
    at_right = (start + end) / 2 > (points[0].place + points[-1].place) / 2
    panel = band_shape(start, low, end, high, colours.panel)
    return [panel], [
        text(
            end if at_right else start,
            1,
            words,
            colours.ink2,
            yref="paper",
            xanchor="right" if at_right else "left",
            yanchor="top",
            align="right" if at_right else "left",
            bgcolor=fade(colours.panel, 0.85),
            borderpad=0,
        )
    ]


def _traces(points: list[_Point], scale: Scale, colours: Palette) -> list[Spec]:
    with_value = [point for point in points if point.estimate.has_value]
    settled = {point.place: point.estimate.value for point in with_value if not point.recent}
    doubts: Spec = {"x": [], "y": []}
    for point in with_value:
        if not math.isnan(point.estimate.ci_low):
            high = point.estimate.ci_high
            doubts["x"] += [point.place, point.place, None]
            doubts["y"] += [point.estimate.ci_low, point.estimate.value if math.isnan(high) else high, None]
    everything = range(points[0].place, points[-1].place + 1)
    line: Spec = {
        "x": list(everything),
        # A period without a value, and a too recent one, leave a gap in the line.
        "y": [settled.get(place) for place in everything],
        "mode": "lines",
        "connectgaps": False,
        "line": {"color": colours.ink2, "width": 1.2},
    }
    scatter: Spec = {"type": "scatter", "hoverinfo": "skip", "cliponaxis": False}
    traces = [
        {**scatter, **doubts, "mode": "lines", "line": {"color": colours.axis, "width": 1.6}},
        {**scatter, **line},
    ]
    for hollow in (False, True):
        kind = [point for point in with_value if (point.recent or point.small) is hollow]
        if not kind:
            continue
        edge = {"color": colours.unknown if hollow else colours.series, "width": 1.6}
        marker: Spec = {"size": 8, "color": colours.paper if hollow else colours.series, "line": edge}
        traces.append(
            {
                **scatter,
                "mode": "markers",
                "x": [point.place for point in kind],
                "y": [point.estimate.value for point in kind],
                "marker": marker,
                "hoverinfo": "text",
                "hovertext": [_told(point, scale) for point in kind],
            }
        )
    return traces


def _told(point: _Point, scale: Scale) -> str:
    estimate = point.estimate
    name = period_words(point.period)
    if not estimate.has_value:
        return f"{name} no value"
    doubt = interval_words(estimate.ci_low, estimate.ci_high, scale)
    marks = [f"of {count(estimate.denominator)}"]
    marks += [f"{count(estimate.too_recent)} too recent"] if point.recent else []
    marks += ["small numbers"] if point.small else []
    return f"{name} {value_words(estimate.value, scale)}{f' ({doubt})' if doubt else ''}, {', '.join(marks)}"
