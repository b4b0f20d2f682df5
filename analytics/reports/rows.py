"""How rows of dots with intervals are drawn; `figures_rows` and `figures_curves` say what they show."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from analytics.reports.axis import value_axis, zoomed
from analytics.reports.figure import (
    SMALL_NOTE,
    Figure,
    Spec,
    band_shape,
    bold,
    figure,
    line_shape,
    plain,
    text,
    text_width,
)
from analytics.reports.numbers import Scale, interval, interval_words, value_text, value_words
from analytics.reports.palette import Palette, Theme, palette

ROW: Final = 62  # pixels from one row to the next
LABEL_AT: Final = 14  # pixels from the top of a row to its words
DOT_AT: Final = 37  # and to its dot
COLUMN_GAP: Final = 14
REASON_WIDTH: Final = 52  # letters of a reason that fit a phone's width


@dataclass(frozen=True)
class Row:
    """One row of dots: its words, its number with its doubt, and how it is drawn.

    `lower`, `upper` are the ends of the band of the missing (NaN = none); `quiet` rows are drawn hollow.
    """

    label: str
    value: float
    low: float
    high: float
    counted: str
    lower: float = math.nan
    upper: float = math.nan
    small: bool = False
    quiet: bool = False
    reason: str = ""


def rows_figure(rows: Sequence[Row], scale: Scale, theme: Theme, sentence: str, everyone: float = math.nan) -> Figure:
    """Draw rows on one zoomed axis; `everyone` is the dashed line, NaN = none."""
    colours = palette(theme)
    drawn = [row for row in rows if not row.reason]
    shown = [value for row in drawn for value in (row.value, row.low, row.high, row.lower, row.upper)]
    low, high = zoomed([*shown, everyone], scale)
    height = ROW * len(rows)
    shapes = (
        []
        if math.isnan(everyone)
        else [line_shape(everyone, 0, everyone, height, colours.ink2, line={"dash": "dash", "width": 1.2})]
    )
    for number, row in enumerate(rows):
        if not row.reason and row.upper - row.lower >= 0.005:
            middle = ROW * number + DOT_AT
            shapes.insert(0, band_shape(row.lower, middle - 9, row.upper, middle + 9, colours.hairline))
    alt = f"{sentence}. {row_alt(rows, scale)}"
    if not math.isnan(everyone):
        alt += f" Dashed line, everyone: {value_words(everyone, scale)}."
    return figure(
        theme,
        [trace for number, row in enumerate(rows) for trace in row_marks(row, number, scale, colours)],
        alt,
        height + 8 + 36,
        x=value_axis(low, high, scale),
        y={"range": [height, 0], "visible": False},
        annotations=row_words(rows, scale, colours),
        shapes=shapes,
        margin={"r": 22},
        note=SMALL_NOTE if any(row.small for row in drawn) else "",
    )


def row_marks(row: Row, number: int, scale: Scale, colours: Palette) -> list[Spec]:
    """Return the interval and the dot of one row; nothing without a value."""
    if row.reason:
        # Plotly takes a chart without any trace for an error.
        return [{"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip"}]
    y = ROW * number + DOT_AT
    hollow = row.small or row.quiet
    colour = colours.unknown if hollow else colours.series
    marks: list[Spec] = []
    if not math.isnan(row.low):
        high = row.value if math.isnan(row.high) else row.high
        line: Spec = {"color": colour, "width": 3, "dash": "dot" if row.small else "solid"}
        marks.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [row.low, high],
                "y": [y, y],
                "line": line,
                "hoverinfo": "skip",
                "cliponaxis": False,
            }
        )
    hover = f"{plain(row.label)}: {value_words(row.value, scale)}"
    marker: Spec = {
        "size": 11,
        "color": colours.paper if hollow else colour,
        "line": {"color": colour, "width": 2},
    }
    marks.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": [row.value],
            "y": [y],
            "marker": marker,
            "hovertemplate": f"{hover}<extra></extra>",
            "cliponaxis": False,
        }
    )
    return marks


def row_words(rows: Sequence[Row], scale: Scale, colours: Palette) -> list[Spec]:
    """Return label and numbers above each row; the numbers in three columns from the right."""
    counted_width = max((text_width(row.counted) for row in rows), default=0.0)
    doubts = [interval(row.low, row.high, scale) for row in rows]
    doubt_width = max((text_width(doubt) for doubt in doubts), default=0.0)
    shifts = (-(counted_width + COLUMN_GAP + doubt_width + COLUMN_GAP), -(counted_width + COLUMN_GAP), 0.0)
    words: list[Spec] = []
    for number, (row, doubt) in enumerate(zip(rows, doubts, strict=True)):
        y = ROW * number + LABEL_AT
        name = plain(row.label) if row.quiet else bold(row.label)
        small = " <i>small</i>" if row.small and not row.reason else ""
        words.append(text(0, y, f"{name}{small}", colours.ink, xref="paper", xanchor="left"))
        if row.reason:
            lines = "<br>".join(map(plain, textwrap.wrap(row.reason, REASON_WIDTH)))
            words.append(
                text(0, y + 13, lines, colours.ink2, xref="paper", xanchor="left", yanchor="top", align="left")
            )
            continue
        cells = (bold(value_text(row.value, scale)), doubt, row.counted)
        words += [
            # A plate of paper, so that a grid line does not run through a number.
            text(1, y, cell, colours.ink, xref="paper", xanchor="right", xshift=shift, bgcolor=colours.paper)
            for cell, shift in zip(cells, shifts, strict=True)
            if cell
        ]
    return words


def row_alt(rows: Sequence[Row], scale: Scale) -> str:
    """Return what the rows say, for those who cannot see them."""
    told = []
    for row in rows:
        if row.reason:
            told.append(f"{row.label}: {row.reason.removesuffix('.')}")
            continue
        doubt = interval_words(row.low, row.high, scale)
        brackets = f" ({doubt})" if doubt else ""
        small = ", small numbers" if row.small else ""
        told.append(f"{row.label}: {value_words(row.value, scale)}{brackets}, {row.counted}{small}")
    return f"{'; '.join(told)}."
