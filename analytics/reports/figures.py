"""Every figure of a result: disclosed results in, a Plotly figure with its words out."""

from analytics.reports.figure import CONFIG, Figure
from analytics.reports.figures_bars import ladder_bars, outcome_bars
from analytics.reports.figures_curves import survival_curve
from analytics.reports.figures_leaving import leaving_areas
from analytics.reports.figures_pairs import pair_scatter
from analytics.reports.figures_rows import dot_rows, missing_dots
from analytics.reports.figures_trend import trend_line

__all__ = [
    "CONFIG",
    "Figure",
    "dot_rows",
    "ladder_bars",
    "leaving_areas",
    "missing_dots",
    "outcome_bars",
    "pair_scatter",
    "survival_curve",
    "trend_line",
]
