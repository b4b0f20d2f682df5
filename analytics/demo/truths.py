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
        "Explore › Compare",
        "Completion by modality; then the same within each band of baseline severity.",
    ),
    PlantedTruth(
        "planned_and_attained_length",
        "How long a program was planned hardly matters for improvement; how long people stayed seems "
        "to matter much.",
        "Explore › Compare",
        "Reliable improvement (PHQ-9) by planned length; then the landmark view, and its caution.",
    ),
    PlantedTruth(
        "reminder_calls",
        "Fewer people stay away without a word from July 2025 on (month 22 of 36), when the reminder calls "
        "began.",
        "Explore › Trends and signals",
        "No-show rate by month, with the first 21 months as the baseline.",
    ),
    PlantedTruth(
        "second_score",
        "Most people without a second score had left early.",
        "Data › Data quality",
        "Paired scores: who is missing, by how the stay ended.",
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
        "Explore › Readmission and aftercare",
        "Follow-up reach at 180 days: the denominator is everyone due, and the rest is striped.",
    ),
    PlantedTruth(
        "late_baseline",
        "One site asks for the first time after the first week, so that most of its people have no baseline.",
        "Accreditation › Measurement fidelity",
        "Baseline within the first week, by site: Northgate.",
    ),
    PlantedTruth(
        "small_groups",
        "Some groups are smaller than eleven people.",
        "Explore › Compare",
        "Any measure by therapy (music), or by gender in one program: marked small, and not in a release.",
    ),
    PlantedTruth(
        "coming_back",
        "Some people come back, soon or much later, and about one in eleven needs a hospital within 30 days.",
        "Explore › Readmission and aftercare",
        "Readmission within 30 days, with direct transfers and planned stays on their own lines; return "
        "to the program.",
    ),
    PlantedTruth(
        "newest_cohorts",
        "Completion is the same in every admission cohort; the newest ones only seem to collapse, because so "
        "far mostly people who left early have left.",
        "Explore › Attendance and retention",
        "Completion by admission period: steady, and the newest months too recent.",
    ),
)
