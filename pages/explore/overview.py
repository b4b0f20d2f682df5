"""Overview. All headline measures on one screen."""

import streamlit as st

from pages.components.overview_rows import changes, key_to_the_rows, rows
from pages.components.result import tools
from pages.components.view import head, open_view

view = open_view(__file__)
cohort = head(view, "Overview")
overview = rows(view, cohort)

with st.container(key="rule-changes"):
    st.header(overview.headline, anchor=False)
    changes(overview)
    overview.draw()
    key_to_the_rows(overview)
    tools(view, overview.results, "overview")
