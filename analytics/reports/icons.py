"""Icons and swatches: miniatures of the charts, always beside their word and therefore without words."""

from __future__ import annotations

from typing import Final, Literal

from analytics.reports.marks import box, dot, line, svg
from analytics.reports.palette import both

Signal = Literal["improving", "worsening", "steady", "too few months"]
Assurance = Literal["meets target", "hit or miss", "misses target"]
Swatch = Literal[
    "series",
    "better",
    "same",
    "worse",
    "unknown",
    "left",
    "left_soft",
    "better_soft",
    "moved_soft",
    "panel",
    "other",
]

SIZE: Final = 22
_ARROW_UP: Final = "M11 16V6.5M7 10.2l4-4 4 4"
_ARROW_DOWN: Final = "M11 6v9.5M7 11.8l4 4 4-4"


def signal_icon(signal: Signal, *, rising: bool = True) -> str:
    """Return the icon of a signal; `rising` is the direction of the number, not of its worth."""
    if signal == "improving":
        return svg(SIZE, SIZE, f'<circle cx="11" cy="11" r="10" fill="{both("better")}"/>{_arrow(rising)}')
    if signal == "worsening":
        return svg(SIZE, SIZE, f'<path d="M11 0.5 21.5 11 11 21.5 0.5 11z" fill="{both("worse")}"/>{_arrow(rising)}')
    ring = f'<circle cx="11" cy="11" r="9" fill="none" stroke="{both("unknown")}" stroke-width="1.5"'
    if signal == "steady":
        wave = line([(5.5, 12.5), (8.5, 9), (13, 13), (16.5, 9.5)], both("unknown"), 1.5)
        return svg(SIZE, SIZE, f"{ring}/>{wave}")
    return svg(SIZE, SIZE, f'{ring} stroke-dasharray="3 3"/>')


def _arrow(rising: bool) -> str:
    path = _ARROW_UP if rising else _ARROW_DOWN
    return f'<path d="{path}" fill="none" stroke="{both("on_mark")}" stroke-width="2.2"/>'


def assurance_icon(assurance: Assurance, *, lower_is_better: bool = False) -> str:
    """Return the icon of a target: a bar (the usual range) beside a dashed line (the target).

    The picture is in the real direction: where lower is better, a bar below the line meets it.
    """
    top = {"meets target": 3.0, "hit or miss": 7.5, "misses target": 12.0}[assurance]
    if lower_is_better:
        top = 15.0 - top
    colour = both("worse") if assurance == "misses target" else both("series")
    if assurance == "hit or miss":
        colour = both("unknown")
    return svg(SIZE, SIZE, box(6, top, 10, 7, fill=colour) + line([(1, 11), (21, 11)], both("ink"), 1.5, dash="3 2"))


def swatch(kind: Swatch) -> str:
    """Return the square of a key line, in the colour, edge and form of the mark it stands for."""
    if kind == "unknown":
        return svg(14, 14, box(0, 0, 14, 14, fill="url(#stripes)", edge=both("unknown"), radius=2))
    if kind == "series":
        return svg(14, 14, line([(0, 7), (14, 7)], both("series"), 3) + dot(7, 7, 4, both("series")))
    pale = {"same": "axis", "panel": "axis", "left_soft": "ink2", "better_soft": "ink2", "moved_soft": "ink2"}
    edge = both(pale[kind]) if kind in pale else ""
    return svg(14, 14, box(0, 0, 14, 14, fill=both(kind), edge=edge, radius=2))
