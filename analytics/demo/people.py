"""Who the people are, and the episodes file: everything about a stay that is known at the desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.demo.chance import even_uniform, pick
from analytics.demo.columns import MISSING, Columns, Flags, Floats, Ints, Rows
from analytics.demo.episodes import Episodes
from analytics.demo.plan import (
    LEVEL,
    PLANNED_HOURS,
    PROGRAMS,
    RARE_THERAPY,
    RARE_THERAPY_PEOPLE,
    REASONS,
    SITE,
    STEP_DOWN,
    TEEN,
    THERAPIES,
    TRACK,
)

AGE_BANDS: Final = ("12-17", "18-25", "26-34", "35-44", "45-54", "55-64", "65-74", "75-89", "90+")
GENDERS: Final = ("female", "male", "nonbinary", "other", "unknown")
PAYERS: Final = ("commercial", "medicaid", "medicare", "military", "self_pay", "other")
REFERRAL_SOURCES: Final = (
    "self",
    "family",
    "hospital",
    "court",
    "provider",
    "school",
    "employer",
    "other",
)
CONDITIONS: Final = (
    "depression",
    "anxiety",
    "ptsd",
    "bipolar",
    "psychosis",
    "alcohol",
    "opioid",
    "stimulant",
    "cannabis",
    "co_occurring",
    "other",
)
DESTINATIONS: Final = (
    "outpatient",
    "iop",
    "php",
    "residential",
    "inpatient",
    "home_no_service",
    "jail",
    "unknown",
)

_AGES: Final[Floats] = np.array([0.0, 0.22, 0.25, 0.22, 0.15, 0.11, 0.04, 0.009, 0.001])
_GENDERS: Final[Floats] = np.array([0.56, 0.40, 0.022, 0.006, 0.012])
_PAYERS_ADULT: Final[Floats] = np.array([0.52, 0.30, 0.05, 0.03, 0.07, 0.03])
_PAYERS_OLD: Final[Floats] = np.array([0.12, 0.06, 0.78, 0.02, 0.01, 0.01])
# By track and, last, for teens.
_CONDITIONS: Final[Floats] = np.array(
    [
        (0.50, 0.25, 0.08, 0.11, 0.02, 0, 0, 0, 0, 0, 0.04),
        (0, 0, 0, 0, 0, 0.46, 0.27, 0.15, 0.12, 0, 0),
        (0.05, 0.02, 0, 0.03, 0, 0.22, 0.10, 0.06, 0.02, 0.50, 0),
        (0.52, 0.33, 0.05, 0.04, 0.01, 0, 0, 0, 0, 0, 0.05),
    ]
)
_TRAUMA_CONDITIONS: Final[Floats] = np.array([0.10, 0.06, 0.80, 0.02, 0, 0, 0, 0, 0, 0, 0.02])
_SOURCES: Final[Floats] = np.array(
    [
        (0.30, 0.10, 0.22, 0.01, 0.32, 0.01, 0.02, 0.02),
        (0.24, 0.13, 0.12, 0.22, 0.18, 0.0, 0.06, 0.05),
        (0.24, 0.12, 0.24, 0.12, 0.22, 0.0, 0.03, 0.03),
        (0.04, 0.30, 0.22, 0.02, 0.24, 0.16, 0.0, 0.02),
    ]
)
_HOSPITAL: Final = REFERRAL_SOURCES.index("hospital")
# The destination that goes without saying for a reason to leave; others go to outpatient care or home.
_DESTINATION_OF: Final = {
    "transferred_lower": "outpatient",
    "transferred_lateral": "iop",
    "transferred_higher": "inpatient",
    "lost_contact": "unknown",
    "left_against_advice": "home_no_service",
    "administrative": "home_no_service",
    "incarcerated": "jail",
    "medical": "inpatient",
    "deceased": "unknown",
}


@dataclass
class People(Columns):
    """What is known of the person and the stay besides its course; columns by episode, codes or MISSING.

    `gender`, `age_band` and `payer` are the person's and repeat. `referred_on` is in days since 1970-01-01,
    MISSING for people who come back: nobody has to send them. `consent` : follow-up calls are allowed.
    """

    gender: Ints
    age_band: Ints
    payer: Ints
    condition: Ints
    source: Ints
    therapy: Ints
    referred_on: Ints
    consent: Flags

    @property
    def from_hospital(self) -> Flags:
        """Whether a hospital sent the person."""
        flag: Flags = self.source == _HOSPITAL
        return flag


def make_people(rng: np.random.Generator, episodes: Episodes) -> People:
    """Return the description of every episode; gender, age band and payer are the person's first."""
    size = episodes.size
    person_count = episodes.persons
    program = episodes.program
    teen = TEEN[program]
    age = pick(rng.random(person_count), _AGES)[episodes.person]
    age[teen] = AGE_BANDS.index("12-17")  # nobody moves between the teen and the adult programs
    old = age >= AGE_BANDS.index("65-74")
    payer = pick(rng.random(person_count)[episodes.person], np.where(old[:, None], _PAYERS_OLD, _PAYERS_ADULT))
    gender = pick(even_uniform(rng, np.arange(person_count)), _GENDERS)[episodes.person]
    kind = np.where(teen, 3, TRACK[program])
    trauma = np.array([item.program_id == "HIL-IOP-TRAUMA" for item in PROGRAMS])[program]
    condition = pick(even_uniform(rng, kind, trauma), np.where(trauma[:, None], _TRAUMA_CONDITIONS, _CONDITIONS[kind]))
    source = pick(even_uniform(rng, kind), _SOURCES[kind])

    offered = np.array([len(item.therapies) for item in PROGRAMS])
    first_choice = (rng.random(size) * offered[program]).astype(np.int64)
    position = np.array(
        [
            [THERAPIES.index(words) for words in item.therapies] + [MISSING] * (3 - len(item.therapies))
            for item in PROGRAMS
        ],
        dtype=np.int64,
    )
    therapy = position[program, first_choice]
    # A therapy so rare that its group stays below the smallest that may be published.
    alone = np.flatnonzero((program == 0) & (episodes.sequence == 0))
    therapy[rng.permutation(alone)[:RARE_THERAPY_PEOPLE]] = RARE_THERAPY

    wait = np.minimum(rng.gamma(1.6, 5.0, size).astype(np.int64), 45)
    return People(
        gender=gender,
        age_band=age,
        payer=payer,
        condition=condition,
        source=source,
        therapy=therapy,
        referred_on=np.where(episodes.sequence > 0, MISSING, episodes.admit - wait),
        consent=even_uniform(rng, episodes.left_early) < 0.94,
    )


