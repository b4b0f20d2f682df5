"""What may be shown: a result with where it comes from, made by this package only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import InitVar, dataclass
from typing import Concatenate, Final, Generic, Literal, ParamSpec, Protocol, TypeVar

from analytics.errors import DisclosureProblem
from analytics.measures.results import StratifiedResult

Tier = Literal["internal", "release"]


class PairCounts(Protocol):
    """First and last totals of one instrument, counted: what the scatter of two scores is drawn from.

    Attributes
    ----------
    pairs : (first total, last total, how many people have this pair), one entry per distinct pair.
    unmeasured : (first total, how many people have it and no last total).
    instrument : id of the instrument ("phq9").
    """

    @property
    def pairs(self) -> tuple[tuple[float, float, int], ...]: ...  # noqa: D102

    @property
    def unmeasured(self) -> tuple[tuple[float, int], ...]: ...  # noqa: D102

    @property
    def instrument(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Provenance:
    """Where a number comes from; it is printed with every number.

    Attributes
    ----------
    snapshot_id : the immutable file the number was computed from.
    data_as_of : last complete day in words, at the grain of the privacy mode ("31 December 2025", "2025").
    privacy_mode : "limited", "expert", "safe_harbor" or "synthetic".
    synthetic : True for made-up data; said on everything that is shown.
    tier : "internal" = exact, for signed-in staff; "release" = audited and rounded.
    banner : one line above a page ("local session, no sign-in"); empty = none.
    episodes, persons : of the whole snapshot.
    paper_gap : what is missing of the paper that the privacy mode needs (`analytics.store.facts`); "" = nothing.
    """

    snapshot_id: str
    data_as_of: str
    privacy_mode: str
    synthetic: bool
    tier: Tier
    banner: str
    episodes: int
    persons: int
    paper_gap: str = ""


# `T_co` is either a `StratifiedResult` or a `PairCounts`; mypy then refuses an Estimate or a DataFrame.
T_co = TypeVar("T_co", bound=StratifiedResult | PairCounts, covariant=True)


class _Key:
    """Held by this package; whoever has it may make a `Disclosed`."""


KEY: Final = _Key()


@dataclass(frozen=True)
class Disclosed(Generic[T_co]):
    """A result that may be shown in its tier. Only `analytics.disclosure` can make one.

    Attributes
    ----------
    content : the result, with the values of `withheld` groups taken out.
    provenance : where it comes from.
    cohort_words : who is looked at, for the line under the title.
    small : groups of fewer than 11 people; their numbers carry a mark: do not compare, do not share.
    withheld : groups whose numbers were taken out because `internal_minimum` says so.
    internal_minimum : fewest people whose numbers are shown at all; 0 = everything is shown.
    """

    content: T_co
    provenance: Provenance
    cohort_words: str
    small: frozenset[str]
    withheld: frozenset[str] = frozenset()
    internal_minimum: int = 0
    key: InitVar[_Key | None] = None

    def __post_init__(self, key: _Key | None) -> None:
        if key is not KEY:
            raise DisclosureProblem(
                "Only analytics.disclosure can say that a number may be shown. "
                "Pass the result through internal_view() instead of making a Disclosed by hand."
            )


def require_disclosed(candidate: object) -> None:
    """Raise TypeError, in words, unless this went through the disclosure wall."""
    if not isinstance(candidate, Disclosed):
        raise TypeError(
            f"Only disclosed results are shown, and this is a {type(candidate).__name__}. "
            "Pass it through analytics.disclosure.internal_view() first."
        )


P = ParamSpec("P")
R = TypeVar("R")
D = TypeVar("D", bound=Disclosed[StratifiedResult | PairCounts])


def disclosed_only(function: Callable[Concatenate[D, P], R]) -> Callable[Concatenate[D, P], R]:
    """Check at run time what mypy checks before: the first argument, and each that is a result, is disclosed.

    Tables of people (anything with a `columns` attribute) and bare results are refused in every position.
    """

    @functools.wraps(function)
    def checked(disclosed: D, /, *args: P.args, **kwargs: P.kwargs) -> R:
        require_disclosed(disclosed)
        for argument in (*args, *kwargs.values()):
            if isinstance(argument, StratifiedResult) or hasattr(argument, "columns"):
                require_disclosed(argument)
        return function(disclosed, *args, **kwargs)

    return checked
