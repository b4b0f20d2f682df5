"""Substance use. Use before and at the end of treatment, and what tests showed."""

from analytics.measures.types import Stratifier
from analytics.reports.figures import groups_figure, missing_dots
from pages.components.compare import differences, split_choice
from pages.components.result import show
from pages.components.view import head, open_view

view = open_view(__file__)
cohort = head(view, "Substance use")

abstinent = view.result(view.measure("abstinence_discharge"), cohort)
show(view, abstinent, lambda theme: missing_dots(abstinent, theme), "abstinent")

by = split_choice(view, "split", Stratifier.MODALITY)
split = view.result(view.measure("abstinence_discharge"), cohort, by)
show(view, split, lambda theme: groups_figure(split, theme), "abstinent-by", sentences=differences(split))

tests = view.result(view.measure("uds_negative"), cohort, by)
show(view, tests, lambda theme: groups_figure(tests, theme), "tests", sentences=differences(tests))
