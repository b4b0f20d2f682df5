"""What care cost, by what came of it, and how many of the places were used: by program and period."""

from __future__ import annotations

from typing import Final

from analytics.measures.denominators import REVIEWED
from analytics.measures.symptom_binding import SymptomMeasure
from analytics.measures.types import Estimator, Measure, Table

WHEN: Final = "the periods of the finance file"
_NO_PRICE: Final = "No sentence: what a program costs is not what care costs a family."
_BOOTSTRAP: Final = "ratio of sums with bootstrap interval (Efron & Tibshirani 1993)"
_DRAWN: Final = "The interval draws whole periods of a program; below twelve there is none."
_NOTES: Final = (
    "Both sides cover the same months: a period counts only when the cost of all its months is known and it lies "
    "between the first and the last admission of its program; how many periods were left out is given.",
    "Costs are those of the program, in the currency of the clinic, and of everybody in it, also of those who left "
    "early or were never measured. They are known by program and period only.",
    _DRAWN,
)

cost_per_admission = Measure(
    id="cost_per_admission",
    title="Cost per admission",
    question="What did the programs cost per admission?",
    of_whom="of people admitted",
    did="were admitted",
    no_family=_NO_PRICE,
    table=Table.EPISODE_OUTCOME,
    eligible={},
    lost={},
    success="true",
    window=WHEN,
    estimator=Estimator.COST,
    ratio_unit="admission",
    better="lower",
    needs=("finance",),
    source=f"CARF efficiency; {_BOOTSTRAP}",
    reviewed=REVIEWED,
    notes=(*_NOTES, "A longer stay costs more: read it beside length of stay and what became of people."),
)

cost_per_reliable_improvement = SymptomMeasure(
    id="cost_per_reliable_improvement",
    title="Cost per clear improvement, {name}",
    question="What did the programs cost per stay that ended clearly {better} ({name})?",
    did="were clearly {better} at the end",
    family=None,
    no_family=_NO_PRICE,
    success="{change} >= $reliable_change",
    thresholds=("reliable_change",),
    window=f"{WHEN}, by the period of admission",
    estimator=Estimator.COST,
    ratio_unit="improvement",
    better="lower",
    profiles=("default",),
    usual="phq9",
    needs=("finance",),
    source=f"CARF efficiency; {_BOOTSTRAP}",
    notes=(
        *_NOTES,
        "Divided is the cost of everybody admitted by those who are known to be clearly better. Who was not measured "
        "twice costs and counts for nothing; if all of them were better, the cost would be the lowest possible value.",
        "A period with anybody who came too recently to have left is left out whole.",
    ),
)

slot_utilisation = Measure(
    id="slot_utilisation",
    title="Places used",
    question="Of the places in sessions that the programs offered, how many were used?",
    of_whom="of places in sessions",
    did="were used",
    no_family="No sentence: it is about places, not about people.",
    table=Table.EPISODE_OUTCOME,
    eligible={},
    lost={},
    success="attended_sessions > 0",
    unknown_words="sessions not recorded",
    window=WHEN,
    estimator=Estimator.CAPACITY,
    ratio_unit="session",
    better="higher",
    needs=("finance", "attendance"),
    source=f"CARF efficiency; {_BOOTSTRAP}",
    reviewed=REVIEWED,
    notes=(
        "Sessions attended, of the places that the finance file gives for the same program and months. Sessions are "
        "counted by calendar month, which only the privacy modes limited and synthetic keep.",
        "More people than places came to a session that was overbooked: the share can be above 100 %.",
        "The ladder counts people admitted in those periods; the sessions are also those of people admitted before.",
        _DRAWN,
    ),
)
