"""All definitions as a document (docs/measures.md), and one of them as the comments above its SQL."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Final

from analytics.measures.cards import DefinitionCard, ThresholdFact, definition_card
from analytics.measures.catalog import CATALOG, FAMILY_OF
from analytics.measures.ladder_sql import MATURE_WORDS
from analytics.measures.subjects import everybody_words, period_steps
from analytics.measures.types import Estimator, Measure

# The instrument whose words stand for a symptom measure in the document.
SHOWN_WITH: Final = "phq9"
WIDTH: Final = 100


def measures_markdown(examples: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return docs/measures.md: every measure of the catalogue with its definition, family by family.

    `examples` are sentences by the name of a measure: its number, worked out on the demo.
    """
    parts = [
        "# Measures",
        "",
        "Generated from `analytics/measures`; do not edit. A number never travels without its denominator, "
        "its doubt, its date and its definition: these are the definitions.",
        "",
        "Outcomes count everybody who left the program, also those who came once. Not known is neither yes "
        "nor no: it is counted and shown. Split or limited by admission period, outcomes of a stay count "
        "only admissions that came long enough ago to have finished.",
        "",
        *_index(),
    ]
    for group, of_family in groupby(CATALOG, key=lambda measure: FAMILY_OF[measure.id]):
        parts += [f"## {group}", ""]
        for _, measures in groupby(of_family, key=lambda measure: measure.id):
            parts += _section(list(measures), examples)
    return "\n".join(parts)


def definition_comments(measure: Measure) -> str:
    """Return the definition as comments of SQL, so that a statement never travels without it."""
    card = definition_card(measure)
    lines = [f"{card.title} ({card.name}). {card.question}", card.surveyor]
    lines += [f"{name}: {text}" for name, text in card_lines(card)]
    return "\n".join(
        textwrap.fill(line, WIDTH, initial_indent="-- ", subsequent_indent="--   ", break_long_words=False)
        for line in lines
    )


def card_lines(card: DefinitionCard) -> list[tuple[str, str]]:
    """Return the lines of a card in the order in which they are read: what it is, and its text; none is empty."""
    lines = [
        ("Counted", "; ".join(card.counted)),
        ("Not counted", "; ".join(card.not_counted) or "nobody"),
        (card.success_head, card.success),
        ("Window", card.window),
        ("Not known", card.unknown),
        ("Given beside it", "; ".join((*card.also_missing, *card.variants))),
        ("Interval", card.interval),
        ("Direction", card.better),
        ("At least", card.minimum),
        ("Needs", ", ".join(card.needs)),
        ("Profile", card.profile or ""),
        ("Not as the standard", "; ".join(card.deviations)),
        ("Thresholds", "; ".join(map(threshold_words, card.thresholds))),
        ("To know", " ".join(card.notes)),
        ("For families", card.no_family),
        ("Limits", " ".join(card.limits)),
        ("Source", f"{card.source}. Reviewed {card.reviewed:%-d %B %Y}."),
    ]
    return [(name, text) for name, text in lines if text]


def threshold_words(fact: ThresholdFact) -> str:
    """Return a threshold with how well it is known and whence."""
    return f"{fact.words} {fact.value} ({fact.evidence}: {fact.source})"


def _index() -> Iterator[str]:
    for group, measures in groupby(CATALOG, key=lambda measure: FAMILY_OF[measure.id]):
        names = dict.fromkeys(measure.id for measure in measures)
        yield f"- {group}: {', '.join(f'[`{name}`](#{name})' for name in names)}"
    yield ""


def _section(measures: list[Measure], examples: Mapping[str, str]) -> Iterator[str]:
    shown = next((each for each in measures if each.instrument == SHOWN_WITH), measures[0])
    yield from _definition(shown, f"### `{shown.id}`", examples.get(shown.name))
    if shown.instrument is not None:
        yield from _instruments(measures)
        return
    for other in measures[1:]:
        yield from _definition(other, f"#### `{other.name}`", examples.get(other.name))


