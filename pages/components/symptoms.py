"""What is particular to symptom pages: which questionnaire, the words of the outcome bars, how to read the scatter."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from analytics.disclosure import Disclosed, PairCounts
from analytics.instruments import find_instrument
from analytics.measures.results import StratifiedResult
from analytics.measures.types import ALL
from analytics.reports.icons import swatch
from analytics.reports.numbers import count, percent
from analytics.session import View
from pages.components.address import understand

OUTCOME_LEGEND = (
    (swatch("better"), "Clearly better"),
    (swatch("same"), "No clear change"),
    (swatch("worse"), "Clearly worse"),
    (swatch("unknown"), "Not measured twice"),
)


def instrument_choice(view: View) -> str | None:
    """Let the reader choose a questionnaire among those with a reliable change; None when there is none."""
    leading = [measure.instrument for group in view.headlines().values() for measure in group]
    usable = [
        name
        for name in dict.fromkeys([*(name for name in leading if name), *view.instruments()])
        if view.measure_or_none("reliable_improvement", name) is not None
    ]
    if not usable:
        return None
    if len(usable) == 1:
        return usable[0]

    def words(name: str) -> str:
        found = find_instrument(name)
        return f"{found.name}, {found.construct}" if found else name

    understand("instrument", usable, words)
    return st.selectbox(
        "Questionnaire",
        usable,
        format_func=words,
        key="instrument",
        bind="query-params",
        persist_state="session",
        width=260,
    )


def outcome_headline(improved: Disclosed[StratifiedResult]) -> str | None:
    """Return the headline of the outcome bars, over everyone who left; None leaves the usual takeaway."""
    estimate = improved.content.estimates[ALL]
    everyone = estimate.known + estimate.unknown
    if not estimate.has_value or everyone == 0 or ALL in improved.small:
        return None
    better, unknown = percent(estimate.numerator / everyone), percent(estimate.unknown / everyone)
    return f"{better} of everyone who left was clearly better; for {unknown} we do not know"


@dataclass(frozen=True)
class PairReading:
    """The words and the limits of the scatter of two scores."""

    headline: str
    line: str
    lines: tuple[str, ...]
    error: float
    minimum: float
    maximum: float
    cut_off: float | None
    lower_is_better: bool


def reading(view: View, name: str, pairs: Disclosed[PairCounts]) -> PairReading:
    """Explain the scatter of one questionnaire with its own thresholds."""
    instrument = find_instrument(name)
    if instrument is None:
        raise LookupError(name)
    profile = instrument.profiles["default"]
    change = profile.reliable_change.value if profile.reliable_change else 0.0
    cut_off = profile.caseness.value if profile.caseness else None
    measured = sum(number for *_, number in pairs.content.pairs)
    missing = sum(number for _, number in pairs.content.unmeasured)
    outside = sum(
        number for first, last, number in pairs.content.pairs if (first - last) * instrument.direction >= change
    )
    lower = instrument.better == "lower"
    side = "below" if lower else "above"
    share = percent(outside / measured) if measured else ""
    lines = [
        "On the thin diagonal, the last score equals the first.",
        f"In the grey band, the change is {change - instrument.step:g} points or less: no more than measurement error.",
    ]
    if cut_off is not None:
        lines.append(
            f"The dashed lines mark {cut_off:g}, where the range begins that usually means {instrument.construct}."
        )
    lines.append(f"The ticks along the bottom are the first scores of the {count(missing)} stays with no second score.")
    return PairReading(
        headline=(
            f"{share} of points lie {side} the band: a change larger than measurement error"
            if measured
            else "Nobody was measured twice"
        ),
        line=f"{instrument.name} · each mark is one stay measured twice ({count(measured)}) · {pairs.cohort_words}",
        lines=tuple(lines),
        error=change,
        minimum=instrument.minimum,
        maximum=instrument.maximum,
        cut_off=cut_off,
        lower_is_better=lower,
    )
