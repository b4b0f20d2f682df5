"""Every figure of a result: disclosed results in, a Plotly figure with its words out."""

from analytics.disclosure import Disclosed, disclosed_only
from analytics.measures.results import StratifiedResult
from analytics.measures.types import Stratifier
from analytics.reports.figure import CONFIG, Figure
from analytics.reports.figures_bars import ladder_bars, outcome_bars
from analytics.reports.figures_curves import survival_curve
from analytics.reports.figures_leaving import leaving_areas
from analytics.reports.figures_pairs import pair_scatter
from analytics.reports.figures_rows import dot_rows, missing_dots
from analytics.reports.figures_trend import trend_line
from analytics.reports.palette import Theme


@disclosed_only
def groups_figure(disclosed: Disclosed[StratifiedResult], theme: Theme) -> Figure:
    """Draw the groups of a split: periods as a trend, anything else as rows with their intervals."""
    by = disclosed.content.by
    if by in (Stratifier.ADMIT_PERIOD, Stratifier.DISCHARGE_PERIOD):
        return trend_line(disclosed, theme)
    return dot_rows(disclosed, theme)


__all__ = [
    "CONFIG",
    "Figure",
    "dot_rows",
    "groups_figure",
    "ladder_bars",
    "leaving_areas",
    "missing_dots",
    "outcome_bars",
    "pair_scatter",
    "survival_curve",
    "trend_line",
]
