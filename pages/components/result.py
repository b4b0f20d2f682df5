"""One result, the same everywhere: sentence, chart, who is counted, table, definition, link, download, foot.

A result without its sentence, ladder, definition, table and foot cannot be shown: `show` draws them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from analytics.disclosure import Disclosed
from analytics.errors import MeasureProblem
from analytics.measures.cards import DefinitionCard, definition_card
from analytics.measures.definitions_document import card_lines
from analytics.measures.results import StratifiedResult
from analytics.reports.comparisons import split_headline
from analytics.reports.figure import CONFIG, Figure
from analytics.reports.figures import ladder_bars
from analytics.reports.frame import foot, subtitle, who_is_counted
from analytics.reports.palette import Theme
from analytics.reports.sentences import level_sentence, takeaway
from analytics.reports.tables import Table, result_table
from analytics.session import View
from pages.components.address import link
from pages.components.view import plain

Draw = Callable[[Theme], Figure]


def theme_now() -> Theme:
    """Return the theme of the page as it was loaded."""
    return "dark" if st.context.theme.type == "dark" else "light"


def draw(picture: Draw, key: str) -> None:
    """Draw a figure with its words, or say why there is nothing to draw."""
    try:
        figure = picture(theme_now())
    except MeasureProblem as problem:
        st.markdown(f":gray[{plain(str(problem))}]")
        return
    st.plotly_chart(
        figure.plotly(), theme=None, config=CONFIG, alt=figure.alt, key=f"chart-{key}", height=figure.height
    )
    if figure.note:
        st.markdown(f":small[:gray[{plain(figure.note)}]]")


def show(
    view: View,
    result: Disclosed[StratifiedResult],
    picture: Draw,
    key: str,
    *,
    headline: str | None = None,
    line: str | None = None,
    legend: Sequence[tuple[str, str]] = (),
    sentences: Sequence[str] = (),
    more: Sequence[Disclosed[StratifiedResult]] = (),
) -> None:
    """Show one result with everything that belongs to it.

    Parameters
    ----------
    picture : draws the chart for a theme. key : unique on the page; names containers and downloads.
    headline, line : instead of the takeaway and the line under it, where a chart joins several results.
    legend : swatch and words, in the order of the marks. sentences : further sentences under the chart.
    more : results drawn in the same chart; their tables and downloads follow.
    """
    with st.container(key=f"rule-{key}"):
        st.header(headline or _headline(result), anchor=False)
        st.markdown(f":gray[{plain(line or subtitle(result))}]")
        if legend:
            with st.container(horizontal=True, gap="medium"):
                for mark, words in legend:
                    with st.container(horizontal=True, gap="xxsmall", width="content", vertical_alignment="center"):
                        st.image(mark, width=14, alt="")
                        st.markdown(plain(words), width="content")
        draw(picture, key)
        st.markdown(f"**Who is counted:** {plain(who_is_counted(result))}")
        for sentence in (level_sentence(result), *sentences):
            st.markdown(plain(sentence))
        tools(view, (result, *more), key)
        with st.expander("Table and ladder"):
            for each in (result, *more):
                _table(each.content.measure.title, result_table(each))
            draw(lambda theme: ladder_bars(result, theme), f"{key}-ladder")
        with st.expander("Definition"):
            for each in (result, *more):
                card(definition_card(each.content.measure))
        st.markdown(f":small[:gray[{plain(foot(result))}]]")


def _headline(result: Disclosed[StratifiedResult]) -> str:
    return takeaway(result) if result.content.by is None else split_headline(result)


def tools(view: View, results: Sequence[Disclosed[StratifiedResult]], key: str) -> None:
    with st.container(key=f"tools-{key}", horizontal=True, gap="small"):
        if len(results) == 1:
            _download(view, results[0], "Table (CSV)", f"{key}-0")
        else:
            with st.popover("Tables (CSV)", type="tertiary", icon=":material/download:"):
                for number, each in enumerate(results):
                    _download(view, each, each.content.measure.title, f"{key}-{number}")
        with st.popover("Copy link", type="tertiary", icon=":material/link:"):
            st.code(link(), language=None, wrap_lines=True)


def _download(view: View, result: Disclosed[StratifiedResult], words: str, key: str) -> None:
    st.download_button(
        words,
        lambda: view.download(result),
        file_name=f"internal-{result.content.measure.id}-{result.provenance.snapshot_id}.csv",
        mime="text/csv",
        key=f"download-{key}",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


def _table(title: str, table: Table) -> None:
    """Write a real HTML table: numbers right, words left. Markdown makes one in a tenth of a data frame's time."""
    head = " | ".join(plain(column.head) for column in table.columns)
    rule = " | ".join("---:" if column.is_number else ":---" for column in table.columns)
    rows = [" | ".join(plain(text) for text in row) for row in table.texts]
    body = "\n".join(f"| {line} |" for line in (head, rule, *rows))
    st.markdown(f"**{plain(title)}**\n\n{body}")


def card(definition: DefinitionCard) -> None:
    """Write a definition card."""
    st.markdown(f"**{plain(definition.title)}** ({plain(definition.name)}). {plain(definition.question)}")
    st.markdown(plain(definition.surveyor))
    st.markdown("  \n".join(f"**{name}:** {plain(text)}" for name, text in card_lines(definition)))
