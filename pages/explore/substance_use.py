"""Substance use. Use before, at the end of and after treatment, and what tests showed."""

from analytics.measures.types import Stratifier
from analytics.reports.figures import groups_figure, missing_dots, survival_curve
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

TOO_GOOD = (
    "Whoever drops out of sight is watched no longer here, so this curve is too good. The next one counts them like "
    "use, on the day of their last contact: it is too bad. The truth lies between the two."
)
first_use = view.result(view.measure("time_to_first_use"), cohort)
show(view, first_use, lambda theme: survival_curve(first_use, theme), "first-use", sentences=[TOO_GOOD])

out_of_sight = view.result(view.measure("time_to_use_or_loss"), cohort)
show(view, out_of_sight, lambda theme: survival_curve(out_of_sight, theme), "out-of-sight")

meetings = view.result(view.measure("meetings_followup"), cohort, by)
show(view, meetings, lambda theme: groups_figure(meetings, theme), "meetings", sentences=differences(meetings))
