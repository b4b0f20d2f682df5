"""Small pictures in a line of text: interval, sparkline, share known. SVG, without text inside.

One text serves both themes: the colours are `light-dark(…)`, and the page's colour scheme decides. Each mark
carries its own words for those who cannot see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from analytics.disclosure import Disclosed, disclosed_only
from analytics.measures.results import Estimate, StratifiedResult
from analytics.measures.types import ALL, NOT_KNOWN
from analytics.reports.known import known_share, known_words
from analytics.reports.numbers import interval_words, percent, scale_of, value_words
from analytics.reports.palette import both
from analytics.texts import label

STRIPES: Final = (
    '<pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="6" height="6" fill="{both("paper")}"/>'
    f'<rect width="2" height="6" fill="{both("stripe")}"/></pattern>'
)
# Width of the overview's column and the room a dot needs at 0 and 100%.
ROW_WIDTH, ROW_HEIGHT, MARGIN = 256, 44, 10


@dataclass(frozen=True)
class Mark:
    """An SVG text, its size in pixels, and the words that replace it."""

    svg: str
    alt: str
    width: int
    height: int


def svg(width: int, height: int, body: str) -> str:
    """Return a whole SVG image that follows the colour scheme of the page it stands in."""
    stripes = f"<defs>{STRIPES}</defs>" if "url(#stripes)" in body else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" style="color-scheme: light dark">{stripes}{body}</svg>'
    )


def box(x: float, y: float, width: float, height: float, *, fill: str, edge: str = "", radius: float = 0) -> str:
    """Return a rectangle; with an edge it is drawn inside the given size."""
    if edge:
        x, y, width, height = x + 0.5, y + 0.5, max(width - 1, 0.5), height - 1
        edge = f' stroke="{edge}"'
    rounded = f' rx="{radius:g}"' if radius else ""
    size = f'width="{width:.1f}" height="{height:.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{fill}"{edge}{rounded}/>'


def line(points: Iterable[tuple[float, float]], colour: str, width: float, *, dash: str = "") -> str:
    """Return an open line through points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}/>'


def dot(x: float, y: float, radius: float, colour: str, *, hollow: bool = False) -> str:
    """Return a filled dot, or a ring on paper."""
    look = f'fill="{both("paper")}" stroke="{colour}" stroke-width="1.6"' if hollow else f'fill="{colour}"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" {look}/>'


@disclosed_only
def interval_mark(
    disclosed: Disclosed[StratifiedResult],
    group: str = ALL,
    *,
    previous: float | None = None,
    target: float | None = None,
) -> Mark:
    """Draw one share on the axis 0 to 100%: dot, 95% interval, band of the missing, last period, target.

    Parameters
    ----------
    disclosed
        A measure whose values are shares.
    group
        Which group of the result.
    previous
        The share of the period before, drawn as a ring; None = none.
    target
        The share aimed at, drawn as a triangle with a line; None = none.
    """
    estimate = disclosed.content.estimates[group]
    small = group in disclosed.small
    body = "".join(line([(x, 0), (x, ROW_HEIGHT)], both("hairline"), 1) for x in map(_across, (0, 0.25, 0.5, 0.75, 1)))
    if _has_band(estimate):
        start, end = _across(estimate.lower_bound), _across(estimate.upper_bound)
        body += box(start, 28, end - start, 7, fill="url(#stripes)", edge=both("unknown"))
    if target is not None:
        x = _across(target)
        body += line([(x, 3), (x, 25)], both("ink"), 1.4)
        body += f'<path d="M{x - 4:.1f} 0h8l-4 6z" fill="{both("ink")}"/>'
    if previous is not None:
        body += dot(_across(previous), 18, 4.2, both("unknown"), hollow=True)
    if estimate.has_value:
        colour = both("unknown") if small else both("series")
        if not math.isnan(estimate.ci_low):
            ends = [(_across(estimate.ci_low), 18), (_across(estimate.ci_high), 18)]
            body += line(ends, colour, 3.4, dash="2 2" if small else "")
        body += dot(_across(estimate.value), 18, 5, colour, hollow=small)
    return Mark(svg(ROW_WIDTH, ROW_HEIGHT, body), _interval_alt(disclosed, group, previous, target), *_ROW)


_ROW: Final = (ROW_WIDTH, ROW_HEIGHT)


def _across(share: float) -> float:
    return MARGIN + (ROW_WIDTH - 2 * MARGIN) * min(max(share, 0.0), 1.0)


def _has_band(estimate: Estimate) -> bool:
    """True when the missing could move the value by so much that a band can be seen (half a percent)."""
    return estimate.upper_bound - estimate.lower_bound >= 0.005


