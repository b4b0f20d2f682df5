"""The lines of the overview: drawn as text and small SVG marks, without Plotly, so that the landing page is quick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from analytics.disclosure import Disclosed
from analytics.measures.results import StratifiedResult
from analytics.measures.types import Cohort, Stratifier
from analytics.reports.known import known_share, known_words
from analytics.reports.marks import Mark, axis_mark, interval_mark, share_known_bar, sparkline
from analytics.reports.numbers import percent
from analytics.reports.overview import OverviewLine, most_changed, overview_headline, overview_line
from analytics.session import View
from analytics.texts import period_range_words
from pages.components.view import plain

# Pixels, so that at 1280 a line is one line and at 390 three, in the same order (look.md 5).
NAME, RESULT, AXIS, CHANGE, MONTHS, KNOWN = 228, 114, 256, 86, 118, 96


@dataclass(frozen=True)
class Overview:
    """The overview's lines by heading, and whom they compare."""

    groups: Mapping[str, list[OverviewLine]]
    years: tuple[Cohort, Cohort] | None

    @property
    def lines(self) -> list[OverviewLine]:
        """Return all lines in their order."""
        return [line for lines in self.groups.values() for line in lines]

    @property
    def results(self) -> list[Disclosed[StratifiedResult]]:
        """Return the results shown."""
        return [line.now for line in self.lines]

    @property
    def headline(self) -> str:
        """Return how many things changed."""
        return overview_headline(self.lines)

    def draw(self) -> None:
        """Draw the head and every line."""
        with _line("head"):
            _text("Measure", NAME)
            _text("Result", RESULT)
            _mark(axis_mark(), AXIS)
            _text("Change", CHANGE)
            _text("By admission", MONTHS)
            _text("Known", KNOWN)
        for words, lines in self.groups.items():
            st.markdown(f":small[:gray[{plain(words)}]]")
            for number, line in enumerate(lines):
                _draw_line(line, f"{words}-{number}".lower().replace(" ", "-"))


def rows(view: View, cohort: Cohort) -> Overview:
    """Evaluate all headline measures for the newest year, the year before, and by admission period."""
    groups = view.headlines()
    measures = [measure for group in groups.values() for measure in group]
    years = view.last_year(cohort)
    now = view.results(measures, years[0] if years else cohort)
    before = view.results(measures, years[1]) if years else [None] * len(measures)
    dated = len(view.choices(Stratifier.ADMIT_PERIOD)) > 1
    periods = view.results(measures, cohort, Stratifier.ADMIT_PERIOD) if dated else [None] * len(measures)
    lines = {
        measure.name: overview_line(*found) for measure, *found in zip(measures, now, before, periods, strict=True)
    }
    return Overview({words: [lines[m.name] for m in group] for words, group in groups.items()}, years)


def changes(overview: Overview) -> None:
    """Write what changed in sentences, at most five, and whom is compared with whom."""
    if overview.years is None:
        st.markdown("These data have no two years of admissions to compare, or the period is filtered.")
        return
    now, before = overview.years
    this_year, last_year = (period_range_words(year.start, year.end) for year in (now, before))
    st.markdown(f":gray[{plain(f'Admitted {this_year}, compared with admitted {last_year}')}]")
    said = [f"- **{plain(line.title)}.** {plain(line.sentence())}" for line in most_changed(overview.lines)]
    if said:
        st.markdown("\n".join(said))


def key_to_the_rows(overview: Overview) -> None:
    """Write how to read a line."""
    ring = ", the ring is the year before. " if overview.years else ". "
    st.markdown(
        ":small[:gray[How to read a line: the dot is the result, the bar its 95% interval"
        + ring
        + "The striped band runs from the result if none of those not known counted in it (left end) to the "
        "result if all did (right end). *By admission* shows the last twelve periods of admission that are old enough. "
        "A change is in points; it is listed above where chance alone rarely makes one so large.]]"
    )


def _draw_line(line: OverviewLine, key: str) -> None:
    change, was = line.change_words
    share = known_share(line.now.content)
    with _line(key):
        _text(f"**{plain(line.title)}**  \n:small[:gray[{plain(line.under)}]]", NAME)
        _text(f"**{plain(line.value)}** {plain(line.doubt)}  \n:small[:gray[{plain(line.counted)}]]", RESULT)
        _mark(interval_mark(line.now, previous=line.previous), AXIS)
        _text(f"{plain(change)}  \n:small[:gray[{plain(was)}]]" if change else "", CHANGE)
        if line.periods is not None:
            _mark(sparkline(line.periods), MONTHS)
        else:
            _text("", MONTHS)
        with st.container(width=KNOWN, gap="xxsmall"):
            known = f"{percent(share)} {known_words(share)}" if share == share else "–"
            st.markdown(f":small[{plain(known)}]")
            mark = share_known_bar(line.now)
            st.image(mark.svg, width=mark.width, alt=mark.alt)


def _line(key: str) -> st.delta_generator.DeltaGenerator:
    return st.container(key=f"line-{key}", horizontal=True, vertical_alignment="center", gap="small")


def _text(text: str, width: int) -> None:
    with st.container(width=width):
        st.markdown(text or "\u00a0")


def _mark(mark: Mark, width: int) -> None:
    with st.container(width=width):
        st.image(mark.svg, width=mark.width, alt=mark.alt)
