"""How many are known: the share of those eligible whose outcome is known, and what that is called."""

from __future__ import annotations

import math

from analytics.measures.results import Ladder, StratifiedResult
from analytics.measures.types import ALL, Estimator

KNOWN_GOOD, KNOWN_FAIR = 0.90, 0.75


def known_share(result: StratifiedResult, group: str = ALL) -> float:
    """Return known / (known + unknown) of one group, both in episodes; NaN when nobody is eligible.

    The estimate of a ratio counts sessions beside unknown episodes, so a ratio's share comes from its ladder,
    whose rung before the last counts the known and names the unknown it lost.
    """
    if result.measure.estimator is not Estimator.RATIO:
        return result.estimates[group].known_share
    ladder = result.ladder if group == ALL else result.ladders.get(group, Ladder(()))
    if len(ladder.steps) < 2:
        return math.nan
    known = ladder.steps[-2]
    return known.count / (known.count + known.lost) if known.count + known.lost else math.nan


def known_words(share: float) -> str:
    """Return what a share known is called: good from 90%, fair from 75%, thin below; "" when NaN."""
    if math.isnan(share):
        return ""
    return "good" if share >= KNOWN_GOOD else "fair" if share >= KNOWN_FAIR else "thin"
