"""Readmission. How many people needed a hospital or residential unit again."""

import streamlit as st

from analytics.measures.types import Stratifier
from analytics.reports.figures import groups_figure, missing_dots
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
show(view, split, lambda theme: groups_figure(split, theme), "split-by", sentences=differences(split))

during = view.result(view.measure("step_up_during_episode"), cohort, by)
show(view, during, lambda theme: groups_figure(during, theme), "during", sentences=differences(during))

reached = view.result(view.measure("followup_180_reach"), cohort, by)
show(view, reached, lambda theme: groups_figure(reached, theme), "reached", sentences=differences(reached))
