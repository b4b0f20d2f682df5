"""The door of a page: who looks, which data, and the head that every page begins with."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import streamlit as st

from analytics.errors import IopError
from analytics.measures.types import Cohort
from analytics.reports.frame import privacy_words
from analytics.session import Section, View, Viewer, session_of
from analytics.settings import store_folder
from analytics.texts import cohort_words
from pages.components.filters import filters


def open_view(script: str) -> View:
    """Return the view of a page, or stop the page run with a sentence.

    Parameters
    ----------
    script : the page's `__file__`; the folder it lies in is its section, which decides who may open it.
    """
    viewer = st.session_state.get("viewer")
    if not isinstance(viewer, Viewer):
        st.error("This page is opened through the front page of the dashboard.")
        st.stop()
    try:
        return session_of(store_folder()).view(viewer, cast("Section", Path(script).parent.name))
    except IopError as error:
        st.error(str(error))
        st.stop()


def head(view: View, title: str) -> Cohort:
    """Write title, scope, provenance and filters; return the cohort that the filters choose."""
    st.title(title, anchor=False)
    scope = st.empty()
    provenance_line(view)
    cohort = filters(view)
    scope.markdown(f":gray[{plain(_capital(cohort_words(cohort.where, cohort.start, cohort.end)))}]")
    return cohort


def provenance_line(view: View) -> None:
    """Write where the numbers come from: data to, snapshot, how many, made up or not, tier."""
    provenance = view.provenance
    if view.notice:
        st.warning(view.notice)
    if provenance.paper_gap:
        st.warning(f"{_capital(privacy_words(provenance))}. These numbers must not leave this house.")
    parts = [
        f"Data to **{provenance.data_as_of}**",
        f"snapshot **{provenance.snapshot_id}**",
        f"{provenance.episodes:,} episodes, {provenance.persons:,} people",
        f"**{privacy_words(provenance)}**"
        if provenance.synthetic or provenance.paper_gap
        else privacy_words(provenance),
        "Internal – do not share",
    ]
    st.markdown(f":gray[{' · '.join(parts)}]")
    if provenance.banner:
        st.markdown(f":small[:gray[{plain(provenance.banner)}]]")
    if view.notes:
        with st.expander(f"How the source was read ({len(view.notes)} rules)"):
            st.markdown("\n".join(f"- {plain(note)}" for note in view.notes))


def plain(text: str) -> str:
    """Return text with the characters escaped that Streamlit's Markdown would act on."""
    return "".join(f"\\{character}" if character in "\\`*_[]:$#<>~|" else character for character in text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
