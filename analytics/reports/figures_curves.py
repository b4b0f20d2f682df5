"""Curves by week: how long people stay, and how they leave."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from analytics.disclosure import Disclosed, disclosed_only
from analytics.errors import MeasureProblem
from analytics.measures.results import STILL_IN, Curve, StratifiedResult
from analytics.measures.types import ALL
from analytics.reports.axis import share_axis, week_axis, week_ticks
from analytics.reports.figure import SMALL_NOTE, Figure, Spec, bold, figure, line_shape, plain, text
from analytics.reports.figures_rows import SHOWN_DAYS, still_in_rows
from analytics.reports.numbers import Scale, count, day_words, interval_words, percent
from analytics.reports.palette import Palette, Theme, fade, palette
from analytics.reports.sentences import takeaway
from analytics.reports.steps import at_risk_at, is_of_staying, last_day_of, left_out_by, share_words, value_at
from analytics.texts import label

MOST_CURVES: Final = 4  # more are drawn as rows of dots, never as a fifth line
DASHES: Final = {"solid": "——", "dash": "– –", "dot": "·····", "dashdot": "– · –"}
PLOT_HEIGHT: Final = 400
TABLE_LINE: Final = 18  # pixels of one line under the axis
LINE_OF_TEXT: Final = 0.055  # share of the axis that one line of text takes
NAME_WIDTH: Final = 0.1  # share of a page's width that a group's name takes


@dataclass(frozen=True)
class _Drawn:
    """One curve up to the day where it ends, with its look."""

    words: str
    curve: Curve
    last_day: float
    colour: str
    dash: str
    small: bool


@disclosed_only
def survival_curve(disclosed: Disclosed[StratifiedResult], theme: Theme) -> Figure:
    """Draw the share still in the program by week: step curve, 95% band, people at risk and left out below.

    A curve ends where fewer than 10 people are left to watch. Up to four groups have a line each, with its
    own dash and its name on it; more groups become rows of dots on one day (`still_in_rows`).

    Raises
    ------
    MeasureProblem
        When the result has no curve.
    """
    result = disclosed.content
    # Of nobody there is a curve without days.
    groups = [group for group, curve in result.curves.items() if curve.time and (group != ALL or result.by is None)]
    if not groups:
        raise MeasureProblem(f"{result.measure.title} has no curve here: {_why_no_curve(result)}")
    if len(groups) > MOST_CURVES:
        return still_in_rows(disclosed, theme)
    colours = palette(theme)
    curves = [_drawn(disclosed, group, number, colours) for number, group in enumerate(groups)]
    last_week = max(curve.last_day for curve in curves) / 7
    ticks = week_ticks(max(last_week, 1))
    table = _table(curves, ticks, colours, of_staying=is_of_staying(result.measure))
    bottom = 30 + TABLE_LINE * len({note["yshift"] for note in table}) + 6
    data = [trace for curve in curves for trace in _curve_traces(curve, colours, alone=len(curves) == 1)]
    words: list[Spec] = []
    if len(curves) == 1:
        marks, words = _marked_days(curves[0], result.measure.read_at or SHOWN_DAYS, colours)
        data += marks
    else:
        words = _line_names(curves, last_week, colours)
    return figure(
        theme,
        data,
        f"{takeaway(disclosed)}. {share_words(result.measure)}. {_curves_alt(curves, ticks)}",
        PLOT_HEIGHT + bottom,
        x=week_axis(max(last_week, 1), colours),
        y=share_axis(),
        annotations=[*words, *table],
        shapes=_planned_end(result, last_week, colours),
        margin={"l": 44, "r": 22, "t": 12, "b": bottom},
        note=SMALL_NOTE if any(curve.small for curve in curves) else "",
    )


def _why_no_curve(result: StratifiedResult) -> str:
    return result.estimates[ALL].reason or "it is not about time."


def _drawn(disclosed: Disclosed[StratifiedResult], group: str, number: int, colours: Palette) -> _Drawn:
    result = disclosed.content
    small = group in disclosed.small
    alone = result.by is None
    colour = colours.unknown if small else colours.series if alone else colours.lines[number]
    return _Drawn(
        "Everyone" if alone or result.by is None else label(result.by.value, group),
        result.curves[group],
        last_day_of(result.curves[group]),
        colour,
        "dot" if small else "solid" if alone else tuple(DASHES)[number],
        small,
    )


def _curve_traces(drawn: _Drawn, colours: Palette, *, alone: bool) -> list[Spec]:
    curve = drawn.curve
    until = bisect_right(curve.time, drawn.last_day)
    days = [0.0, *curve.time[:until]]
    survival = [1.0, *curve.values[STILL_IN][:until]]
    # Where everybody or nobody is in there is no interval; the band closes there.
    low, high = (
        [
            1.0,
            *(share if math.isnan(limit) else limit for limit, share in zip(limits, survival[1:], strict=False)),
        ]
        for limits in (curve.ci_low[STILL_IN][:until], curve.ci_high[STILL_IN][:until])
    )
    weeks = [day / 7 for day in days]
    fill = fade(colours.series_soft, 0.55) if alone and not drawn.small else fade(drawn.colour, 0.1)
    edge: Spec = {"width": 0, "shape": "hv"}
    common: Spec = {"type": "scatter", "mode": "lines", "x": weeks}
    return [
        {**common, "y": low, "line": edge, "hoverinfo": "skip"},
        {**common, "y": high, "line": edge, "hoverinfo": "skip", "fill": "tonexty", "fillcolor": fill},
        {
            **common,
            "y": survival,
            "line": {"color": drawn.colour, "width": 2.6, "dash": drawn.dash, "shape": "hv"},
            "hovertemplate": f"{plain(drawn.words)}, week %{{x:.1f}}: %{{y:.0%}}<extra></extra>",
        },
    ]


def _marked_days(drawn: _Drawn, days: Sequence[int], colours: Palette) -> tuple[list[Spec], list[Spec]]:
    """Return dots with their values on the days at which the measure is read."""
    curve = drawn.curve
    marks: list[Spec] = []
    words: list[Spec] = []
    for day in days:
        if not 0 < day <= drawn.last_day:
            continue
        share = value_at(curve, curve.values[STILL_IN], day, 1.0)
        low = value_at(curve, curve.ci_low[STILL_IN], day, math.nan)
        high = value_at(curve, curve.ci_high[STILL_IN], day, math.nan)
        dot: Spec = {"size": 9, "color": drawn.colour, "line": {"color": colours.paper, "width": 1.5}}
        marks.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [day / 7],
                "y": [share],
                "marker": dot,
                "hoverinfo": "skip",
            }
        )
        name = day_words(day)
        told = f"<b>{name[:1].upper()}{name[1:]}: {percent(share)}</b>"
        doubt = interval_words(low, high, Scale.SHARE)
        # Above the band, to the right, away from the falling curve, while there is room; otherwise below it.
        above = (share if math.isnan(high) else high) < 0.88
        to_right = above and day < 0.8 * drawn.last_day
        edge = (high if above else low) if doubt else share
        words.append(
            text(
                day / 7,
                edge,
                f"{told}<br>{doubt}" if doubt else told,
                colours.ink,
                xanchor="left" if to_right else "right",
                yanchor="bottom" if above else "top",
                align="left" if to_right else "right",
                yshift=4 if above else -4,
                bgcolor=fade(colours.paper, 0.6),
                borderpad=0,
            )
        )
    return marks, words


def _line_names(curves: Sequence[_Drawn], last_week: float, colours: Palette) -> list[Spec]:
    """Return each group's name above its line, at the week where the lines lie furthest apart.

    At their ends lines often run into each other: everybody leaves when the planned weeks are over. Lines that
    are nowhere far enough apart are named in a pile above them all, in their order and with their dash.
    """
    weeks = [last_week * step / 20 for step in range(2, 14)]

    def share(drawn: _Drawn, week: float) -> float:
        return value_at(drawn.curve, drawn.curve.values[STILL_IN], min(7 * week, drawn.last_day), 1.0)

    def room(week: float) -> float:
        # A name starts on its line and must end below where the next line has fallen to by then.
        shares = sorted((share(drawn, week), share(drawn, week + NAME_WIDTH * last_week)) for drawn in curves)
        return min((above - here for (here, _), (_, above) in pairwise(shares)), default=1.0)

    def highest(week: float) -> float:
        return max(share(drawn, week) for drawn in curves)

    week = max(weeks, key=room)
    crowded = room(week) < LINE_OF_TEXT
    lowest = 0.0
    if crowded:
        pile = 0.02 + LINE_OF_TEXT * len(curves)
        week = next((early for early in weeks if highest(early) + pile <= 1), weeks[-1])
        lowest = highest(week) + 0.02
    words: list[Spec] = []
    for drawn in sorted(curves, key=lambda drawn: share(drawn, week)):
        place = max(share(drawn, week) + 0.01, lowest)
        lowest = place + LINE_OF_TEXT
        # Words stay in ink: the colour of a line is strong enough for a line, not for small text.
        sample = f'<span style="color:{drawn.colour}">{DASHES[drawn.dash]}</span> ' if crowded else ""
        small = " <i>small</i>" if drawn.small else ""
        words.append(
            text(
                week,
                place,
                f"{sample}{bold(drawn.words)}{small}",
                colours.ink,
                xanchor="left",
                yanchor="bottom",
                bgcolor=fade(colours.paper, 0.75),
                borderpad=0,
            )
        )
    return words


def _table(curves: Sequence[_Drawn], ticks: Sequence[int], colours: Palette, *, of_staying: bool) -> list[Spec]:
    """Return the numbers under the axis: at risk by group, and how many nobody watched until then."""
    out = "too recent to know" if of_staying else "not watched for so long"
    lines: list[tuple[str, list[int] | None]] = []
    if len(curves) == 1:
        lines += [
            ("Still in the program, so still at risk" if of_staying else "Still watched, so still at risk", None),
            ("", [at_risk_at(curves[0].curve, tick) for tick in ticks]),
            (f"Left out: {out}", None),
        ]
    else:
        for drawn in curves:
            lines += [
                (f"Still at risk: {drawn.words}", None),
                ("", [at_risk_at(drawn.curve, tick) for tick in ticks]),
            ]
        lines.append((f"Left out, all groups: {out}", None))
    lines.append(("", [sum(left_out_by(drawn.curve, tick) for drawn in curves) for tick in ticks]))
    words: list[Spec] = []
    for number, (name, numbers) in enumerate(lines):
        shift = -(34 + TABLE_LINE * number)
        under: Spec = {"yref": "paper", "yanchor": "top", "yshift": shift}
        if numbers is None:
            words.append(text(0, 0, plain(name), colours.ink2, xref="paper", xanchor="left", xshift=-36, **under))
            continue
        words += [
            text(tick, 0, count(people), colours.ink, xanchor="center", **under)
            for tick, people in zip(ticks, numbers, strict=True)
        ]
    return words


def _planned_end(result: StratifiedResult, last_week: float, colours: Palette) -> list[Spec]:
    """Return a dotted line at the planned length when the cohort has one only."""
    planned = result.cohort.where.get("planned_weeks", ())
    if len(planned) != 1 or not planned[0].isdigit() or int(planned[0]) > last_week:
        return []
    week = int(planned[0])
    return [
        line_shape(
            week,
            0,
            week,
            1,
            colours.ink2,
            line={"dash": "dot"},
            label={
                "text": "planned length",
                "textangle": 0,
                "textposition": "start",
                "xanchor": "right",
                "yanchor": "bottom",
                "font": {"size": 13, "color": colours.ink2},
            },
        )
    ]


def _curves_alt(curves: Sequence[_Drawn], ticks: Sequence[int]) -> str:
    told = []
    for drawn in curves:
        values = [
            f"week {tick} {percent(value_at(drawn.curve, drawn.curve.values[STILL_IN], 7 * tick, 1.0))}"
            f" with {count(at_risk_at(drawn.curve, tick))} at risk"
            for tick in ticks
            if tick and 7 * tick <= drawn.last_day
        ]
        small = " (small numbers)" if drawn.small else ""
        told.append(f"{drawn.words}{small}: {', '.join(values) or 'nobody was watched for a whole step'}")
    return f"{'; '.join(told)}."
