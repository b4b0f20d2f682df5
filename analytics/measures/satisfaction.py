"""What people said when they were asked, how many answered, and what the others could make of it."""

from __future__ import annotations

from typing import Final

from analytics.errors import InstrumentProblem
from analytics.instruments import Instrument, find_instrument
from analytics.measures.denominators import REVIEWED
from analytics.measures.types import Estimator, Measure, Table


def _questionnaire(name: str) -> Instrument:
    found = find_instrument(name)
    if found is None:
        raise InstrumentProblem(f"The questionnaire {name} is missing from analytics/instruments.")
    return found


CSQ: Final = _questionnaire("csq8")
ASKED_WITH = f"asked with the {CSQ.name}"
COUNTED = "asked where the invitations were counted"
UNCOUNTED = "answers for which invitations were not counted"
_NOT_COUNTED: Final = {UNCOUNTED: "is_counted = false and is_answered"}
WHEN: Final = "the period for which the answer or the invitation was counted"
_NOTES: Final = (
    "Clients, their families and those who refer are taken together: split by who was asked before reading it.",
    "Whoever left early is often not asked, and whoever is content answers more often: read the share who answered "
    "beside it, and the lowest and highest possible value.",
    "No person is known. An answer is at most one person, and within one program, period and kind of person asked two "
    "answers are two people: the mark for small numbers takes the largest such number of answers for the people.",
)

satisfaction = Measure(
    id="satisfaction",
    title="Would definitely recommend the program",
    question="Of the people who answered, how many would definitely recommend the program?",
    of_whom="of people who answered",
    did="would definitely recommend the program",
    family="Of every 100 people who answered when we asked, about {per_100} would definitely recommend the program.",
    table=Table.SATISFACTION_OUTCOME,
    eligible={},
    lost={},
    success="recommend = 4",
    unknown_words="no answer",
    known_words="with an answer to this question",
    also_counted=_NOT_COUNTED,
    open_ended=UNCOUNTED,
    window=WHEN,
    estimator=Estimator.PROPORTION,
    better="higher",
    needs=("satisfaction",),
    source="Top box of the recommendation question of the CSQ-8, 4 of 1 to 4; CARF satisfaction",
    reviewed=REVIEWED,
    notes=(*_NOTES, "Where invitations were not counted nobody knows how many did not answer: no such bounds then."),
)

satisfaction_response = Measure(
    id="satisfaction_response",
    title="Answered how satisfied they are",
    question="Of the people who were asked how satisfied they are, how many answered?",
    of_whom="of people who were asked how satisfied they are",
    did="answered",
    family="Of every 100 people whom we asked how satisfied they are, about {per_100} answered.",
    table=Table.SATISFACTION_OUTCOME,
    eligible={COUNTED: "is_counted"},
    lost={COUNTED: "how many were asked is not recorded"},
    success="is_answered",
    unknown_words="not recorded whether they answered",
    window=WHEN,
    estimator=Estimator.PROPORTION,
    better="higher",
    needs=("satisfaction",),
    source="Project decision: answers of invitations, by program, period and who was asked",
    reviewed=REVIEWED,
    notes=_NOTES[:1] + _NOTES[2:],
)

satisfaction_total = Measure(
    id="satisfaction_total",
    title=f"Mean {CSQ.name} total",
    question=f"How satisfied were the people who answered, as the mean total of the {CSQ.name}?",
    of_whom="of people who answered",
    did=f"had this {CSQ.name} total on average",
    no_family="No sentence: points of a score say little to whoever does not know the questionnaire.",
    table=Table.SATISFACTION_OUTCOME,
    eligible={ASKED_WITH: "instrument = $questionnaire"},
    lost={ASKED_WITH: "asked with another questionnaire, or not recorded which"},
    amount="total",
    amount_unit="point",
    amount_range=(CSQ.minimum, CSQ.maximum),
    unknown_words="no answer",
    known_words="with a total",
    also_counted=_NOT_COUNTED,
    open_ended=UNCOUNTED,
    window=WHEN,
    estimator=Estimator.MEAN,
    better="higher",
    needs=("satisfaction",),
    minimum_for_headline=20,
    source=f"{CSQ.name}, {CSQ.minimum:g} to {CSQ.maximum:g}; mean with the t interval",
    reviewed=REVIEWED,
    notes=(*_NOTES, "Missing answers of a questionnaire are filled in, or not, before its total is imported."),
    parameters={"questionnaire": CSQ.id},
)