def _interval_alt(
    disclosed: Disclosed[StratifiedResult], group: str, previous: float | None, target: float | None
) -> str:
    result = disclosed.content
    estimate = result.estimates[group]
    name = result.measure.title
    if group != ALL and result.by is not None:
        name = f"{name}, {label(result.by.value, group)}"
    if not estimate.has_value:
        return f"{name}: {estimate.reason or 'no value'}"
    scale = scale_of(result.measure, [estimate])
    doubt = interval_words(estimate.ci_low, estimate.ci_high, scale)
    parts = [f"{value_words(estimate.value, scale)}{f' ({doubt})' if doubt else ''}"]
    if _has_band(estimate):
        parts.append(
            f"between {percent(estimate.lower_bound)} and {percent(estimate.upper_bound)} depending on those not known"
        )
    if previous is not None:
        parts.append(f"before {percent(previous)}")
    if target is not None:
        parts.append(f"target {percent(target)}")
    if group in disclosed.small:
        parts.append("small numbers, do not compare")
    return f"{name}: {', '.join(parts)}."


def axis_mark() -> Mark:
    """Draw the head of the overview's column: 0, 25, 50, 75 and 100% over their ticks."""
    text = 'font-family="Arial, Helvetica, sans-serif" font-size="12" text-anchor="middle"'
    body = "".join(
        f'<text x="{_across(share) - (8 if share == 1 else 0):.1f}" y="12" {text} fill="{both("ink2")}">'
        f"{words}</text>{line([(_across(share), 17), (_across(share), 20)], both('axis'), 1)}"
        for share, words in ((0, "0"), (0.25, "25"), (0.5, "50"), (0.75, "75"), (1, "100%"))
    )
    return Mark(svg(ROW_WIDTH, 20, body), "Axis from 0 to 100%", ROW_WIDTH, 20)


@disclosed_only
def sparkline(disclosed: Disclosed[StratifiedResult], width: int = 110, height: int = 30) -> Mark:
    """Draw the last 12 periods of a result split by period: a thin line, its last point marked.

    Periods without a value break the line; a period whose time has not all passed is a ring beside it. The
    height spans the values shown, but never less than 20 points, so that noise does not look like a cliff.
    """
    result = disclosed.content
    periods = [group for group in result.estimates if group not in (ALL, NOT_KNOWN)][-12:]
    estimates = [result.estimates[period] for period in periods]
    values = [estimate.value for estimate in estimates if estimate.has_value]
    body = box(0, 0, width, height, fill=both("panel"))
    if not values:
        return Mark(svg(width, height, body), f"{result.measure.title}: no months with a value.", width, height)
    middle, span = (min(values) + max(values)) / 2, max(max(values) - min(values), 0.2) * 1.3
    step = (width - 12) / max(len(periods) - 1, 1)
    places = [
        (6 + step * number, height / 2 - (estimate.value - middle) / span * height)
        for number, estimate in enumerate(estimates)
    ]
    settled = [estimate.has_value and not estimate.too_recent for estimate in estimates]
    for start, end in _runs(settled):
        if end - start == 1:
            body += dot(*places[start], 1.4, both("ink2"))
        else:
            body += line(places[start:end], both("ink2"), 1.2)
    for place, estimate in zip(places, estimates, strict=True):
        if estimate.has_value and estimate.too_recent:
            body += dot(*place, 2.6, both("unknown"), hollow=True)
    last = max((number for number, is_settled in enumerate(settled) if is_settled), default=None)
    if last is not None:
        body += dot(*places[last], 2.8, both("ink"))
    scale = scale_of(result.measure, estimates)
    told = ", ".join(
        f"{label('admit_period', period)} {value_words(estimate.value, scale)}"
        for period, estimate in zip(periods, estimates, strict=True)
        if estimate.has_value
    )
    return Mark(svg(width, height, body), f"{result.measure.title}: {told}.", width, height)


def _runs(flags: list[bool]) -> list[tuple[int, int]]:
    """Return the stretches of true as (first, one after the last)."""
    edges = [
        number
        for number in range(len(flags) + 1)
        if (number < len(flags) and flags[number]) != (number > 0 and flags[number - 1])
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))


@disclosed_only
def share_known_bar(disclosed: Disclosed[StratifiedResult], group: str = ALL, width: int = 60) -> Mark:
    """Draw how many are known: the known solid, the rest striped."""
    share = known_share(disclosed.content, group)
    if math.isnan(share):
        return Mark(svg(width, 8, box(0, 0, width, 8, fill="none", edge=both("unknown"))), "Nobody counted.", width, 8)
    known = width * share
    body = ""
    if share < 1:
        # The stripes go all the way under the solid part, so that no gap shows at the border.
        body += box(0, 0, width, 8, fill="url(#stripes)", edge=both("unknown"), radius=2)
    body += box(0, 0, known, 8, fill=both("series"), radius=2)
    return Mark(svg(width, 8, body), f"Known for {percent(share)}: {known_words(share)}.", width, 8)
