"""The internal view: exact numbers for signed-in staff, with small groups marked or withheld."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TypeVar, overload

from analytics.disclosure.disclosed import KEY, Disclosed, PairCounts, Provenance
from analytics.errors import DisclosureProblem
from analytics.measures.results import Estimate, Ladder, StratifiedResult
from analytics.measures.small_groups import SMALL_GROUP, smaller_than
from analytics.measures.types import ALL

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
    hidden = smaller_than(result, internal_minimum)
    return Disclosed(
        _without(result, hidden, internal_minimum),
        provenance,
        cohort_words,
        smaller_than(result, minimum),
        hidden,
        internal_minimum,
        key=KEY,
    )


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
        tests=(),  # they were made from the hidden groups, too
        differences=tuple(gap for gap in result.differences if hidden.isdisjoint({gap.first, gap.second})),
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
