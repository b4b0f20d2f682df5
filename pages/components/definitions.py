"""One definition at a time: an index by family, a search over all, and the card with the numbers of these data.

The address holds codes (`?measure=recovery&instrument=phq9&profile=nhs`), so what is looked at can be sent on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import streamlit as st

from analytics.instruments import find_instrument
from analytics.measures.cards import definition_card
from analytics.measures.types import Cohort, Measure
from analytics.reports.frame import foot, who_is_counted
from analytics.reports.worked import family_example, worked_example
from analytics.session import View
from pages.components.result import card
from pages.components.view import plain

PROFILE_WORDS = {
    "default": "Usual thresholds",
    "nhs": "English national rule (nhs)",
    "strict": "Stricter published thresholds (strict)",
    "hedis_style": "HEDIS style (hedis_style)",
    "cms159_style": "CMS159 style (cms159_style)",
    "teds": "TEDS reasons for leaving (teds)",
}


def definitions(view: View) -> None:
    """Let the reader choose a definition, and show it beside the index."""
    every = view.definitions()
    names = {measure.id: _title(measure) for measure in every}
    families = view.families()
    address = st.query_params.get("measure", "")
    chosen = address if address in names else next(iter(names))
    search = st.text_input("Search all definitions", key="definition-search", placeholder="recovery, PHQ-9, hospital")
    if search.strip():
        shown = [name for name in names if _matches(search, (each for each in every if each.id == name))]
        if not shown:
            st.markdown(f"No definition has the words “{plain(search.strip())}”. Use fewer words, or choose a family.")
            return
    else:
        present = list(dict.fromkeys(families[name] for name in names))
        family = st.pills("Family", present, default=families[chosen], key="definition-family", required=True)
        shown = [name for name in names if families[name] == family]
    index = shown.index(chosen) if chosen in shown else 0
    key = f"definition-{families[shown[0]]}-{search.strip()}"
    at_left, at_right = st.columns([1, 2.6], gap="large")
    with at_left:
        picked = st.radio("Definition", shown, index=index, format_func=lambda name: plain(names[name]), key=key)
    with at_right:
        _definition(view, _bound([measure for measure in every if measure.id == picked]))


def _definition(view: View, measure: Measure) -> None:
    """Write the card of a measure, with how many are counted and not, and what the numbers of these data give."""
    described = definition_card(measure)
    (result,) = view.results([measure], Cohort())
    with st.container(key=f"rule-{measure.id}-{measure.instrument or 'all'}"):
        st.header(described.title, anchor=False)
        card(described)
        if family := family_example(result):
            st.markdown(f"**For families:** {plain(family)}")
        st.markdown(f"**In these data:** {plain(worked_example(result))}")
        if counted := who_is_counted(result):
            st.markdown(f"**Who is counted:** {plain(counted)}")
        with st.expander("SQL"):
            st.code(described.sql, language="sql")
        st.markdown(f":small[:gray[{plain(foot(result))}]]")


def _bound(measures: Sequence[Measure]) -> Measure:
    """Return the measure of the chosen questionnaire and thresholds, and write the choice into the address."""
    measure_id = measures[0].id
    instruments = list(dict.fromkeys(measure.instrument for measure in measures if measure.instrument))
    if not instruments:
        address = {"measure": measure_id}
        chosen = measures[0]
        if len(measures) > 1:
            names = [measure.profile for measure in measures]
            profile = _select("Rules", "profile", names, PROFILE_WORDS.__getitem__, measure_id)
            address, chosen = address | {"profile": profile}, measures[names.index(profile)]
        st.query_params.from_dict(address)
        return chosen
    with st.container(horizontal=True):
        instrument = _select("Questionnaire", "instrument", instruments, _instrument_words, measure_id)
        profiles = [measure.profile for measure in measures if measure.instrument == instrument]
        profile = _select("Thresholds", "profile", profiles, PROFILE_WORDS.__getitem__, f"{measure_id}-{instrument}")
    st.query_params.from_dict({"measure": measure_id, "instrument": instrument, "profile": profile})
    return next(each for each in measures if (each.instrument, each.profile) == (instrument, profile))


def _select(label: str, name: str, options: Sequence[str], words: Callable[[str], str], of: str) -> str:
    given = st.query_params.get(name, "")
    index = options.index(given) if given in options else 0
    return st.selectbox(label, options, index=index, format_func=words, key=f"definition-{name}-{of}", width=280)


def _instrument_words(name: str) -> str:
    found = find_instrument(name)
    return f"{found.name}, {found.construct}" if found else name


def _title(measure: Measure) -> str:
    """Return the title without its questionnaire, which is chosen beside it."""
    found = find_instrument(measure.instrument) if measure.instrument else None
    return measure.title.removesuffix(f", {found.name}") if found else measure.title


def _matches(search: str, measures: Iterable[Measure]) -> bool:
    """Return whether every word stands somewhere in what a measure says of itself."""
    text = " ".join(f"{each.name} {each.title} {each.question} {each.source}" for each in measures).lower()
    return all(word in text for word in search.lower().split())
