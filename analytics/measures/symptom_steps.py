"""The steps of a symptom measure's ladder: those that take people out, and those that are only printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analytics.measures.denominators import NOT_LEFT, WHO_LEFT
from analytics.profiles import Profile

# Label, condition, words for those who do not meet it.
Step = tuple[str, str, str]

TREATED: Final[Step] = ("came on at least two days", "treated", "came on fewer than two days")
HAD_BASELINE: Final = "had a score at the start"
WAS_CASE: Final = "started in the clinical range"
BASELINE: Final[Step] = (HAD_BASELINE, "{first} is not null", "no score at the start")
NOT_OUTSIDE: Final = "not known to have started outside the clinical range"

# A score from long before the end tells of the way there, and not of the end (measures catalogue 8, trap 26).
STALE_DAYS: Final = 28
_STALE_LABEL: Final = f"have a last score from more than {STALE_DAYS} days before leaving"
_STALE_OTHERS: Final = "have a later last score"
STALE: Final[Step] = (_STALE_LABEL, f"exit_day - {{last_day}} > {STALE_DAYS}", _STALE_OTHERS)
STALE_OF_ITEM_9: Final[Step] = (
    _STALE_LABEL,
    f"case when {{item_last}} is not null then exit_day - {{last_day}} > {STALE_DAYS} end",
    _STALE_OTHERS,
)
STALE_NOTE: Final = (
    f"The last score counts however old it is; how many were last asked more than {STALE_DAYS} days before leaving has "
    "a line of its own."
)


def steps_out(columns: Mapping[str, str], profile: Profile, among_cases: bool) -> list[Step]:
    """Return the ladder's steps as (label, condition, words for those lost)."""
    steps = [(label, condition, NOT_LEFT[label]) for label, condition in WHO_LEFT.items()]
    if profile == "nhs":
        label, condition, others = TREATED
        steps.append((label, condition, f"{others}, or sessions not recorded"))
    if among_cases and profile == "nhs":
        # The national construction takes out only those known to start outside: no score stays in, as a
        # failure.
        steps.append((NOT_OUTSIDE, f"coalesce({columns['first_case']}, true)", "started outside the clinical range"))
    elif among_cases:
        steps.append(filled(BASELINE, columns))
        steps.append((WAS_CASE, columns["first_case"], "started outside the clinical range"))
    return steps


def filled(step: Step, columns: Mapping[str, str]) -> Step:
    """Return a step with the columns that its condition names."""
    label, condition, others = step
    return label, condition.format(**columns), others
