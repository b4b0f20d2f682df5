"""Areas by week: where everyone who started stands, finished, still here, moved or left early."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import Final

from analytics.disclosure import Disclosed, disclosed_only
from analytics.errors import MeasureProblem
from analytics.measures.results import STILL_IN, StratifiedResult
from analytics.measures.types import ALL, NOT_KNOWN
from analytics.reports.axis import share_axis, week_axis
from analytics.reports.figure import SMALL_NOTE, Figure, Spec, figure, stripes, text
from analytics.reports.numbers import percent
from analytics.reports.palette import Palette, Theme, palette
from analytics.reports.sentences import takeaway
from analytics.reports.steps import last_day_of, value_at
from analytics.texts import label

HEIGHT: Final = 380
THICK_ENOUGH: Final = 0.065  # share of the height that a line of text needs


@dataclass(frozen=True)
class _Area:
    """One way to stand, by week, from the bottom of the pile to the top."""

    way: str
    words: str
    shares: tuple[float, ...]
    role: str  # of the palette; "stripes" = we do not know


# From the bottom: those who finished, those still here, and above them everyone who left otherwise.
_PILE: Final = (
    ("completed", "better_soft"),
    ("stepped_down", "better_soft"),
    (STILL_IN, "panel"),
    (NOT_KNOWN, "stripes"),
    ("transferred_higher", "moved_soft"),
    ("other", "other"),
    ("left_early", "left_soft"),
)


@disclosed_only
def leaving_areas(disclosed: Disclosed[StratifiedResult], theme: Theme, group: str = ALL) -> Figure:
    """Draw where everyone who started stands at the end of each week; the areas add up to 100%.

    The picture ends where fewer than 10 people are left to watch. An area too thin for its name is named in
    the note.

    Raises
    ------
    MeasureProblem
        When the result has no curve of ways of leaving for this group.
    """
    result = disclosed.content
    curve = result.curves.get(group)
    if curve is None or not curve.time or len(curve.values) < 2:
        reason = result.estimates[group].reason or "it is not about ways of leaving."
        raise MeasureProblem(f"{result.measure.title} has no areas here: {reason}")
    last_week = max(1, floor(last_day_of(curve) / 7))
    areas = [
        _Area(
            way,
            _words(way),
            tuple(
                value_at(curve, curve.values[way], 7 * week, 1.0 if way == STILL_IN else 0.0)
                for week in range(last_week + 1)
            ),
            role,
        )
        for way, role in _PILE
        if way in curve.values
    ]
    areas = [area for area in areas if max(area.shares) > 0]
    colours = palette(theme)
    labels, thin = _labels(areas, last_week, colours)
    at_end = ", ".join(f"{area.words.lower()} {percent(area.shares[-1])}" for area in reversed(areas))
    small = f" {SMALL_NOTE}" if group in disclosed.small else ""
    too_thin = f"Too thin to name: {', '.join(thin)}." if thin else ""
    return figure(
        theme,
        [_trace(area, colours) for area in areas],
        f"{takeaway(disclosed)}. In week {last_week}: {at_end}.",
        HEIGHT,
        x=week_axis(last_week, colours),
        y=share_axis() | {"showgrid": False},
        annotations=labels,
        margin={"l": 44, "r": 22, "t": 12},
        note=f"{too_thin}{small}".strip(),
    )


def _words(way: str) -> str:
    if way == STILL_IN:
        return label("exit", "active")
    return "Reason not known" if way == NOT_KNOWN else label("exit", way)


def _trace(area: _Area, colours: Palette) -> Spec:
    trace: Spec = {
        "type": "scatter",
        "mode": "lines",
        "x": list(range(len(area.shares))),
        "y": list(area.shares),
        "stackgroup": "everyone",
        "line": {"color": colours.ink2, "width": 0.8},
        "hovertemplate": f"{area.words}, week %{{x}}: %{{y:.0%}}<extra></extra>",
    }
    if area.role == "stripes":
        look = stripes(colours)["pattern"]
        return {**trace, "fillcolor": colours.paper, "fillpattern": look}
    return {**trace, "fillcolor": getattr(colours, area.role)}


def _labels(areas: list[_Area], last_week: int, colours: Palette) -> tuple[list[Spec], list[str]]:
    """Return the names that fit into their areas, and what the others would have said."""
    labels: list[Spec] = []
    thin: list[str] = []
    for number, area in enumerate(areas):
        end = percent(area.shares[-1])
        thickest = max(range(len(area.shares)), key=lambda week: area.shares[week])
        # The name reaches back from the last week over a third of a phone's width.
        if min(area.shares[last_week - last_week // 3 :]) >= THICK_ENOUGH:
            week, told, anchor, shift = last_week, f"<b>{area.words}</b> {end}", "right", -8
        elif area.shares[thickest] >= 2 * THICK_ENOUGH and thickest <= last_week / 2:
            # Thick where it began: the name stands there and says what is left of it.
            week = max(1, last_week // 6)
            told, anchor, shift = f"<b>{area.words}</b>, {end} in week {last_week}", "left", 0
        else:
            thin.append(f"{area.words.lower()} {end}")
            continue
        below = sum(other.shares[week] for other in areas[:number])
        middle = below + area.shares[week] / 2
        # On solid `other` and on stripes, ink alone would not be read.
        plate = {"bgcolor": colours.paper, "borderpad": 1} if area.role in ("other", "stripes") else {}
        labels.append(text(week, middle, told, colours.ink, xanchor=anchor, xshift=shift, **plate))
    return labels, thin
