"""Counts of one group, and what they say: the ladder, how many are known, and why there is no number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from analytics.instruments import find_instrument
from analytics.measures.ladder_sql import Step
from analytics.measures.results import Ladder, LadderStep
from analytics.measures.subjects import subject_of
from analytics.measures.types import Counted, Estimator, Measure, Unit

PLURAL: Final[dict[Counted, str]] = {
    "episode": "episodes",
    "person": "people",
    "course": "courses",
    "request": "requests",
    "invitation": "invitations",
}

NOT_COLLECTED: Final = {
    "attendance": "attendance of sessions",
    "score": "questionnaire scores",
    "substance_use": "drug tests and reports of use",
    "followup": "follow-up interviews",
    "acute_event": "hospital, residential and detox stays",
    "capture": "when readmissions could be seen",
    "referral": "referrals",
    "satisfaction": "satisfaction answers",
    "finance": "costs and places of programs",
}
NO_STEPS: Final[Mapping[str, Tally]] = {}


@dataclass(frozen=True)
class Tally:
    """How many rows of one group came how far: 0 to k-1 failed that step; k, k+1, k+2 not known, no, yes."""

    steps: tuple[Step, ...]
    counts: dict[int, int]

    def of(self, code: int) -> int:
        """Return the rows with one code."""
        return self.counts.get(code, 0)

    def answer(self, number: int) -> int:
        """Return the rows past the last step with the nth outcome: 0 not known, 1 no, 2 yes."""
        return self.of(len(self.steps) + number)

    @property
    def total(self) -> int:
        """Everybody in the group."""
        return sum(self.counts.values())

    @property
    def eligible(self) -> int:
        """Rows that passed every step, with a known outcome or without."""
        return sum(count for code, count in self.counts.items() if code >= len(self.steps))

    @property
    def unknown(self) -> int:
        """Eligible rows whose outcome is not known."""
        return self.answer(0)

    @property
    def yes(self) -> int:
        """Eligible rows with the outcome."""
        return self.answer(2)

    @property
    def known(self) -> int:
        """Eligible rows whose outcome is known."""
        return self.eligible - self.unknown

    @property
    def too_recent(self) -> int:
        """Rows lost only because their time has not come."""
        return sum(self.of(number) for number, step in enumerate(self.steps) if step.too_recent)


@dataclass(frozen=True)
class Paired:
    """Rows of one group past the last step by their two answers (before, after), both known."""

    cells: dict[tuple[bool, ...], int]

    def of(self, before: bool, after: bool) -> int:
        """Return the rows with these answers."""
        return self.cells.get((before, after), 0)


def answer_code(outcome: bool | None) -> int:
    """Return what an outcome adds to the step code: 0 not known, 1 no, 2 yes."""
    return 0 if outcome is None else 2 if outcome else 1


def ladder_of(
    tally: Tally, measure: Measure, unit: Unit, is_collected: bool = True, by_step: Mapping[str, Tally] = NO_STEPS
) -> Ladder:
    """Return the rungs from everybody to the numerator; what each rung loses is named.

    A proportion ends with those who had the outcome, a ratio with those who had anything to count, the others
    with those whose outcome is known. What was not collected has no rungs beyond the steps: nothing is known.
    `by_step` are the counts of `known_first` and of the printed steps, by their words; a printed step of which nothing
    is known is left out.
    """
    remaining = tally.total
    everybody = subject_of(measure).everybody
    rungs = [LadderStep(everybody.get(unit, everybody["episode"]), remaining)]
    for number, step in enumerate(tally.steps):
        lost = tally.of(number)
        remaining -= lost
        rungs.append(LadderStep(step.label, remaining, lost, step.lost_label))
    if not is_collected:
        return Ladder(tuple(rungs))
    unknown = tally.unknown
    if measure.known_first is not None and (first := by_step.get(measure.known_first[0])) is not None:
        label, _, lost_label = measure.known_first
        rungs.append(LadderStep(label, first.yes, first.eligible - first.yes, lost_label))
        unknown -= first.eligible - first.yes
    rungs.append(LadderStep(measure.known_words, tally.known, unknown, measure.unknown_words))
    if measure.estimator in (Estimator.PROPORTION, Estimator.COST):
        rungs.append(LadderStep(measure.did, tally.yes, tally.answer(1), "known not to be so"))
    elif measure.estimator in (Estimator.RATIO, Estimator.RATE, Estimator.CAPACITY):
        unit_word = measure.ratio_unit
        rungs.append(LadderStep(f"with a {unit_word} to count", tally.yes, tally.answer(1), f"no {unit_word}"))
    printed = (
        LadderStep(words, by_step[words].yes, by_step[words].answer(1), others)
        for words, (_, others) in measure.printed.items()
        if words in by_step and by_step[words].known
    )
    return Ladder(tuple(rungs), tuple(printed))


def why_not_collected(measure: Measure, collected: dict[str, bool]) -> str | None:
    """Return the sentence for what a measure needs and the snapshot never held; None when all is there."""
    absent = [NOT_COLLECTED[name] for name in measure.needs if not collected[name]]
    return f"Not collected: {' and '.join(absent)}." if absent else None


def why_nothing(tally: Tally, measure: Measure, unit: Counted) -> str | None:
    """Return the sentence that stands in place of a number; None when there is somebody to count."""
    if tally.total == 0:
        if measure.instrument is not None:
            found = find_instrument(measure.instrument)
            name = found.name if found else measure.instrument
            return f"Nobody matches these filters in a program that uses {name}."
        return "Nobody matches these filters."
    if tally.eligible == 0:
        if tally.too_recent:
            return f"Not known yet: {tally.too_recent} of {tally.total} too recent."
        losses = [
            f"{tally.of(number)} {step.lost_label}" for number, step in enumerate(tally.steps) if tally.of(number)
        ]
        return f"Nobody to count of {tally.total}: {', '.join(losses)}."
    if tally.known == 0 and measure.missing == "shown":
        return f"Not known for any of {tally.eligible}: {measure.unknown_words}."
    if measure.estimator in (Estimator.RATIO, Estimator.RATE) and tally.yes == 0:
        return f"Nothing to count: no {measure.ratio_unit} in {tally.eligible} {PLURAL[unit]}."
    return None
