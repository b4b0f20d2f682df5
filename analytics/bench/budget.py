"""What a benchmark row is: a figure of ours, its peer, and the gate it must pass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# The budgets were set for this many episodes. With fewer, fixed costs of a few milliseconds decide a ratio, and a
# figure in seconds says nothing: such rows are printed, not judged.
BUDGET_SIZE: Final = 1_000_000


class Verdict(StrEnum):
    """What became of a gate."""

    MET = "met"
    MISSED = "missed"
    NOT_JUDGED = "not judged"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Gate:
    """The limit that must hold, and the target we would like.

    Attributes
    ----------
    limit, target : of the ratio where the row has a peer, else of our figure in the row's unit.
    at_least : True when more is better: rows a second, or how many times faster than the peer.
    from_episodes, until_episodes : the gate holds from this number of episodes up to that one; None = and above.
    """

    limit: float
    target: float | None = None
    at_least: bool = False
    from_episodes: int = BUDGET_SIZE
    until_episodes: int | None = None

    def judges(self, episodes: int) -> bool:
        """Return whether the gate holds at this size."""
        return self.from_episodes <= episodes <= (self.until_episodes or episodes)


@dataclass(frozen=True)
class Row:
    """One line of the benchmark.

    Attributes
    ----------
    work : what was done. `peer` : what it is compared with, "" when the gate is an absolute one.
    unit : of both figures ("ms", "GB", "rows/s" ...).
    ours, against : our figure and the peer's; None where it was not measured.
    runs : of how many runs after a warm-up the figures are the median; 1 = once, without a warm-up.
    reason : why there is no figure, in words.
    disagreement : how the peer's answer differs from ours, in words; a fast wrong answer misses its gate.
    note : what the figure is about, in words.
    """

    work: str
    unit: str
    gate: Gate
    ours: float | None = None
    peer: str = ""
    against: float | None = None
    runs: int = 1
    reason: str = ""
    disagreement: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return how many times faster than the peer (gate "at least") or slower (gate "at most")."""
        if self.ours is None or self.against is None:
            return None
        return self.against / self.ours if self.gate.at_least else self.ours / self.against

    def verdict(self, episodes: int) -> Verdict:
        """Return whether the gate is met when this many episodes were asked for."""
        figure = self.ratio if self.peer else self.ours
        if figure is None:
            return Verdict.NOT_MEASURED
        if self.disagreement:
            return Verdict.MISSED
        if not self.gate.judges(episodes):
            return Verdict.NOT_JUDGED
        within = figure >= self.gate.limit if self.gate.at_least else figure <= self.gate.limit
        return Verdict.MET if within else Verdict.MISSED


def memory_row(work: str, gate: Gate, peak: int | None, runs: int = 1) -> Row:
    """Return the row of a peak memory in bytes; None = the system does not tell it."""
    if peak is None:
        return Row(work, "GB", gate, reason="this system does not tell the memory of a process")
    return Row(work, "GB", gate, peak / 1e9, runs=runs)
