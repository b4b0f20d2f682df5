"""The wall between what was computed and what is shown.

An `Estimate` cannot be drawn. `internal_view` turns a result into `Disclosed`, the only type that reports and
pages accept; nothing outside this package can make one.
"""

from analytics.disclosure.disclosed import (
    Disclosed,
    PairCounts,
    Provenance,
    Tier,
    disclosed_only,
    require_disclosed,
)
from analytics.disclosure.internal import internal_view
from analytics.measures.small_groups import SMALL_GROUP

__all__ = [
    "SMALL_GROUP",
    "Disclosed",
    "PairCounts",
    "Provenance",
    "Tier",
    "disclosed_only",
    "internal_view",
    "require_disclosed",
]
