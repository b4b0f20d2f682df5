"""Profiles: under which thresholds, and by whose rules, a measure is read."""

from __future__ import annotations

from typing import Final, Literal, get_args

# The first three are thresholds of questionnaires; the others are rules of a national measure, with the usual
# thresholds. "Style" stands where not every rule of the standard holds; the definition says which.
Profile = Literal["default", "nhs", "strict", "hedis_style", "cms159_style", "teds"]
PROFILES: Final[tuple[Profile, ...]] = get_args(Profile)