def _definition(shown: Measure, head: str, example: str | None) -> Iterator[str]:
    card = definition_card(shown)
    yield head
    yield ""
    yield f"**{card.title}.** {card.question}"
    yield ""
    yield f"*For families:* {card.family.format(per_100='N', value='N') if card.family else card.no_family}"
    yield ""
    yield f"*For surveyors:* {card.surveyor}"
    yield ""
    conditions = list(_conditions(shown))
    yield f"- Counted: {'' if conditions else everybody_words(shown)}".rstrip()
    yield from (f"  - {condition}" for condition in conditions)
    yield f"- {_yes(shown)}"
    yield f"- Not known: {card.unknown}"
    yield from (f"- Also given: {words}" for words in (*card.also_missing, *card.variants))
    yield f"- {card.interval}; {card.better}; at least {card.minimum}"
    if card.deviations:
        yield f"- Profile {card.profile}, a style of its standard and not the standard: {'; '.join(card.deviations)}"
    yield from (f"- {note}" for note in card.notes)
    yield f"- Limits: {' '.join(card.limits)}"
    if shown.instrument is None:
        yield from (f"- Threshold: {threshold_words(fact)}" for fact in card.thresholds)
    if example:
        yield f"- Worked example, `{card.name}` in the demo: {example}"
    yield f"- Source: {card.source}. Reviewed {card.reviewed.isoformat()}."
    yield ""


def _conditions(measure: Measure) -> Iterator[str]:
    periods = [label for label, _ in period_steps(measure)]
    if measure.mature and not periods:
        yield f"{MATURE_WORDS}, where admission periods split or limit the view: `{measure.mature}`"
    yield from periods
    yield from (f"{label}: `{text}`" for label, text in measure.eligible.items())
    if measure.horizon:
        yield f"{measure.horizon_words}: `{measure.horizon}`"


def _yes(measure: Measure) -> str:
    if measure.estimator is Estimator.PROPORTION:
        return f"Yes: {measure.did}: `{measure.success}`"
    if measure.estimator is Estimator.COST:
        return f"Cost to number of: {measure.did}: `{measure.success}`"
    if measure.estimator is Estimator.CAPACITY:
        return "Sessions attended to places offered"
    if measure.estimator is Estimator.RATIO:
        return f"Ratio: `{measure.numerator}` to `{measure.denominator}`"
    if measure.estimator is Estimator.MEAN_CHANGE:
        return f"Change from `{measure.first}` to `{measure.last}`, in points"
    if measure.estimator is Estimator.SLOPE:
        return f"Scores by week: `{measure.weekly[0]}` to `{measure.weekly[-1]}`; points per week along them"
    if measure.estimator is Estimator.RATE:
        return f"Events: `{measure.numerator}`; per {measure.per:,} {measure.ratio_unit}s: `{measure.denominator}`"
    if measure.estimator in (Estimator.MEDIAN, Estimator.MEAN):
        if measure.amount_unit == "share":
            return f"Share: `{measure.amount}`"
        return f"Number of {measure.amount_unit}s: `{measure.amount}`"
    return f"{measure.time_unit.capitalize()}s: `{measure.time}`; way of leaving: `{measure.cause}`"


def _instruments(measures: list[Measure]) -> Iterator[str]:
    rows = [(measure, " · ".join(map(threshold_words, definition_card(measure).thresholds))) for measure in measures]
    if not any(thresholds for _, thresholds in rows):
        names = dict.fromkeys(str(measure.instrument) for measure in measures)
        yield f"Instruments, without any threshold: {', '.join(names)}."
    else:
        yield "| instrument | profile | thresholds |"
        yield "|---|---|---|"
        yield from (f"| {measure.instrument} | {measure.profile} | {text} |" for measure, text in rows)
    yield ""
