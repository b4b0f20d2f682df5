"""Models: risk adjustment, interrupted time series, weights for people who could not be reached."""

from __future__ import annotations

from analytics.statistics.nonresponse import FollowupWeights, followup_weights
from analytics.statistics.risk_adjustment import RiskAdjusted, risk_adjusted
from analytics.statistics.time_series import Segmented, interrupted_time_series

__all__ = [
    "FollowupWeights",
    "RiskAdjusted",
    "Segmented",
    "followup_weights",
    "interrupted_time_series",
    "risk_adjusted",
]
