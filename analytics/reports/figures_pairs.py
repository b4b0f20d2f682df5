"""First and last score of each person: a scatter with the band of measurement error, and the unmeasured."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, Literal

from analytics.disclosure import SMALL_GROUP, Disclosed, PairCounts, disclosed_only
from analytics.errors import MeasureProblem
from analytics.reports.figure import Figure, Spec, figure, line_shape, text
from analytics.reports.numbers import count, percent
from analytics.reports.palette import Palette, Theme, fade, palette

HEIGHT: Final = 580
JITTER: Final = 0.3  # of a point: people with the same two scores lie beside each other, not on each other
MOST_MARKS: Final = 1500  # beyond this, one mark per pair of scores, its area the number of people
# Steps of 1/g and 1/g² (g³ = g + 1) fill the unit square evenly and never line up (Roberts 2018, "R2").
ACROSS: Final = 0.7548776662466927
UP: Final = 0.5698402909980532

Kind = Literal["better", "same", "worse"]


@disclosed_only
def pair_scatter(
    disclosed: Disclosed[PairCounts],
    theme: Theme,
    *,
    error: float,
    maximum: float,
    minimum: float = 0.0,
    cut_off: float | None = None,
    lower_is_better: bool = True,
) -> Figure:
    """Draw each person measured twice: circle = clearly better, ring = no clear change, diamond = worse.

    Parameters
    ----------
    disclosed
        First and last totals, counted.
    theme
        Light or dark.
    error
        Smallest change that is more than measurement error, in points; the band is what lies below it.
    minimum, maximum
        Ends of the instrument's scale.
    cut_off
        The total from which a score is in the clinical range (with `lower_is_better`, at or above it).
    lower_is_better
        False for scales of well-being.

    Raises
    ------
    MeasureProblem
        When nobody was measured twice.
    """
    pairs = disclosed.content.pairs
    people = sum(number for *_, number in pairs)
    if not people:
        raise MeasureProblem("Nobody has a first and a last score here, so there is nothing to draw.")
    colours = palette(theme)
    unmeasured = sum(number for _, number in disclosed.content.unmeasured)
    reach = maximum - minimum
    air = 0.05 * reach
    rug_at = minimum - 0.14 * reach
    bottom, top = minimum - (0.19 if unmeasured else 0.05) * reach, maximum + air
    left, right = minimum - air, maximum + air
    kinds: dict[Kind, list[tuple[float, float, int]]] = {"better": [], "same": [], "worse": []}
    for first, last, number in pairs:
        kinds[_kind(first, last, error, lower_is_better)].append((first, last, number))
    data = [_marks(kind, kinds[kind], colours, many=people > MOST_MARKS) for kind in ("same", "better", "worse")]
    if unmeasured:
        data.append(_rug(disclosed.content.unmeasured, rug_at, colours))
    diagonal = line_shape(max(left, bottom), max(left, bottom), min(right, top), min(right, top), colours.axis)
    shapes = [_band(left, right, bottom, top, error, colours), diagonal]
    words = _region_names(minimum, maximum, lower_is_better, colours)
    if cut_off is not None:
        # Between two whole totals, so that no mark lies on the line.
        edge = cut_off - 0.5 if lower_is_better else cut_off + 0.5
        dash = {"dash": "dash", "width": 1.2}
        shapes += [
            line_shape(edge, minimum - air, edge, top, colours.ink2, line=dash),
            line_shape(left, edge, right, edge, colours.ink2, line=dash),
        ]
        words.append(text(edge, top, f"cut-off {cut_off:g}", colours.ink2, xanchor="left", yanchor="top", xshift=4))
    if unmeasured:
        told = f"{count(unmeasured)} without a last score"
        words.append(text(left, rug_at, told, colours.ink2, xanchor="left", yanchor="bottom", yshift=9, xshift=2))
    numbers = {kind: sum(number for *_, number in kinds[kind]) for kind in kinds}
    ticks = list(range(math.ceil(minimum), math.floor(maximum) + 1, _step(reach)))
    small = people + unmeasured < SMALL_GROUP
    return figure(
        theme,
        data,
        f"First and last score of {count(people)} stays measured twice: "
        f"{count(numbers['better'])} clearly better ({percent(numbers['better'] / people)}), "
        f"{count(numbers['same'])} no clear change ({percent(numbers['same'] / people)}), "
        f"{count(numbers['worse'])} clearly worse ({percent(numbers['worse'] / people)}). "
        f"{count(unmeasured)} have no last score.",
        HEIGHT,
        x={
            "range": [left, right],
            "tickvals": ticks,
            "ticks": "outside",
            "ticklen": 5,
            "tickcolor": colours.axis,
            "title": _title("First score", colours),
            "constrain": "domain",
            "constraintoward": "left",
        },
        y={
            "range": [bottom, top],
            "tickvals": ticks,
            "ticks": "outside",
            "ticklen": 5,
            "tickcolor": colours.axis,
            "title": _title("Last score", colours),
            # One point up is as long as one point across, and the plot stays at the left of a wide page.
            "scaleanchor": "x",
            "constrain": "domain",
            "constraintoward": "top",
        },
        annotations=words,
        shapes=shapes,
        margin={"l": 48, "r": 8, "t": 8, "b": 48},
        note="Fewer than 11 people; do not compare, do not share." if small else "",
    )


def _kind(first: float, last: float, error: float, lower_is_better: bool) -> Kind:
    change = first - last if lower_is_better else last - first
    return "better" if change >= error else "worse" if change <= -error else "same"


def _step(reach: float) -> int:
    """Return the distance of ticks: about six on the whole scale."""
    return next((step for step in (1, 2, 5, 10, 20, 50, 100) if reach / step <= 7), 200)


def _title(words: str, colours: Palette) -> Spec:
    return {"text": words, "standoff": 6, "font": {"size": 13, "color": colours.ink2}}


def _band(left: float, right: float, bottom: float, top: float, error: float, colours: Palette) -> Spec:
    """Return the band of changes within measurement error: to half a point before the first that is not."""
    half = error - 0.5
    low, high = min(left, bottom) - half, max(right, top) + half
    corners = ((low, low - half), (high, high - half), (high, high + half), (low, low + half))
    return {
        "type": "path",
        "path": "M" + "L".join(f"{x:g},{y:g}" for x, y in corners) + "Z",
        "fillcolor": fade(colours.hairline, 0.75),
        "line": {"width": 0},
        "layer": "below",
    }


def _marks(kind: Kind, pairs: list[tuple[float, float, int]], colours: Palette, *, many: bool) -> Spec:
    look: Spec = {
        "better": {"symbol": "circle", "color": colours.better, "size": 7},
        "same": {"symbol": "circle-open", "color": colours.unknown, "size": 7, "line": {"width": 1.3}},
        "worse": {"symbol": "diamond", "color": colours.worse, "size": 9},
    }[kind]
    if many:
        most = max((number for *_, number in pairs), default=1)
        places = [(float(first), float(last)) for first, last, _ in pairs]
        look = {**look, "size": [4 + 14 * math.sqrt(number / most) for *_, number in pairs]}
    else:
        places = list(_jittered(pairs))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "marker": {**look, "opacity": 0.85},
        "hoverinfo": "skip",
    }


def _jittered(pairs: Iterable[tuple[float, float, int]]) -> Iterable[tuple[float, float]]:
    """Yield one place per person around each pair of scores; the same people always get the same places."""
    number = 0
    for first, last, people in pairs:
        for _ in range(people):
            number += 1
            across, up = number * ACROSS % 1, number * UP % 1
            yield first + JITTER * (2 * across - 1), last + JITTER * (2 * up - 1)


def _rug(unmeasured: Iterable[tuple[float, int]], height: float, colours: Palette) -> Spec:
    places = [x for x, _ in _jittered((first, height, people) for first, people in unmeasured)]
    line = {"width": 1.1, "color": colours.unknown}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": places,
        "y": [height] * len(places),
        "marker": {"symbol": "line-ns-open", "size": 13, "color": colours.unknown, "line": line},
        "hoverinfo": "skip",
    }


def _region_names(minimum: float, maximum: float, lower_is_better: bool, colours: Palette) -> list[Spec]:
    """Return the names of the three regions, in corners where few marks lie."""
    reach = maximum - minimum
    upper, lower = ("worse", "better") if lower_is_better else ("better", "worse")
    shade = {"worse": colours.worse, "better": colours.better}
    return [
        text(
            minimum + 0.08 * reach,
            minimum + 0.94 * reach,
            f"<b>Clearly {upper}</b>",
            shade[upper],
            xanchor="left",
        ),
        text(
            minimum + 1.03 * reach,
            minimum + 0.10 * reach,
            f"<b>Clearly {lower}</b>",
            shade[lower],
            xanchor="right",
        ),
        text(minimum - 0.03 * reach, minimum + 0.11 * reach, "No clear change", colours.ink, xanchor="left"),
    ]
