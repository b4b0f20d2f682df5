"""Definitions. What every number means, who is counted, and where the definition comes from."""

import streamlit as st

from analytics.instruments import find_instrument
from pages.components.definitions import definitions
from pages.components.view import open_view, plain, provenance_line

view = open_view(__file__)
st.title("Definitions", anchor=False)
st.markdown(":gray[What every number means, who is counted, and where the definition comes from]")
provenance_line(view)

definitions(view)

if view.left_out:
    with st.container(key="rule-left-out"):
        st.header("What the import left out on purpose", anchor=False)
        st.markdown("\n".join(f"- {count:,} {words}" for words, count in view.left_out.items()))

with st.container(key="rule-words"):
    st.header("Questionnaires and therapies in these data", anchor=False)
    names = [found.name for name in view.instruments() if (found := find_instrument(name))]
    st.markdown(f"Questionnaires: {plain(', '.join(names) or 'none')}.")
    st.markdown(f"Therapies: {plain(', '.join(view.therapies().values()) or 'not recorded')}.")
