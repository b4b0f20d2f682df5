"""Groups of so few people that a number could be about one of them."""

from __future__ import annotations

from typing import Final

from analytics.measures.results import Ladder, StratifiedResult
from analytics.measures.types import ALL, Estimator

SMALL_GROUP: Final = 11  # CMS cell size policy: results of 1 to 10 people do not leave the house
SMALL_MARK: Final = "small"
SMALL_WORDS: Final = (
    f"{SMALL_MARK}: fewer than {SMALL_GROUP} people, or not known to be more; do not compare, do not share."
)

# Nobody has more than a handful of episodes: from so many on a group cannot be fewer than 11 people, and they are not
# counted.
PERSONS_NOT_COUNTED_FROM: Final = 200


def smaller_than(result: StratifiedResult, minimum: int) -> frozenset[str]:
    """Return the groups of fewer people than `minimum`, those without anybody included."""
    return frozenset(group for group in result.estimates if _people_at_least(result, group) < minimum)


def _people_at_least(result: StratifiedResult, group: str) -> int:
    """Return how many people a group surely has: its persons, or what its counts say when nobody asked.

    Without a count of persons, 199 episodes or sessions may all be one person's, so only 200 count as many.
    """
    estimate = result.estimates[group]
    if estimate.persons is not None:
        return estimate.persons
    counted = estimate.denominator
    if result.measure.estimator in (Estimator.RATIO, Estimator.CAPACITY):
        # Sessions are many per person; the ladder's last rung counts the episodes that have any.
        counted = min(counted, _episodes(result, group))
    if result.cohort.unit == "person" and result.measure.estimator is not Estimator.RATIO:
        return counted
    return counted if counted >= PERSONS_NOT_COUNTED_FROM else min(counted, 1)


def _episodes(result: StratifiedResult, group: str) -> int:
    ladder = result.ladder if group == ALL else result.ladders.get(group, Ladder(()))
    return ladder.steps[-1].count if ladder.steps else 0
