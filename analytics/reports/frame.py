"""What stands around every result: the line under the title, who is counted, and the foot."""

from __future__ import annotations

from typing import Final

from analytics.disclosure import Disclosed, PairCounts, Provenance, disclosed_only
from analytics.measures.results import Ladder, StratifiedResult
from analytics.measures.surveyor import those_known
from analytics.measures.types import ALL, Estimator
from analytics.reports.numbers import count
from analytics.texts import words

LINES: Final = 4  # more groups than these are drawn as rows, never as a fifth line


@disclosed_only
def subtitle(disclosed: Disclosed[StratifiedResult], marks: str | None = None) -> str:
    """Return the line under the title: measure, of whom, who is looked at, what the marks are.

    Parameters
    ----------
    disclosed
        The result.
    marks
        What the marks of this figure are; None = what `dot_rows` or the curve of this estimator draws.
    """
    result = disclosed.content
    measure = result.measure
    parts = [measure.title, whom_words(result)]
    if measure.better == "lower":
        parts.append("lower is better")
    parts += [disclosed.cohort_words, _marks(result) if marks is None else marks]
    return " · ".join(part for part in parts if part)


def whom_words(result: StratifiedResult) -> str:
    """Return of whom a result is: "of people who left", and where the unknown are left out "…, measured twice"."""
    measure, everyone = result.measure, result.estimates[ALL]
    left_out = measure.estimator is Estimator.PROPORTION and everyone.missing == "shown" and everyone.unknown
    return f"{measure.of_whom}{those_known(measure) if left_out else ''}"


def _marks(result: StratifiedResult) -> str:
    if result.measure.estimator is Estimator.SURVIVAL:
        if len(result.estimates) > LINES + 1:
            return f"share still in on day {result.measure.read_at[0]}, dot and 95% interval"
        return "line with 95% interval"
    if result.measure.estimator is Estimator.INCIDENCE and result.by is None:
        return "areas add to 100%"
    if result.by is None:
        return "95% interval"
    everyone = result.estimates[ALL]
    share = f"share that {result.measure.did} {by_when(result)}" if result.measure.way else ""
    line = f"dashed line: all {count(everyone.denominator)}" if everyone.has_value else ""
    return " · ".join(part for part in (share, "dot and 95% interval", line) if part)


def by_when(result: StratifiedResult) -> str:
    """Return until when those who left in a measure's way are counted: "by day 84", or the end of each group's plan."""
    days = {estimate.details["day"] for estimate in result.estimates.values() if "day" in estimate.details}
    return f"by day {next(iter(days)):.0f}" if len(days) == 1 else "by the end of the plan"


@disclosed_only
def who_is_counted(disclosed: Disclosed[StratifiedResult], group: str = ALL) -> str:
    """Return the ladder in one line, then who fell out: "412 admitted → 398 left the program → …".

    A withheld group has no ladder and gives "".
    """
    result = disclosed.content
    ladder = result.ladder if group == ALL else result.ladders.get(group, Ladder(()))
    if not ladder.steps:
        return ""
    # A condition that everybody meets is no step worth reading, except the first and the last.
    told = [step for number, step in enumerate(ladder.steps) if step.lost or number in (0, len(ladder.steps) - 1)]
    chain = " → ".join(f"{count(step.count)} {step.label}" for step in told)
    # The last loss of a proportion is its known "no": those people are counted.
    counted = 1 if result.measure.estimator is Estimator.PROPORTION else 0
    # Where not known counts as no, those lost on the rungs of what is known are counted too, and named for what they
    # are.
    end = len(ladder.steps) - counted
    known = 1 if result.measure.known_first is None else 2
    start = max(0, end - known) if counted and result.measure.missing == "failure" else end
    losses, as_no = ([step for step in part if step.lost] for part in (ladder.steps[:start], ladder.steps[start:end]))
    sentences = [f"{chain}."]
    if losses:
        sentences.append(f"Not counted: {', '.join(f'{count(step.lost)} {step.lost_label}' for step in losses)}.")
    if as_no:
        sentences.append(f"Counted as no: {', '.join(f'{count(step.lost)} {step.lost_label}' for step in as_no)}.")
    return " ".join(sentences)


def privacy_words(provenance: Provenance) -> str:
    """Return how the data were de-identified, or what is missing to say so; printed with everything that is shown."""
    if provenance.paper_gap:
        return words("paper_gap", provenance.paper_gap)
    return words("privacy_mode", provenance.privacy_mode)


@disclosed_only
def foot(disclosed: Disclosed[StratifiedResult | PairCounts]) -> str:
    """Return the last line of a result: data to, snapshot, tier, made-up data, warnings of the import."""
    provenance = disclosed.provenance
    parts = [
        f"Data to {provenance.data_as_of}",
        f"snapshot {provenance.snapshot_id}",
        words("tier", provenance.tier),
    ]
    parts.append(privacy_words(provenance))
    return " · ".join(parts)
