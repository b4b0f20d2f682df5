"""The national definition of success in England: PHQ-9 and GAD-7 together, as published by NHS Talking Therapies."""

from __future__ import annotations

from typing import Final

from analytics.instruments import load_instruments
from analytics.measures.denominators import MATURE, NOT_LEFT, REVIEWED, WHO_LEFT
from analytics.measures.symptom_binding import WINDOW_NHS
from analytics.measures.types import Estimator, Measure, Table

PAIR: Final = "in a program that asks PHQ-9 and GAD-7"
TWICE: Final = "came on at least two days"
NOT_BELOW: Final = "not known to have started below the clinical range"

_FIRST_D, _LAST_D = "nhs_depression_first", "nhs_depression_last"
_FIRST_A, _LAST_A = "nhs_anxiety_first", "nhs_anxiety_last"
_KNOWN: Final = f"{_FIRST_D} + {_LAST_D} + {_FIRST_A} + {_LAST_A} is not null"
_CASE: Final = f"{_FIRST_D} >= $depression_case or {_FIRST_A} >= $anxiety_case"
_BELOW: Final = f"{_LAST_D} < $depression_case and {_LAST_A} < $anxiety_case"
_GAIN: Final = f"greatest(({_FIRST_D} - {_LAST_D}) / $depression_change, ({_FIRST_A} - {_LAST_A}) / $anxiety_change)"
_LOSS: Final = f"greatest(({_LAST_D} - {_FIRST_D}) / $depression_change, ({_LAST_A} - {_FIRST_A}) / $anxiety_change)"
# At least one reliably better and neither reliably worse; the other way round for deterioration.
_BETTER: Final = f"{_GAIN} >= 1 and {_LOSS} < 1"
_WORSE: Final = f"{_LOSS} >= 1 and {_GAIN} < 1"

_FINISHED: Final = {PAIR: "uses_nhs_pair", **WHO_LEFT, TWICE: "attended_days >= 2"}
_NOT_FINISHED: Final = {
    PAIR: "in another program",
    **NOT_LEFT,
    TWICE: "came on fewer than two days, or sessions not recorded",
}
_NOTES: Final = (
    "First and last complete score of both questionnaires. Without all four, people stay in and count as no: what is "
    "good comes out too low, and what is bad too low as well.",
    "A conflict (one clearly better, the other clearly worse) is neither.",
    "The published national figures are of primary care, not of intensive programs.",
)


# Whose thresholds `$depression_case` and its like are.
PARTS: Final = {"depression": "phq9", "anxiety": "gad7"}


def _thresholds() -> dict[str, float]:
    """Return the thresholds of the two instruments' profile `nhs`."""
    values = {}
    for words, instrument in PARTS.items():
        profile = load_instruments()[instrument].profiles["nhs"]
        assert profile.caseness is not None and profile.reliable_change is not None
        values[f"{words}_case"] = profile.caseness.value
        values[f"{words}_change"] = profile.reliable_change.value
    return values


def _composite(
    measure_id: str,
    title: str,
    question: str,
    did: str,
    told: str,
    success: str,
    *,
    among_cases: bool,
    higher: bool = True,
) -> Measure:
    eligible, lost = dict(_FINISHED), dict(_NOT_FINISHED)
    if among_cases:
        eligible[NOT_BELOW] = f"coalesce({_CASE}, true)"
        lost[NOT_BELOW] = "started below the clinical range"
    thresholds = _thresholds()
    condition = f"case when {_KNOWN} then {success} end"
    text = f"{eligible}{condition}"
    start = "started in the clinical range, " if among_cases else ""
    of_whom = f"people who {start}came at least twice and left"
    return Measure(
        id=measure_id,
        title=title,
        question=question,
        of_whom=f"of {of_whom}",
        did=did,
        family=(
            f"Of every 100 {of_whom}, about {{per_100}} {told}. People we could not measure twice are counted as not "
            f"{'better' if higher else 'worse'}, so the true number can be higher."
        ),
        table=Table.EPISODE_OUTCOME,
        eligible=eligible,
        lost=lost,
        success=condition,
        unknown_words="not measured twice with both",
        known_words="measured twice with both",
        window=WINDOW_NHS,
        is_change=True,
        mature=MATURE,
        missing="failure",
        estimator=Estimator.PROPORTION,
        better="higher" if higher else "lower",
        needs=("score", "attendance"),
        source="NHS Talking Therapies for anxiety and depression, published construction of the national figures",
        reviewed=REVIEWED,
        notes=_NOTES,
        parameters={name: value for name, value in thresholds.items() if f"${name}" in text},
    )


nhs_recovery = _composite(
    "nhs_recovery",
    "Recovered, English rule",
    "Of the people who started in the clinical range of either questionnaire, how many ended below both?",
    "ended below the clinical range of both",
    "ended with low scores on both the depression (PHQ-9) and the anxiety questionnaire (GAD-7)",
    _BELOW,
    among_cases=True,
)
nhs_reliable_recovery = _composite(
    "nhs_reliable_recovery",
    "Clearly better, recovered, English rule",
    "Of the people who started in the clinical range of either questionnaire, how many were clearly better and ended "
    "below both?",
    "were clearly better and ended below the clinical range of both",
    "were clearly better and ended with low scores on both the depression (PHQ-9) and the anxiety "
    "questionnaire (GAD-7)",
    f"({_BELOW}) and ({_BETTER})",
    among_cases=True,
)
nhs_reliable_improvement = _composite(
    "nhs_reliable_improvement",
    "Clearly better, English rule",
    "Of the people who came at least twice and left, how many were clearly better by one questionnaire and not clearly "
    "worse by the other?",
    "were clearly better by one and not clearly worse by the other",
    "were clearly better on the depression (PHQ-9) or the anxiety questionnaire (GAD-7) and not clearly worse on the "
    "other",
    _BETTER,
    among_cases=False,
)
nhs_reliable_deterioration = _composite(
    "nhs_reliable_deterioration",
    "Clearly worse, English rule",
    "Of the people who came at least twice and left, how many were clearly worse by one questionnaire and not clearly "
    "better by the other?",
    "were clearly worse by one and not clearly better by the other",
    "were clearly worse on the depression (PHQ-9) or the anxiety questionnaire (GAD-7) and not clearly better on the "
    "other",
    _WORSE,
    among_cases=False,
    higher=False,
)
