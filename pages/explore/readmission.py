"""Readmission. How many people needed a hospital or residential unit again."""

import streamlit as st

from analytics.measures.types import Stratifier
from analytics.reports.figures import dot_rows, missing_dots
from pages.components.compare import differences, split_choice
from pages.components.result import show
from pages.components.view import head, open_view

view = open_view(__file__)
cohort = head(view, "Readmission")
st.markdown(
    "Without a hospital or claims feed we know of no stays but those that somebody told us about: "
    "the true number can be higher, never lower."
)

within = view.result(view.measure("readmission_30d"), cohort)
show(view, within, lambda theme: missing_dots(within, theme), "within")

by = split_choice(view, "split", Stratifier.MODALITY)
split = view.result(view.measure("readmission_30d"), cohort, by)
show(view, split, lambda theme: dot_rows(split, theme), "split-by", sentences=differences(split))

during = view.result(view.measure("step_up_during_episode"), cohort, by)
show(view, during, lambda theme: dot_rows(during, theme), "during", sentences=differences(during))
