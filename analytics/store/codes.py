"""The closed code lists of the canonical files: what a column may say.

One list serves three readers: intake validates against it, the store makes its ENUM types from it, and
`analytics.texts` must have words for every code (a conformance test holds that). Order matters: it is the
order in which groups are shown, and content hashes see the place of a code, so a change of order is a new
schema version (analytics/store/facts.py).
"""

from __future__ import annotations

from typing import Final

CODES: Final[dict[str, tuple[str, ...]]] = {
    "modality": ("in_person", "hybrid", "telehealth"),
    "delivery": ("in_person", "telehealth"),
    "level_of_care": ("PHP", "IOP", "OP", "residential", "inpatient", "detox"),
    "discharge_reason": (
        "completed",
        "transferred_lower",
        "transferred_lateral",
        "transferred_higher",
        "left_against_advice",
        "lost_contact",
        "administrative",
        "insurance_ended",
        "moved",
        "medical",
        "incarcerated",
        "deceased",
        "other",
    ),
    "discharged_to": (
        "outpatient",
        "iop",
        "php",
        "residential",
        "inpatient",
        "detox",
        "home_no_service",
        "jail",
        "other",
        "unknown",
    ),
    "primary_condition": (
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
    ),
    "age_band": ("12-17", "18-25", "26-34", "35-44", "45-54", "55-64", "65-74", "75-89", "90+"),
    "gender": ("female", "male", "nonbinary", "other", "unknown"),
    "referral_source": ("self", "family", "hospital", "court", "provider", "school", "employer", "other"),
    "population": ("adult", "adolescent"),
    "track": ("mental_health", "substance_use", "co_occurring"),
    "payer_group": ("commercial", "medicaid", "medicare", "military", "self_pay", "other"),
    "session_type": ("group", "individual", "family", "medication", "other"),
    "status": ("attended", "no_show", "cancelled_client", "cancelled_program"),
    "source": ("self_report", "urine", "breath", "oral"),
    "result": ("negative", "positive", "prescribed_positive", "invalid", "refused", "missed"),
    "followup_outcome": (
        "completed",
        "no_answer",
        "refused",
        "wrong_contact",
        "incarcerated",
        "deceased",
        "no_consent",
    ),
    "referral_decision": (
        "admitted",
        "not_eligible",
        "declined",
        "unreachable",
        "waitlist",
        "referred_elsewhere",
        "pending",
    ),
    "respondent": ("client", "family", "referrer"),
    # Derived by the store, never in a file.
    "exit": ("completed", "stepped_down", "transferred_higher", "left_early", "other", "active"),
    # How many of the full weeks had enough hours.
    "dose_band": ("none", "under half", "half or more", "every week"),
}

FOLLOWUP_DUE_DAYS: Final = (30, 90, 180, 365)

# The levels whose admission after a stay counts as acute (measures.md, readmission).
ACUTE_LEVELS: Final = ("inpatient", "residential", "detox")


def enum_statements() -> list[str]:
    """Return the CREATE TYPE statements of the closed lists, one `<name>_code` type each."""
    return [
        f"create type {name}_code as enum ({', '.join(repr(code) for code in codes)})" for name, codes in CODES.items()
    ]
