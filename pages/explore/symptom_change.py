"""Symptom change. Whether people left with fewer symptoms than they came with."""

import streamlit as st

from analytics.measures.types import Stratifier
from analytics.reports.figures import groups_figure, missing_dots, outcome_bars, pair_scatter
from analytics.reports.frame import foot, subtitle, who_is_counted
from pages.components.compare import differences, split_choice
from pages.components.result import draw, show
from pages.components.symptoms import OUTCOME_LEGEND, instrument_choice, outcome_headline, reading
from pages.components.view import head, open_view, plain

view = open_view(__file__)
cohort = head(view, "Symptom change")
choices = st.container(horizontal=True, gap="small")
with choices:
    instrument = instrument_choice(view)
if instrument is None:
    st.info("No questionnaire scores were imported, so nothing can be said about symptoms.")
    st.stop()
with choices:
    by = split_choice(view, "split", Stratifier.MODALITY)

improved, unchanged, deteriorated = view.results(
    [
        view.measure(name, instrument)
        for name in ("reliable_improvement", "no_reliable_change", "reliable_deterioration")
    ],
    cohort,
    by,
)
show(
    view,
    improved,
    lambda theme: outcome_bars(improved, unchanged, deteriorated, theme),
    "outcomes",
    headline=outcome_headline(improved),
    line=subtitle(improved, "each bar is everyone who left, measured or not"),
    legend=OUTCOME_LEGEND,
    sentences=differences(improved),
    more=(unchanged, deteriorated),
)

everyone = view.result(view.measure("reliable_improvement", instrument), cohort)
show(view, everyone, lambda theme: missing_dots(everyone, theme), "missing")

with st.container(key="rule-pairs"):
    pairs = view.pairs(instrument, cohort)
    explained = reading(view, instrument, pairs)
    st.header(explained.headline, anchor=False)
    st.markdown(f":gray[{plain(explained.line)}]")
    chart, words = st.columns([1.5, 1], gap="large")
    with chart:
        draw(
            lambda theme: pair_scatter(
                pairs,
                theme,
                error=explained.error,
                maximum=explained.maximum,
                minimum=explained.minimum,
                cut_off=explained.cut_off,
                lower_is_better=explained.lower_is_better,
            ),
            "pairs",
        )
    with words:
        st.markdown("**How to read it**")
        st.markdown("\n".join(f"- {plain(line)}" for line in explained.lines))
    st.markdown(f"**Who is counted:** {plain(who_is_counted(everyone))}")
    st.markdown(f":small[:gray[{plain(foot(pairs))}]]")

twice = view.measure_or_none("paired_score", instrument)
if twice is not None:
    measured = view.result(twice, cohort, Stratifier.EXIT)
    show(view, measured, lambda theme: groups_figure(measured, theme), "measured")

average = view.measure_or_none("mean_change", instrument)
if average is not None:
    changed = view.result(average, cohort, by)
    show(view, changed, lambda theme: groups_figure(changed, theme), "mean", sentences=differences(changed))

for name in ("recovery", "reliable_recovery", "response", "remission"):
    measure = view.measure_or_none(name, instrument)
    if measure is not None:
        rate = view.result(measure, cohort, by)
        show(view, rate, lambda theme, rate=rate: groups_figure(rate, theme), name, sentences=differences(rate))
