"""Retention. How long people stay, and how they leave."""

from analytics.measures.types import Stratifier
from analytics.reports.figures import groups_figure, leaving_areas, survival_curve
from pages.components.compare import differences, split_choice
from pages.components.result import show
from pages.components.view import head, open_view

view = open_view(__file__)
cohort = head(view, "Retention")

staying = view.result(view.measure("retention_km"), cohort)
show(view, staying, lambda theme: survival_curve(staying, theme), "staying")

leaving = view.result(view.measure("completion_cif"), cohort)
show(view, leaving, lambda theme: leaving_areas(leaving, theme), "leaving")

by = split_choice(view, "split", Stratifier.MODALITY)
first_month = view.result(view.measure("retention_30"), cohort, by)
show(
    view,
    first_month,
    lambda theme: groups_figure(first_month, theme),
    "first-month",
    sentences=differences(first_month),
)

curves = view.result(view.measure("retention_km"), cohort, by)
show(
    view,
    curves,
    lambda theme: survival_curve(curves, theme),
    "curves",
    sentences=differences(curves),
)

finished = view.result(view.measure("completion_cif"), cohort, by)
show(view, finished, lambda theme: groups_figure(finished, theme), "finished", sentences=differences(finished))

completed = view.result(view.measure("completion"), cohort, by)
show(view, completed, lambda theme: groups_figure(completed, theme), "completed", sentences=differences(completed))

if len(view.choices(Stratifier.ADMIT_PERIOD)) > 1:
    missed = view.result(view.measure("no_show"), cohort, Stratifier.ADMIT_PERIOD)
    show(view, missed, lambda theme: groups_figure(missed, theme), "missed")

sessions = view.result(view.measure("attendance"), cohort, by)
show(view, sessions, lambda theme: groups_figure(sessions, theme), "sessions", sentences=differences(sessions))
