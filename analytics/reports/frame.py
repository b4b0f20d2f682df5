"""What stands around every result: the line under the title, who is counted, and the foot."""

from __future__ import annotations

from analytics.disclosure import Disclosed, PairCounts, disclosed_only
from analytics.measures.types import ALL, Estimator, Ladder, StratifiedResult
from analytics.reports.numbers import count
from analytics.texts import words


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
    parts = [measure.title, measure.of_whom]
    if measure.better == "lower":
        parts.append("lower is better")
    parts += [disclosed.cohort_words, _marks(result) if marks is None else marks]
    return " · ".join(part for part in parts if part)


def _marks(result: StratifiedResult) -> str:
    if result.measure.estimator is Estimator.SURVIVAL:
        return "line with 95% interval"
    if result.measure.estimator is Estimator.INCIDENCE and result.by is None:
        return "areas add to 100%"
    if result.by is None:
        return "95% interval"
    everyone = result.estimates[ALL]
    line = f"dashed line: all {count(everyone.denominator)}" if everyone.has_value else ""
    return " · ".join(part for part in ("dot and 95% interval", line) if part)


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
    ends_with_outcome = result.measure.estimator is Estimator.PROPORTION
    losses = [step for step in (ladder.steps[:-1] if ends_with_outcome else ladder.steps) if step.lost]
    if not losses:
        return f"{chain}."
    return f"{chain}. Not counted: {', '.join(f'{count(step.lost)} {step.lost_label}' for step in losses)}."


@disclosed_only
def foot(disclosed: Disclosed[StratifiedResult | PairCounts]) -> str:
    """Return the last line of a result: data to, snapshot, tier, made-up data, warnings of the import."""
    provenance = disclosed.provenance
    parts = [
        f"Data to {provenance.data_as_of}",
        f"snapshot {provenance.snapshot_id}",
        words("tier", provenance.tier),
    ]
    if provenance.synthetic:
        parts.append("made-up data")
    if provenance.import_warning:
        parts.append(words("import_warning", provenance.import_warning))
    return " · ".join(parts)