def episode_rows(rng: np.random.Generator, episodes: Episodes, people: People) -> Rows:
    """Return the columns of episodes.csv."""
    size = episodes.size
    program = episodes.program
    teen = TEEN[program]
    closed = episodes.closed
    destination = np.array(
        [DESTINATIONS.index(_DESTINATION_OF.get(word, "outpatient")) for word in REASONS], dtype=np.int64
    )[episodes.reason]
    destination[(destination == 0) & (rng.random(size) < 0.12)] = DESTINATIONS.index("home_no_service")
    destination[(STEP_DOWN[program] != MISSING) & (destination == 0)] = DESTINATIONS.index("iop")

    def known(value: Flags, hidden: Flags) -> Ints:
        return np.where(hidden, MISSING, value.astype(np.int64))

    unrecorded = rng.random(size) < 0.03
    sud = TRACK[program] > 0
    return {
        "episode_id": np.arange(size),
        "person_id": episodes.person,
        "program_id": program,
        "admit_date": episodes.admit,
        "discharge_date": np.where(closed, episodes.admit + episodes.discharge_day, MISSING),
        "discharge_reason": np.where(closed, episodes.reason, MISSING),
        "modality": episodes.modality,
        "planned_weeks": episodes.planned_weeks,
        "level_of_care": LEVEL[program],
        "primary_condition": people.condition,
        "age_band": people.age_band,
        "gender": people.gender,
        "referral_source": people.source,
        "site": SITE[program],
        "population": teen.astype(np.int64),
        "track": TRACK[program],
        "therapy": people.therapy,
        "payer_group": people.payer,
        "discharged_to": np.where(closed, destination, MISSING),
        "referral_date": people.referred_on,
        "planned_hours_per_week": PLANNED_HOURS[program],
        "consent_followup": people.consent.astype(np.int64),
        "employed_at_admission": known(rng.random(size) < np.where(sud, 0.48, 0.58), teen | unrecorded),
        "stable_housing_at_admission": known(rng.random(size) < np.where(sud, 0.82, 0.93), unrecorded),
        "arrested_past_30_at_admission": known(rng.random(size) < np.where(sud, 0.06, 0.01), unrecorded),
    }
