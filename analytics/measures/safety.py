"""Thoughts of death or self-harm: how many report them at the start, how many still do, and how many newly do.

A dashboard is no alert: an individual answer belongs to the clinician on the day it is given.
"""

from __future__ import annotations

from analytics.measures.symptom_binding import SymptomMeasure
from analytics.measures.types import Estimator

NO_ALERT = "This is not an alert. Who answers an individual report stands in the program's own rules."
IN_PERSON = "No sentence: a level of risk is explained in person."
ANSWERED = "answered item 9 at the start"
NOT_ANSWERED = "no answer to item 9 at the start"
SOURCE = "Item 9 of the PHQ-9, any answer above 0; Kroenke 2001"

item9_positive = SymptomMeasure(
    id="item9_positive",
    title="Thoughts of death or self-harm, {name}",
    question="Of the people who left, how many reported thoughts of death or self-harm at the start ({name})?",
    did="reported thoughts of death or self-harm at the start",
    family="Of every 100 people who answered the question, about {per_100} came with thoughts of death or self-harm.",
    success="{item_first} >= 1",
    is_change=False,
    unknown_words=NOT_ANSWERED,
    known_words="with an answer to item 9 at the start",
    estimator=Estimator.PROPORTION,
    better="lower",
    source=SOURCE,
    with_item_9=True,
    profiles=("default",),
    notes=(NO_ALERT, "A missing answer is missing: it is never filled in."),
)

item9_last = SymptomMeasure(
    id="item9_last",
    title="Thoughts of self-harm at the end, {name}",
    question="Of the people who left, how many reported thoughts of death or self-harm at the end ({name})?",
    did="reported thoughts of death or self-harm at the end",
    family=(
        "Of every 100 people who answered the question again later, about {per_100} still or newly had thoughts of "
        "death or self-harm."
    ),
    success="{item_last} >= 1",
    is_change=False,
    unknown_words="no later answer to item 9",
    known_words="with a later answer to item 9",
    estimator=Estimator.PROPORTION,
    better="lower",
    source=SOURCE,
    with_item_9=True,
    profiles=("default",),
    notes=(NO_ALERT,),
)

item9_resolved = SymptomMeasure(
    id="item9_resolved",
    title="Thoughts of self-harm gone, {name}",
    question="Of the people with such thoughts at the start who left, how many had none at the end ({name})?",
    did="had no such thoughts at the end",
    of_whom="of people with such thoughts at the start who left",
    family=(
        "Of every 100 people who came with thoughts of death or self-harm and were asked again, about {per_100} no "
        "longer had them."
    ),
    steps=(
        (ANSWERED, "{item_first} is not null", NOT_ANSWERED),
        ("reported such thoughts at the start", "{item_first} >= 1", "no such thoughts at the start"),
    ),
    success="{item_last} = 0",
    unknown_words="no later answer to item 9",
    known_words="with a later answer to item 9",
    estimator=Estimator.PROPORTION,
    better="higher",
    source=SOURCE,
    with_item_9=True,
    profiles=("default",),
    notes=(NO_ALERT,),
)

item9_new = SymptomMeasure(
    id="item9_new",
    title="New thoughts of self-harm, {name}",
    question="Of the people without such thoughts at the start who left, how many had them at the end ({name})?",
    did="had such thoughts at the end",
    of_whom="of people without such thoughts at the start who left",
    family=(
        "Of every 100 people who came without thoughts of death or self-harm and were asked again, about {per_100} had "
        "them by the end."
    ),
    steps=(
        (ANSWERED, "{item_first} is not null", NOT_ANSWERED),
        ("had no such thoughts at the start", "{item_first} = 0", "such thoughts at the start already"),
    ),
    success="{item_last} >= 1",
    unknown_words="no later answer to item 9",
    known_words="with a later answer to item 9",
    estimator=Estimator.PROPORTION,
    better="lower",
    source=SOURCE,
    with_item_9=True,
    profiles=("default",),
    notes=(NO_ALERT,),
)

ASKED_WINDOW = "every score from 14 days before admission to 7 days after leaving"
ASKED = ("was asked", "count > 0", "never asked")
NEVER_ASKED = "Who was never asked is a rung of the ladder, not a no."

high_risk_ever = SymptomMeasure(
    id="high_risk_ever",
    title="High at any time, {name}",
    question="Of the people who left and were asked, how many were at the highest band of {name} at any time?",
    did="were at the highest band at any time",
    of_whom="of people who left and were asked",
    family=None,
    no_family=IN_PERSON,
    steps=(ASKED,),
    window=ASKED_WINDOW,
    is_change=False,
    success="worst >= $top_band",
    knows_everybody=True,
    estimator=Estimator.PROPORTION,
    better="lower",
    source="The instrument's own bands (C-SSRS: level 4 and above)",
    ordinal_only=True,
    profiles=("default",),
    notes=(NO_ALERT, "One high answer counts, whatever came after it.", NEVER_ASKED),
)

high_risk_last = SymptomMeasure(
    id="high_risk_last",
    title="High when last asked, {name}",
    question="Of the people who left and were asked, how many were at the highest band of {name} when last asked?",
    did="were at the highest band when last asked",
    of_whom="of people who left and were asked",
    family=None,
    no_family=IN_PERSON,
    steps=(ASKED,),
    window="the latest score from 14 days before admission to 7 days after leaving, also where it is the only one",
    is_change=False,
    success="latest >= $top_band",
    knows_everybody=True,
    estimator=Estimator.PROPORTION,
    better="lower",
    source="The instrument's own bands (C-SSRS: level 4 and above)",
    ordinal_only=True,
    profiles=("default",),
    notes=(NO_ALERT, "Who was first asked late is in it: no score at the start is needed.", NEVER_ASKED),
)
