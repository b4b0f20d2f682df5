"""Bars of people: what happened to everyone, and who is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from analytics.disclosure import Disclosed, disclosed_only
from analytics.errors import MeasureProblem
from analytics.measures.results import Ladder, LadderStep, StratifiedResult
from analytics.measures.types import ALL, Estimator
from analytics.reports.axis import share_axis
from analytics.reports.figure import SMALL_NOTE, Figure, Spec, bold, figure, plain, stripes, text, text_width
from analytics.reports.frame import who_is_counted
from analytics.reports.numbers import count, percent
from analytics.reports.palette import Palette, Theme, palette
from analytics.texts import label, unit_words

GROUP_ROW: Final = 56  # pixels from one group to the next
GROUP_BAR: Final = 26  # thickness of a bar; thinner ones hide their numbers
FIRST_BAR: Final = 32
AFTER_FIRST: Final = 14  # everybody stands apart from the groups
SHARE_WITH_TEXT: Final = 0.08  # from here on a number on stripes has room on a phone
STEP: Final = 54  # pixels from one rung of the ladder to the next
SECOND_LINE: Final = 18  # more pixels where the two texts of a rung do not fit beside each other
PHONE_WIDTH: Final = 340  # pixels a phone leaves for them


@dataclass(frozen=True)
class _Outcome:
    """Counts of one group, in the fixed order better, no clear change, worse, not known."""

    words: str
    parts: tuple[int, int, int, int]
    unit: str
    small: bool

    @property
    def total(self) -> int:
        return sum(self.parts)


@disclosed_only
def outcome_bars(
    improved: Disclosed[StratifiedResult],
    unchanged: Disclosed[StratifiedResult],
    deteriorated: Disclosed[StratifiedResult],
    theme: Theme,
) -> Figure:
    """Draw one bar to 100% per group: clearly better, no clear change, clearly worse, not known (striped).

    The three results are the same people split alike, so their counts add up to everybody, known or not.

    Raises
    ------
    MeasureProblem
        When the three results are not of the same people and groups.
    """
    outcomes = _outcomes(improved, unchanged, deteriorated)
    colours = palette(theme)
    places = [_middle(number) for number in range(len(outcomes))]
    height = _middle(len(outcomes) - 1) + GROUP_BAR if outcomes else STEP
    kinds: list[tuple[Spec, str]] = [
        ({"color": colours.better}, colours.on_mark),
        ({"color": colours.same, "line": {"color": colours.axis, "width": 1}}, colours.ink),
        ({"color": colours.worse}, colours.on_mark),
        (stripes(colours), colours.ink),
    ]
    data: list[Spec] = [
        {
            "type": "bar",
            "orientation": "h",
            "y": places,
            "x": [outcome.parts[kind] / outcome.total for outcome in outcomes],
            "width": [FIRST_BAR if number == 0 else GROUP_BAR for number in range(len(outcomes))],
            "marker": marker,
            "text": [_inside(outcome, kind, number == 0) for number, outcome in enumerate(outcomes)],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "insidetextfont": {"size": 13, "color": ink},
            "hovertext": [_told(outcome, kind) for outcome in outcomes],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
        for kind, (marker, ink) in enumerate(kinds)
    ]
    alt = "; ".join(
        f"{outcome.words} ({count(outcome.total)}): " + ", ".join(_told(outcome, kind) for kind in range(len(kinds)))
        for outcome in outcomes
    )
    return figure(
        theme,
        data,
        f"What happened to everyone. {alt}.",
        round(height) + 8 + 36,
        x=share_axis() | {"showgrid": False},
        y={"range": [height, 0], "visible": False},
        annotations=_outcome_words(outcomes, places, colours),
        margin={"r": 22},
        note=SMALL_NOTE if any(outcome.small for outcome in outcomes) else "",
        barmode="stack",
    )


def _outcomes(
    improved: Disclosed[StratifiedResult],
    unchanged: Disclosed[StratifiedResult],
    deteriorated: Disclosed[StratifiedResult],
) -> list[_Outcome]:
    first = improved.content
    others = (unchanged.content, deteriorated.content)
    if any(other.by != first.by or other.estimates.keys() != first.estimates.keys() for other in others):
        raise MeasureProblem("Better, no clear change and worse must be split alike. Ask for all three at once.")
    outcomes = []
    for group, estimate in first.estimates.items():
        better, same, worse = (estimate, *(other.estimates[group] for other in others))
        parts = (better.numerator, same.numerator, worse.numerator, better.unknown)
        if sum(parts) != better.known + better.unknown:
            raise MeasureProblem(
                "Better, no clear change and worse do not add up to those measured, so they are not "
                "of the same people. Use one instrument, one profile and one set of filters for all three."
            )
        if sum(parts):
            name = "Everyone" if group == ALL or first.by is None else label(first.by.value, group)
            outcomes.append(_Outcome(name, parts, better.unit, group in improved.small))
    return outcomes


def _middle(number: int) -> float:
    return 22 + FIRST_BAR / 2 if number == 0 else 22 + FIRST_BAR / 2 + AFTER_FIRST + GROUP_ROW * number


def _inside(outcome: _Outcome, kind: int, is_first: bool) -> str:
    """Return the text in a bar; the percent sign stands in the first row only, stripes get a plate."""
    share = outcome.parts[kind] / outcome.total
    if kind == 3 or share < 0.01:
        return ""
    return percent(share) if is_first else percent(share).removesuffix("%")


def _told(outcome: _Outcome, kind: int) -> str:
    name = ("clearly better", "no clear change", "clearly worse", "not known")[kind]
    return f"{percent(outcome.parts[kind] / outcome.total)} {name}"


def _outcome_words(outcomes: Sequence[_Outcome], places: Sequence[float], colours: Palette) -> list[Spec]:
    words: list[Spec] = []
    for number, (outcome, middle) in enumerate(zip(outcomes, places, strict=True)):
        above = middle - (FIRST_BAR if number == 0 else GROUP_BAR) / 2 - 10
        small = " <i>small</i>" if outcome.small else ""
        words.append(text(0, above, f"{bold(outcome.words)}{small}", colours.ink, xref="paper", xanchor="left"))
        counted = f"{count(outcome.total)} {unit_words(outcome.unit, outcome.total)}"
        words.append(text(1, above, counted, colours.ink, xref="x", xanchor="right"))
        unknown = outcome.parts[3] / outcome.total
        if unknown >= SHARE_WITH_TEXT:
            told = percent(unknown) if number == 0 else percent(unknown).removesuffix("%")
            words.append(text(1 - unknown / 2, middle, told, colours.ink, bgcolor=colours.paper, borderpad=1))
    return words


@disclosed_only
def ladder_bars(disclosed: Disclosed[StratifiedResult], theme: Theme, group: str = ALL) -> Figure:
    """Draw who is counted: one bar of people per rung, what it lost striped and named.

    The last rung of a proportion lost nobody: those with a known "no" are a pale bar, not stripes.

    Raises
    ------
    MeasureProblem
        When there is nobody on the ladder, or the group is withheld.
    """
    result = disclosed.content
    ladder = result.ladder if group == ALL else result.ladders.get(group, Ladder(()))
    if not ladder.steps or ladder.steps[0].count == 0:
        raise MeasureProblem("There is nobody to count here. Remove a filter.")
    colours = palette(theme)
    texts = [_rung_texts(step) for step in ladder.steps]
    two_lines = [text_width(" ".join(pair)) > PHONE_WIDTH for pair in texts]
    bottoms = list(accumulate(STEP + (SECOND_LINE if wraps else 0) for wraps in two_lines))
    places = [bottom - 22 for bottom in bottoms]
    height = bottoms[-1]
    ends_with_outcome = result.measure.estimator is Estimator.PROPORTION
    last = len(ladder.steps) - 1
    known_no = ladder.steps[last].lost if ends_with_outcome else 0
    soft = {"color": colours.series_soft, "line": {"color": colours.axis, "width": 1}}
    counted = [step.count for step in ladder.steps]
    lost = [step.lost for step in ladder.steps]
    if ends_with_outcome:
        lost[last] = 0
    data: list[Spec] = [
        _ladder_trace(places, counted, soft),
        _ladder_trace(places, lost, stripes(colours)),
    ]
    if ends_with_outcome:
        data[0] = _ladder_trace(places[:last], counted[:last], soft)
        data.append(_ladder_trace(places[last:], counted[last:], {"color": colours.series}))
        same = {"color": colours.same, "line": {"color": colours.axis, "width": 1}}
        data.append(_ladder_trace(places[last:], [known_no], same))
    words: list[Spec] = []
    for (name, fell_out), middle, wraps in zip(texts, places, two_lines, strict=True):
        number, _, rest = name.partition(" ")
        above = middle - 20 - (SECOND_LINE if wraps else 0)
        words.append(text(0, above, f"<b>{number}</b> {plain(rest)}", colours.ink, xref="paper", xanchor="left"))
        if fell_out:
            words.append(text(1, middle - 20, plain(fell_out), colours.ink, xref="paper", xanchor="right"))
    return figure(
        theme,
        data,
        f"Who is counted: {who_is_counted(disclosed, group)}",
        height + 16,
        x={"range": [0, 1.002 * ladder.steps[0].count], "visible": False},
        y={"range": [height, 0], "visible": False},
        annotations=words,
        margin={"b": 8},
        barmode="stack",
    )


def _rung_texts(step: LadderStep) -> tuple[str, str]:
    """Return who remains on a rung, and who fell out on the way to it ("" = nobody)."""
    return (
        f"{count(step.count)} {step.label}",
        f"{count(step.lost)} {step.lost_label}" if step.lost else "",
    )


def _ladder_trace(places: Sequence[float], counts: Sequence[int], marker: Spec) -> Spec:
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(places),
        "x": list(counts),
        "width": 22,
        "marker": marker,
        "hoverinfo": "skip",
    }
