"""Hospital and higher care: during the program, and within 30 days of leaving it."""

from __future__ import annotations

from analytics.measures.denominators import MATURE, NOT_LEFT, REVIEWED, WHO_LEFT
from analytics.measures.types import Estimator, Measure, Table

ALIVE = "alive when they left"

readmission_30d = Measure(
    id="readmission_30d",
    title="Hospital within 30 days of leaving",
    question=(
        "Of the people who left the program, how many were in a hospital, residential or detox unit within 30 days?"
    ),
    of_whom="of people who left the program",
    did="had a hospital, residential or detox stay within 30 days",
    family=(
        "Of every 100 people who left, about {per_100} needed a hospital, residential or detox stay within "
        "a month, as far as we know."
    ),
    table=Table.EPISODE_OUTCOME,
    eligible={**WHO_LEFT, ALIVE: "discharge_reason is distinct from 'deceased'"},
    lost={**NOT_LEFT, ALIVE: "died in the program"},
    # Captured for too few days: a stay that was seen counts, none seen says nothing. Capture not collected:
    # what we know is all there is, and the card says so.
    success=(
        "case when readmission_day between 1 and 30 then true "
        "when captured_days is null or captured_days >= 30 then false end"
    ),
    unknown_words="stays not visible for 30 days",
    known_words="known to us",
    also_counted={"direct_transfers": "direct_transfer"},
    mature=MATURE,
    horizon="observed_days >= exit_day + 30",
    horizon_words="left at least 30 days ago",
    estimator=Estimator.PROPORTION,
    better="lower",
    needs=("acute_event",),
    source=(
        "Program convention: first unplanned stay on days 1 to 30; close to CMS IPF readmission, which starts at day 3"
    ),
    reviewed=REVIEWED,
    notes=(
        "Counted are unplanned stays known to us. Without the record of when stays could be seen, no row "
        "counts as no stay, so the figure is a floor. A stay that does not say whether it was planned "
        "counts as unplanned.",
        "A direct transfer (the day of leaving, or the next day after a transfer to higher care) is no "
        "readmission: it is counted during the program, and how many is given. The person stays at risk up "
        "to day 30.",
        "Deaths after leaving are not known to us.",
    ),
)

step_up_during_episode = Measure(
    id="step_up_during_episode",
    title="Moved to higher care from the program",
    question=("Of the people who left, how many needed a hospital or a higher level of care before or as they left?"),
    of_whom="of people who left the program",
    did="had moved to a hospital or higher care",
    family=("Of every 100 people who left, about {per_100} needed a hospital or more care than the program gives."),
    table=Table.EPISODE_OUTCOME,
    eligible=WHO_LEFT,
    lost=NOT_LEFT,
    success="step_up_day is not null or exit = 'transferred_higher'",
    unknown_words="reason for leaving not recorded",
    known_words="with a recorded reason or stay",
    also_counted={"direct_transfers": "direct_transfer"},
    mature=MATURE,
    estimator=Estimator.PROPORTION,
    better="lower",
    source="Hospital, residential or detox stay from day 1 to leaving, or transferred to higher care",
    reviewed=REVIEWED,
    notes=(
        "A safe move to more care is good care: read it beside readmission.",
        "Where stays are not collected, only transfers written as the reason for leaving are seen.",
    ),
)
