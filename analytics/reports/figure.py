"""The frame of every Plotly figure: font, margins, quiet axes, texts placed by pixels, stripes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from analytics.reports.palette import Palette, Theme, palette

Spec: TypeAlias = dict[str, Any]  # a piece of a Plotly figure, as its JSON

FONT: Final = '"Source Sans", "Source Sans 3", "Segoe UI", Arial, sans-serif'
# Nothing is dragged, zoomed or hidden in a menu; a swipe on a phone scrolls the page.
CONFIG: Final[Spec] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
TEXT_SIZE: Final = 13
LETTER_WIDTH: Final = 6.6  # mean width in pixels of a letter of 13 px; bold is a little wider
SMALL_NOTE: Final = "small, hollow: fewer than 11 people; do not compare, do not share."


@dataclass(frozen=True)
class Figure:
    """A Plotly figure as its JSON, with what stands in for it and what stands under it.

    Attributes
    ----------
    spec : `{"data": […], "layout": {…}}`; without a title, which is a sentence of the page.
    alt : the sentence and the values, for those who cannot see the figure.
    height : pixels; the width is the page's.
    note : words that belong under the figure (small groups, areas too thin to name); "" = none.
    """

    spec: Spec
    alt: str
    height: int
    note: str = ""

    def plotly(self) -> Any:
        """Return a `plotly.graph_objects.Figure`.

        It is not validated again: the specs are ours and tests validate them; on a page with three figures
        this saves some 15 ms of every rerun.
        """
        import plotly.graph_objects as go

        return go.Figure(**self.spec, _validate=False)


def figure(
    theme: Theme,
    data: Sequence[Spec],
    alt: str,
    height: int,
    *,
    x: Spec,
    y: Spec,
    annotations: Sequence[Spec] = (),
    shapes: Sequence[Spec] = (),
    margin: Spec | None = None,
    note: str = "",
    **more: Any,
) -> Figure:
    """Return a figure in the common layout; `x` and `y` are added to the quiet axes."""
    colours = palette(theme)
    layout: Spec = {
        # An empty template keeps Plotly's own look out.
        "template": {},
        "font": {"family": FONT, "size": 14, "color": colours.ink},
        # Opaque, so that a chart drawn before a change of theme stays readable until the next click.
        "paper_bgcolor": colours.paper,
        "plot_bgcolor": colours.paper,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 36, **(margin or {})},
        "height": height,
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
        "bargap": 0.35,
        "colorway": list(colours.lines),
        "hoverlabel": {
            "bgcolor": colours.paper,
            "bordercolor": colours.axis,
            "font": {"size": TEXT_SIZE, "color": colours.ink},
        },
        # A label that does not fit disappears; the table has it.
        "uniformtext": {"minsize": 12, "mode": "hide"},
        "xaxis": {**_quiet_axis(colours), **x},
        "yaxis": {**_quiet_axis(colours), **y},
        "annotations": list(annotations),
        "shapes": list(shapes),
        **more,
    }
    return Figure({"data": list(data), "layout": layout}, alt, height, note)


def _quiet_axis(colours: Palette) -> Spec:
    return {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "fixedrange": True,
        "automargin": False,
        "color": colours.ink2,
        "linecolor": colours.axis,
        "gridcolor": colours.hairline,
        "tickfont": {"size": TEXT_SIZE, "color": colours.ink2},
    }


def text(x: float, y: float, words: str, colour: str, **more: Any) -> Spec:
    """Return words at a place of the plot; `xref`, `yref`, `xanchor`, shifts and the like go into `more`."""
    return {
        "x": x,
        "y": y,
        "text": words,
        "showarrow": False,
        "font": {"size": TEXT_SIZE, "color": colour},
        **more,
    }


def line_shape(x0: float, y0: float, x1: float, y1: float, colour: str, **more: Any) -> Spec:
    """Return a straight line below the data; `width` and `dash` go into `line` of `more`."""
    line = {"color": colour, "width": 1, **more.pop("line", {})}
    return {"type": "line", "x0": x0, "y0": y0, "x1": x1, "y1": y1, "line": line, "layer": "below", **more}


def band_shape(x0: float, y0: float, x1: float, y1: float, fill: str, **more: Any) -> Spec:
    """Return a filled rectangle below the data, without an edge."""
    return {
        "type": "rect",
        "x0": x0,
        "y0": y0,
        "x1": x1,
        "y1": y1,
        "fillcolor": fill,
        "line": {"width": 0},
        "layer": "below",
        **more,
    }


def stripes(colours: Palette) -> Spec:
    """Return the marker of those we do not know: stripes on paper with an edge."""
    return {
        "color": colours.paper,
        "line": {"color": colours.unknown, "width": 1},
        "pattern": {
            "shape": "/",
            "size": 7,
            "solidity": 0.28,
            "fgcolor": colours.stripe,
            # Without it the gaps are white in the dark theme.
            "bgcolor": colours.paper,
        },
    }


def plain(words: str) -> str:
    """Return words that Plotly shows as they are, not as its markup."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def bold(words: str) -> str:
    """Return words in bold, shown as they are."""
    return f"<b>{plain(words)}</b>"


def text_width(words: str) -> float:
    """Return about how many pixels words of 13 px take."""
    return LETTER_WIDTH * len(words.replace("\u2060", ""))
