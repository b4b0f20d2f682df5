"""What is true in the demo on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class PlantedTruth:
    """One thing that was planted.

    Attributes
    ----------
    id : short name. `sentence` : what is true, without numbers: those are in docs/demo.md.
    page : section and page that shows it. `how_to_see` : what to choose there, and what one then sees.
    """

    id: str
    sentence: str
    page: str
    how_to_see: str


TRUTHS: Final = (
    PlantedTruth(
        "modality_and_severity",
        "Telehealth has the higher completion rate, and the lower one at every severity, because its people "
        "start milder.",
        "Explore › Retention",
        "Completed the program, split by how care was delivered; then split by severity at the start, once with "
        "Delivery in person and once with telehealth.",
    ),
    PlantedTruth(
        "planned_and_attained_length",
        "How long a program was planned hardly matters for improvement; how long people stayed seems to matter much.",
        "Explore › Symptom change",
        "Clearly better, split by planned length. How long people stayed is no split, on purpose.",
    ),
    PlantedTruth(
        "reminder_calls",
        "Fewer people stay away without a word from July 2025 on (month 22 of 36), when the reminder calls began.",
        "Explore › Retention",
        "Sessions missed without notice, by month of admission.",
    ),
    PlantedTruth(
        "second_score",
        "Most people without a second score had left early.",
        "Explore › Symptom change",
        "Measured twice, by how people left.",
    ),
    PlantedTruth(
        "deterioration",
        "About six in a hundred of those measured twice got reliably worse.",
        "Explore › Symptom change",
        "Reliable deterioration (PHQ-9), beside reliable improvement.",
    ),
    PlantedTruth(
        "followup_reach",
        "Half a year after leaving, a little more than half of the people could be reached.",
        "Explore › Readmission",
        "Reached six months later. There, people who had died, were in custody or had not agreed to be called are "
        "not counted, so the share is a little higher.",
    ),
    PlantedTruth(
        "late_baseline",
        "One site asks for the first time after the first week, so that most of its people have no baseline.",
        "Explore › Symptom change",
        "Clearly better, split by site: at Northgate most of the bar is striped.",
    ),
    PlantedTruth(
        "small_groups",
        "Some groups are smaller than eleven people.",
        "Explore › Retention",
        "Any result split by therapy (music), or by gender in one program: marked small.",
    ),
    PlantedTruth(
        "coming_back",
        "Some people come back, soon or much later, and about one in eleven needs a hospital within 30 days.",
        "Explore › Readmission",
        "Hospital within 30 days of leaving. The counts of episodes and of people differ by those who came back.",
    ),
    PlantedTruth(
        "newest_cohorts",
        "Completion is the same in every admission cohort; the newest ones only seem to collapse, because so "
        "far mostly people who left early have left.",
        "Explore › Retention",
        "Completed the program, split by when people were admitted: steady, and the newest months too recent.",
    ),
)
