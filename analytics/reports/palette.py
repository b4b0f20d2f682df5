"""The colours, by role, in light and dark. Nobody writes a hex anywhere else.

The only colour is a verdict (blue = better, orange = worse), the only grey is doubt, and everyone who is
missing is striped. Contrast and colour-blind distances are held by tests/conformance/test_palette.py.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Palette:
    """One theme's colours as `#RRGGBB`, named by what they mean.

    Attributes
    ----------
    paper, panel : background of page and chart; quiet fill (still here, too recent).
    ink, ink2 : text and values; second text and axis text.
    hairline, axis : grid and row lines (decoration); axis line and edge of pale fills.
    series, series_soft : the thing measured; its interval band and ladder bars.
    better, better_soft, worse, same : the verdicts, and no clear change.
    left, left_soft : left early, as a bar and as an area.
    unknown, stripe : edge and stripes of what we do not know; `unknown` also marks small numbers.
    moved, moved_soft, other : moved to higher care; other ways of leaving.
    on_mark : text on better, worse, left, moved.
    lines : at most four curves, each with its own dash and a label at its end.
    """

    paper: str
    panel: str
    ink: str
    ink2: str
    hairline: str
    axis: str
    series: str
    series_soft: str
    better: str
    better_soft: str
    worse: str
    same: str
    left: str
    left_soft: str
    unknown: str
    stripe: str
    moved: str
    moved_soft: str
    other: str
    on_mark: str
    lines: tuple[str, str, str, str]


LIGHT: Final = Palette(
    paper="#FFFFFF",
    panel="#F3F5F7",
    ink="#17212B",
    ink2="#55616D",
    hairline="#DDE2E7",
    axis="#7F8B97",
    series="#173F66",
    series_soft="#C3D3E3",
    better="#1F6FB2",
    better_soft="#A9CBE8",
    worse="#B8500A",
    same="#C6D0DA",
    left="#66727E",
    left_soft="#C9CFD5",
    unknown="#6B7783",
    stripe="#A3AEB8",
    moved="#7A4A86",
    moved_soft="#DCCBE2",
    other="#8A8273",
    on_mark="#FFFFFF",
    lines=("#173F66", "#3A9D8F", "#9A4F8E", "#A67C00"),
)

DARK: Final = Palette(
    paper="#12181E",
    panel="#1B232B",
    ink="#E7ECF1",
    ink2="#AEB9C4",
    hairline="#2C3741",
    axis="#76838F",
    series="#A9CDEF",
    series_soft="#2F4A64",
    better="#5FA6E4",
    better_soft="#2B5479",
    worse="#F09A55",
    same="#3D4955",
    left="#8E9AA6",
    left_soft="#48525C",
    unknown="#9AA6B2",
    stripe="#6A7682",
    moved="#A877BA",
    moved_soft="#54405F",
    other="#B3A98F",
    on_mark="#12181E",
    lines=("#C4DDF5", "#1F9488", "#C978BC", "#E8C24A"),
)

_THEMES: Final = {"light": LIGHT, "dark": DARK}

# Every role that is one colour; `lines` is four.
ROLES: Final = tuple(entry.name for entry in fields(Palette) if entry.name != "lines")


def palette(theme: Theme) -> Palette:
    """Return the colours of a theme: `palette("light").better`."""
    return _THEMES[theme]


def both(role: str) -> str:
    """Return a role as CSS `light-dark(…)`: one SVG text then serves both themes."""
    return f"light-dark({getattr(LIGHT, role)}, {getattr(DARK, role)})"


def fade(colour: str, opacity: float) -> str:
    """Return a `#RRGGBB` colour as `rgba(…)`; `opacity` from 0 to 1."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
