"""Change of scores: of each person (reliable change, clinical significance) and of groups (means, paths)."""

from __future__ import annotations

from analytics.statistics.clinical_significance import ClinicalSignificance, Cutoffs, cutoffs, jacobson_truax
from analytics.statistics.group_difference import GroupDifference, adjusted_difference, mean_difference
from analytics.statistics.mean_change import MeanChange, mean_change, mean_change_from_sums
from analytics.statistics.mixed_model import MixedSlope, mixed_slope
from analytics.statistics.reliable_change import ReliableChange, reliable_change

__all__ = [
    "ClinicalSignificance",
    "Cutoffs",
    "GroupDifference",
    "MeanChange",
    "MixedSlope",
    "ReliableChange",
    "adjusted_difference",
    "cutoffs",
    "jacobson_truax",
    "mean_change",
    "mean_change_from_sums",
    "mean_difference",
    "mixed_slope",
    "reliable_change",
]
