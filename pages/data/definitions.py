"""Definitions. What every number means, who is counted, and where the definition comes from."""

import streamlit as st

from analytics.measures.cards import definition_card
from analytics.texts import label
from pages.components.result import card
from pages.components.view import open_view, provenance_line

view = open_view(__file__)
st.title("Definitions", anchor=False)
st.markdown(":gray[What every number means, who is counted, and where the definition comes from]")
provenance_line(view)

for measure in view.catalogue():
    definition = definition_card(measure)
    with st.container(key=f"rule-{measure.id}-{measure.instrument or 'all'}"):
        st.header(definition.title, anchor=False)
        card(definition)
        with st.expander("SQL"):
            st.code(definition.sql, language="sql")

if view.left_out:
    with st.container(key="rule-left-out"):
        st.header("What the import left out on purpose", anchor=False)
        st.markdown("\n".join(f"- {count:,} {words}" for words, count in view.left_out.items()))

with st.container(key="rule-questionnaires"):
    st.header("Questionnaires in these data", anchor=False)
    st.markdown(", ".join(label("instrument", name) for name in view.instruments()) or "None.")
