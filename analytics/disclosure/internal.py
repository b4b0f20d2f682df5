"""The internal view: exact numbers for signed-in staff, with small groups marked or withheld."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Final, TypeVar, overload

from analytics.disclosure.disclosed import KEY, SMALL_GROUP, Disclosed, PairCounts, Provenance
from analytics.errors import DisclosureProblem
from analytics.measures.types import (
    ALL,
    Estimate,
    Estimator,
    Ladder,
    StratifiedResult,
)

# From here on evaluate() no longer counts persons: 200 episodes are never fewer than 11 people.
PERSONS_NOT_COUNTED_FROM: Final = 200

V = TypeVar("V")


@overload
def internal_view(
    result: StratifiedResult,
    provenance: Provenance,
    cohort_words: str,
    minimum: int = SMALL_GROUP,
    internal_minimum: int = 0,
) -> Disclosed[StratifiedResult]: ...


@overload
def internal_view(
    result: PairCounts,
    provenance: Provenance,
    cohort_words: str,
    minimum: int = SMALL_GROUP,
    internal_minimum: int = 0,
) -> Disclosed[PairCounts]: ...


def internal_view(
    result: StratifiedResult | PairCounts,
    provenance: Provenance,
    cohort_words: str,
    minimum: int = SMALL_GROUP,
    internal_minimum: int = 0,
) -> Disclosed[StratifiedResult] | Disclosed[PairCounts]:
    """Make a result showable to signed-in staff.

    Everything is exact. The internal tier is protected by sign-in, role and log, not by arithmetic: with free
    filters, a withheld group can be worked out from the others and their total.

    Parameters
    ----------
    result
        What `evaluate()` returned, or the pair counts of one instrument.
    provenance
        Its tier must be "internal".
    cohort_words
        Who is looked at, in words.
    minimum
        Groups of fewer people are marked as small (`Disclosed.small`).
    internal_minimum
        Groups of fewer people lose their numbers (`Disclosed.withheld`); 0 withholds nothing.

    Raises
    ------
    DisclosureProblem
        When the provenance is not internal, or there are fewer pairs than `internal_minimum`.
    """
    if provenance.tier != "internal":
        raise DisclosureProblem("The internal view shows exact numbers; a release is read from its own file.")
    if not isinstance(result, StratifiedResult):
        people = sum(count for *_, count in result.pairs) + sum(count for _, count in result.unmeasured)
        if people < internal_minimum:
            raise DisclosureProblem(
                f"Too few people to draw each one (at least {internal_minimum} needed). Choose a wider group."
            )
        small = frozenset({ALL}) if people < minimum else frozenset()
        return Disclosed(result, provenance, cohort_words, small, internal_minimum=internal_minimum, key=KEY)
    return Disclosed(
        _without(result, _smaller_than(result, internal_minimum), internal_minimum),
        provenance,
        cohort_words,
        _smaller_than(result, minimum),
        _smaller_than(result, internal_minimum),
        internal_minimum,
        key=KEY,
    )


def _smaller_than(result: StratifiedResult, minimum: int) -> frozenset[str]:
    return frozenset(group for group in result.estimates if _people_at_least(result, group) < minimum)


def _people_at_least(result: StratifiedResult, group: str) -> int:
    """Return how many people a group surely has: its persons, or what its counts say when nobody asked.

    Without a count of persons, 199 episodes or sessions may all be one person's, so only 200 count as many.
    """
    estimate = result.estimates[group]
    if estimate.persons is not None:
        return estimate.persons
    counted = estimate.denominator
    if result.measure.estimator is Estimator.RATIO:
        # Sessions are many per person; the ladder's last rung counts the episodes that have any.
        counted = min(counted, _episodes(result, group))
    if result.cohort.unit == "person" and result.measure.estimator is not Estimator.RATIO:
        return counted
    return counted if counted >= PERSONS_NOT_COUNTED_FROM else min(counted, 1)


def _episodes(result: StratifiedResult, group: str) -> int:
    ladder = result.ladder if group == ALL else result.ladders.get(group, Ladder(()))
    return ladder.steps[-1].count if ladder.steps else 0


def _without(result: StratifiedResult, hidden: frozenset[str], minimum: int) -> StratifiedResult:
    """Return the result with nothing left of the hidden groups but their names."""
    if not hidden:
        return result
    nobody = Ladder(())
    return dataclasses.replace(
        result,
        estimates={
            group: _withheld(estimate, minimum) if group in hidden else estimate
            for group, estimate in result.estimates.items()
        },
        variants={words: _kept(groups, hidden) for words, groups in result.variants.items()},
        ladder=nobody if ALL in hidden else result.ladder,
        ladders=_kept(result.ladders, hidden),
        curves=_kept(result.curves, hidden),
        test=None,  # it was made from the hidden groups, too
    )


def _kept(groups: Mapping[str, V], hidden: frozenset[str]) -> dict[str, V]:
    return {group: content for group, content in groups.items() if group not in hidden}


def _withheld(estimate: Estimate, minimum: int) -> Estimate:
    return Estimate(
        value=math.nan,
        ci_low=math.nan,
        ci_high=math.nan,
        numerator=0,
        denominator=0,
        persons=None,
        unknown=0,
        too_recent=0,
        lower_bound=math.nan,
        upper_bound=math.nan,
        method=estimate.method,
        unit=estimate.unit,
        reason=f"Too few people to say (at least {minimum} needed).",
    )
