"""Remission months after the start, in the style of national measures: HEDIS DRR-E and CMS159.

"In the style of": only people who came to us, by their own first score; no enrolment rules of a plan.
"""

from __future__ import annotations

from analytics.measures.symptom_binding import SymptomMeasure
from analytics.measures.symptom_steps import BASELINE, WAS_CASE
from analytics.measures.types import Estimator

DEPRESSION = "with depression as the main condition"
ALIVE = "alive when last seen"
OF_DEPRESSED = "of people who came with depression in the clinical range"
DRRE = "HEDIS DRR-E style: the latest score 120 to 240 days after the first; no score counts as no"

_STEPS = (
    BASELINE,
    (WAS_CASE, "{first_case}", "started outside the clinical range"),
    (DEPRESSION, "primary_condition = 'depression'", "another main condition, or not recorded"),
    (ALIVE, "discharge_reason is distinct from 'deceased'", "died in the program"),
)
_NOTES = (
    "Followed from the first score on, whether or not people have left by then. No score in the window counts as no.",
)
_OF_BOTH = (
    "age 12 and over is not asked",
    "depression is the main condition of the stay, not a coded diagnosis of depression or dysthymia",
    "further diagnoses (bipolar, psychotic, personality and pervasive developmental disorder) and hospice care are not "
    "recorded and take nobody out; deaths are known only within the program",
)
NOT_HEDIS = (
    "the standard counts members of a health plan with rules of enrolment, here people who came to this program",
    "it starts with the first elevated score of an intake period, here with the score nearest to admission",
    *_OF_BOTH,
)
NOT_CMS159 = (
    "the standard starts with the first elevated score around an office contact in a span of months, here with the "
    "score nearest to admission",
    *_OF_BOTH,
)

followup_120_240 = SymptomMeasure(
    id="followup_120_240",
    title="Asked again after 4 to 8 months, {name}",
    question="Of the people with depression in the clinical range, how many have a {name} score 120 to 240 days later?",
    did="have a score 120 to 240 days later",
    family=None,
    no_family="No sentence: it says how many were asked, not how they were.",
    thresholds=("caseness", "remission"),
    lower_only=True,
    from_baseline=True,
    of_whom=OF_DEPRESSED,
    steps=_STEPS,
    success="six_months is not null",
    is_change=False,
    unknown_words="not known",
    known_words="known",
    window="120 to 240 days after the first score",
    horizon="observed_days >= first_day + 240",
    horizon_words="first asked at least 240 days ago",
    estimator=Estimator.PROPORTION,
    better="higher",
    source=DRRE,
    profiles=("hedis_style",),
    notes=_NOTES,
    deviations=NOT_HEDIS,
)

remission_120_240 = SymptomMeasure(
    id="remission_120_240",
    title="Almost no symptoms, 4 to 8 months, {name}",
    question="Of the people with depression in the clinical range, how many had almost no symptoms "
    "120 to 240 days later?",
    did="had almost no symptoms 120 to 240 days later",
    family=(
        "Of every 100 people who came with depression in the clinical range, about {per_100} had almost no symptoms "
        "four to eight months later. The others had more, or we do not know."
    ),
    thresholds=("caseness", "remission"),
    lower_only=True,
    from_baseline=True,
    of_whom=OF_DEPRESSED,
    steps=_STEPS,
    success="{six_in_remission}",
    unknown_words="no score in those days",
    known_words="with a score in those days",
    window="120 to 240 days after the first score",
    horizon="observed_days >= first_day + 240",
    horizon_words="first asked at least 240 days ago",
    missing="failure",
    estimator=Estimator.PROPORTION,
    better="higher",
    source=DRRE,
    profiles=("hedis_style",),
    notes=_NOTES,
    deviations=NOT_HEDIS,
)

response_120_240 = SymptomMeasure(
    id="response_120_240",
    title="Symptoms halved, 4 to 8 months, {name}",
    question="Of the people with depression in the clinical range, how many had halved their score "
    "120 to 240 days later?",
    did="had halved their score 120 to 240 days later",
    family=(
        "Of every 100 people who came with depression in the clinical range, about {per_100} had half the symptoms or "
        "less four to eight months later. The others had more, or we do not know."
    ),
    thresholds=("caseness", "response", "remission"),
    lower_only=True,
    from_baseline=True,
    of_whom=OF_DEPRESSED,
    steps=_STEPS,
    success="({first} - six_months) >= $response * {first}",
    unknown_words="no score in those days",
    known_words="with a score in those days",
    window="120 to 240 days after the first score",
    horizon="observed_days >= first_day + 240",
    horizon_words="first asked at least 240 days ago",
    missing="failure",
    estimator=Estimator.PROPORTION,
    better="higher",
    source=DRRE,
    profiles=("hedis_style",),
    notes=_NOTES,
    deviations=NOT_HEDIS,
)

remission_12m = SymptomMeasure(
    id="remission_12m",
    title="Almost no symptoms after a year, {name}",
    question="Of the people with depression in the clinical range, how many had almost no symptoms a year "
    "later ({name})?",
    did="had almost no symptoms a year later",
    family=(
        "Of every 100 people who came with depression in the clinical range, about {per_100} had almost no symptoms a "
        "year later. The others had more, or we do not know."
    ),
    thresholds=("caseness", "remission"),
    lower_only=True,
    from_baseline=True,
    of_whom=OF_DEPRESSED,
    steps=_STEPS,
    success="{twelve_in_remission}",
    unknown_words="no score around that day",
    known_words="with a score around that day",
    window="305 to 425 days after the first score",
    horizon="observed_days >= first_day + 425",
    horizon_words="first asked at least 425 days ago",
    missing="failure",
    estimator=Estimator.PROPORTION,
    better="higher",
    source="CMS159 style (NQF 0710e): the last score 305 to 425 days after the first; no score counts as no",
    profiles=("cms159_style",),
    notes=_NOTES,
    deviations=NOT_CMS159,
)
