"""A comparison of groups as plain text for the command line: sentences to read aloud, and two small tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from analytics.measures.as_text import aligned, ladder_lines, number_text, share_sentence, snapshot_words
from analytics.measures.between_groups import ComparedGroup, GroupComparison
from analytics.measures.cards import BETTER
from analytics.measures.small_groups import SMALL_MARK, SMALL_WORDS
from analytics.measures.subjects import counted_as
from analytics.measures.tally import PLURAL
from analytics.measures.types import NOT_KNOWN, Measure
from analytics.statistics.funnel import MINIMUM_UNITS
from analytics.texts import heading, label, split_words

NOT_BLAME: Final = "This flags groups to look at, not to blame."
NOT_ASSIGNED: Final = "People were not assigned by chance: what nobody recorded stays in every difference."
# Above this, fewer than one in twenty tables of equal groups has such a p value.
_RARE: Final = 0.05
_WORDS: Final = {"person_sequence": "whether they came before"}


def comparison_as_text(comparison: GroupComparison, data_as_of: str = "") -> str:
    """Return a comparison as text: who stands out, as counted, as if the people were the same, and its limits."""
    measure, everybody = comparison.measure, comparison.everybody
    parts = [f"{measure.title} ({measure.name}) {split_words(comparison.by.value)}", measure.question, ""]
    if comparison.reason is not None:
        parts.append(comparison.reason)
    else:
        rows = PLURAL[counted_as(measure, comparison.cohort.unit)]
        parts.append(f"Everyone: {share_sentence(measure, everybody, rows)}. {_better(measure)}")
        parts += [*_standing_out(comparison), NOT_BLAME, "", "As counted", *_counted(comparison), ""]
        parts += [f"As if they had the same people{_of_model(comparison)}", *_adjusted(comparison)]
        if any(group.small for group in comparison.groups):
            parts.append(SMALL_WORDS)
        parts += ["", *_cautions(comparison)]
    parts += ["", "Who is counted", *ladder_lines(comparison.ladder)]
    parts += ["", f"Source: {measure.source}. Definition reviewed {measure.reviewed.isoformat()}."]
    parts.append(f"{snapshot_words(comparison.snapshot_id, comparison.cohort, data_as_of)}.")
    return "\n".join(parts)


def _better(measure: Measure) -> str:
    words = BETTER[measure.better]
    return f"{words[:1].upper()}{words[1:]}."


def _standing_out(comparison: GroupComparison) -> Iterator[str]:
    measure, by = comparison.measure, comparison.by.value
    if comparison.funnel_reason is not None:
        placed = sum(not group.small and group.group != NOT_KNOWN for group in comparison.groups)
        yield f"No funnel: it needs at least {MINIMUM_UNITS} groups of 11 people or more, and there are {placed}."
    else:
        outside = [group for group in comparison.groups if group.position not in (None, "within")]
        for group in outside:
            usual = f"{number_text(measure, group.usual_low)} to {number_text(measure, group.usual_high)}"
            share = group.adjusted if not math.isnan(group.adjusted) else group.estimate.value
            yield (
                f"{label(by, group.group)} lies {group.position} the usual range of a group of its size: "
                f"{number_text(measure, share)}, usual {usual}."
            )
        if not outside:
            yield "Every group lies within the usual range of a group of its size."
        else:
            yield "About one group in twenty lies outside by chance alone; 'far' is beyond what one in 500 does."
    if comparison.correction is None:
        return
    clear = [label(by, group.group) for group in comparison.groups if group.adjusted_p < _RARE]
    how = "Holm" if comparison.correction == "holm" else "Benjamini and Hochberg"
    apart = f"Set apart from everyone by p under 0.05, adjusted for the number of groups ({how})"
    yield f"{apart}: {', '.join(clear) or 'no group'}."


def _counted(comparison: GroupComparison) -> list[str]:
    measure = comparison.measure
    rows = [
        [
            label(comparison.by.value, group.group),
            number_text(measure, group.estimate.value) if group.estimate.has_value else str(group.estimate.reason),
            f"{group.estimate.numerator:,} of {group.estimate.denominator:,}",
            _range(measure, group.estimate.ci_low, group.estimate.ci_high),
            f"{group.estimate.unknown:,}",
            f"{group.estimate.too_recent:,}",
            SMALL_MARK if group.small else "",
        ]
        for group in comparison.groups
    ]
    return aligned(["group", "value", "of", "95% interval", "not known", "too recent", ""], rows)


def _adjusted(comparison: GroupComparison) -> list[str]:
    heads = [
        "group",
        "expected",
        "ratio",
        "95% interval",
        "adjusted",
        "95% interval",
        "same severity",
        "usual range",
        "p",
    ]
    rows = [_adjusted_row(comparison, group) for group in comparison.groups]
    # Without a funnel, a test or a mix their columns would be empty.
    kept = [place for place in range(len(rows[0])) if any(row[place] for row in rows)]
    return aligned([[*heads, ""][place] for place in kept], [[row[place] for place in kept] for row in rows])


def _adjusted_row(comparison: GroupComparison, group: ComparedGroup) -> list[str]:
    measure, has_ratio = comparison.measure, not math.isnan(group.ratio)
    marks = [
        group.position if group.position not in (None, "within") else "",
        SMALL_MARK if group.small else "",
    ]
    return [
        label(comparison.by.value, group.group),
        f"{group.expected:,.1f}" if has_ratio else "-",
        f"{group.ratio:.2f}" if has_ratio else "-",
        f"{group.ratio_low:.2f} to {group.ratio_high:.2f}" if has_ratio else "",
        number_text(measure, group.adjusted) if has_ratio else "-",
        _range(measure, group.adjusted_low, group.adjusted_high),
        number_text(measure, group.same_mix) if not math.isnan(group.same_mix) else "-" if _has_mix(comparison) else "",
        _range(measure, group.usual_low, group.usual_high),
        "" if math.isnan(group.adjusted_p) else "<0.001" if group.adjusted_p < 0.001 else f"{group.adjusted_p:.3f}",
        ", ".join(mark for mark in marks if mark),
    ]


def _has_mix(comparison: GroupComparison) -> bool:
    return any(not math.isnan(group.same_mix) for group in comparison.groups)


def _range(measure: Measure, low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{number_text(measure, low)} to {number_text(measure, high)}"


def _of_model(comparison: GroupComparison) -> str:
    return "" if comparison.model_reason is None else f": no model, {comparison.model_reason}"


def _cautions(comparison: GroupComparison) -> Iterator[str]:
    if comparison.adjusted_for:
        yield f"Adjusted for what was known at admission: {', '.join(map(_covariate, comparison.adjusted_for))}."
    elif comparison.model_reason is None:
        yield "Not adjusted for anything: nothing known at admission could enter the model."
    if comparison.not_adjusted_for:
        reasons = dict.fromkeys(why for _, why in comparison.not_adjusted_for)
        said = (
            f"{', '.join(_covariate(name) for name, each in comparison.not_adjusted_for if each == why)} ({why})"
            for why in reasons
        )
        yield f"Not adjusted for: {'; '.join(said)}."
    if not math.isnan(comparison.c_statistic):
        gap = max(comparison.calibration, key=lambda pair: abs(pair[0] - pair[1]), default=(0.0, 0.0))
        yield (
            f"The model ranks a person with the outcome above one without in {100 * comparison.c_statistic:.0f} of 100 "
            f"pairs (c-statistic {comparison.c_statistic:.2f}; 0.50 is chance). In ten groups of rising expectation, "
            f"observed and expected are furthest apart at {gap[0]:,.0f} and {gap[1]:,.0f}."
        )
    if comparison.widened:
        wider = f"{math.sqrt(comparison.phi):.1f} times as wide"
        yield f"On the whole groups differ by more than chance, so the usual range is {wider}."
    if _has_mix(comparison) and any(group.same_mix_reason for group in comparison.groups):
        yield "Same severity: the rate with everybody's mix at the start; - where a group has nobody of some severity."
    everybody = comparison.everybody
    if everybody.missing == "shown" and everybody.unknown:
        yield f"Not in the comparison: {everybody.unknown:,} whose outcome is not known; groups may differ in how many."
    if everybody.persons and everybody.denominator > 1.05 * everybody.persons:
        yield (
            f"{everybody.denominator:,} {everybody.unit}s of {everybody.persons:,} people: the intervals take each for "
            "another person; --unit person counts each once."
        )
    yield NOT_ASSIGNED


def _covariate(name: str) -> str:
    words = _WORDS.get(name) or heading(name)
    return words[:1].lower() + words[1:]
