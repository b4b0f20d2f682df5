"""A proof: our numbers beside those of R, of a paper or of a published statistic, for one reference case.

`tests.reference.proofs_*` declare them, `test_proofs.py` runs each as a test, and `validation.py` makes the page
`docs/validation.md` and the report at the end of the tests of the same declarations.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf, isnan
from numbers import Real
from pathlib import Path
from typing import Any

# What is compared, by name: our value and theirs; a number, a word, or equally long sequences of them.
Pair = tuple[str, Any, Any]
Compare = Callable[[Path], Iterator[Pair]]


@dataclass(frozen=True)
class Proof:
    """One case and method. The first pair that `compare` yields is the one number that is shown.

    `tolerance` holds for every number: absolute, or in parts of theirs where `relative`. `note` says where our
    convention differs, and why.
    """

    case: str
    method: str
    tolerance: float
    compare: Compare
    note: str = ""
    relative: bool = False

    @property
    def name(self) -> str:
        return f"{self.case}: {self.method}"


@dataclass(frozen=True)
class Proven:
    """What a proof found: the number that is shown, how many were compared, the largest difference and where."""

    proof: Proof
    shown: str
    ours: float
    theirs: float
    numbers: int
    difference: float
    where: str

    @property
    def holds(self) -> bool:
        return self.difference <= self.proof.tolerance


PROOFS: list[Proof] = []
FOUND: dict[str, Proven] = {}  # of this session, by name


def proof(
    case: str, method: str, tolerance: float = 1e-9, *, note: str = "", relative: bool = False
) -> Callable[[Compare], Compare]:
    """Declare the decorated function, which yields pairs, as a proof."""

    def declare(compare: Compare) -> Compare:
        PROOFS.append(Proof(case, method, tolerance, compare, note, relative))
        return compare

    return declare


def run(shared: Path, of: Proof) -> Proven:
    """Compare, and keep what was found for the report; a second call costs nothing."""
    found = _run(shared, of)
    FOUND[of.name] = found
    return found


def handed_over() -> list[tuple[str, str, float, float, int, float, str]]:
    """Return what was found here as plain values, for the process that started this one."""
    return [
        (name, each.shown, each.ours, each.theirs, each.numbers, each.difference, each.where)
        for name, each in FOUND.items()
    ]


def take_over(rows: Iterable[Sequence[Any]]) -> None:
    """Add what another process found."""
    by_name = {each.name: each for each in PROOFS}
    FOUND.update({name: Proven(by_name[name], *values) for name, *values in rows})


@cache
def _run(shared: Path, of: Proof) -> Proven:
    shown: tuple[str, float, float] | None = None
    numbers, largest, where = 0, 0.0, ""
    for name, ours, theirs in of.compare(shared):
        for mine, other in zip(_flat(ours), _flat(theirs), strict=True):
            if shown is None:
                shown = (name, float(mine), float(other))
            difference = _difference(mine, other, of.relative)
            numbers += 1
            if difference > largest:
                largest, where = difference, f"{name}: {mine} and {other}"
    assert shown is not None, f"{of.name} compares nothing"
    return Proven(of, *shown, numbers, largest, where)


def _flat(value: Any) -> list[Any]:
    if hasattr(value, "tolist"):
        value = value.tolist()
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _difference(ours: Any, theirs: Any, relative: bool) -> float:
    """Return how far apart two values are; null of an oracle (NA, NaN or infinite in R) has to be NaN here."""
    if isinstance(theirs, Real) and isinstance(ours, Real) and not isnan(theirs):
        distance = abs(float(ours) - float(theirs))
        return inf if isnan(distance) else distance / abs(float(theirs)) if relative and theirs else distance
    if theirs is None or (isinstance(theirs, float) and isnan(theirs)):
        return 0.0 if isinstance(ours, float) and isnan(ours) else inf
    return 0.0 if ours == theirs else inf
