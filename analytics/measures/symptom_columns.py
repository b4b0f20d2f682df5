"""What the words of a symptom measure stand for in one instrument: thresholds, and columns as SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from analytics.instruments import Cutoff, Instrument, Rule
from analytics.instruments import Profile as Thresholds
from analytics.instruments.model import Fact
from analytics.profiles import Profile
from analytics.texts import words as words_for

Threshold = Literal["caseness", "reliable_change", "response", "remission", "mcid", "reliability"]

# What the other side of a caseness rule is called in SQL.
OPPOSITE: Final[Mapping[Rule, Rule]] = {">=": "<", "<": ">=", "<=": ">", ">": "<="}

THRESHOLD_WORDS: Final[Mapping[Threshold, str]] = {
    "caseness": "cut-off of the clinical range",
    "reliable_change": "reliable change",
    "response": "definition of response",
    "remission": "cut-off for remission",
    "mcid": "smallest change that people notice",
    "reliability": "reliability of the questionnaire",
}


def thresholds_of(instrument: Instrument, profile: Profile) -> Thresholds:
    """Return the thresholds of a profile; the rules of a national measure go with the usual ones."""
    return instrument.profiles.get(profile) or instrument.profiles["default"]


def threshold_facts(instrument: Instrument, profile: Profile) -> dict[Threshold, Fact | Cutoff | None]:
    """Return every threshold under a profile; None where no source gives one."""
    thresholds = thresholds_of(instrument, profile)
    return {
        "caseness": thresholds.caseness,
        "reliable_change": thresholds.reliable_change,
        "response": instrument.response,
        "remission": instrument.remission,
        "mcid": instrument.mcid,
        "reliability": instrument.reliability,
    }


def columns_of(instrument: Instrument, profile: Profile) -> dict[str, str]:
    """Return the expressions that a declaration's `{…}` stand for."""
    prefix = "nhs_" if profile == "nhs" else ""
    first, last = f"{prefix}first", f"{prefix}last"
    change = _exact(f"(({first} - {last}) * $direction)", instrument)
    columns = {"first": first, "last": last, "change": change, "item_first": "item_9_first", "item_last": "item_9_last"}
    # Points from the first score to the worst one there is.
    columns["room_to_worsen"] = _exact(f"(($worst_score - {first}) * $direction)", instrument)
    columns["last_day"] = f"{prefix}last_day"
    columns["sd_first"] = f"nullif(stddev_samp({first}), 0)"
    columns["cutoff_of_our_own"] = _cutoff_of_our_own(instrument, columns)
    columns |= {"first_band": _band_number(instrument, first), "last_band": _band_number(instrument, last)}
    caseness = thresholds_of(instrument, profile).caseness
    if instrument.remission is not None:
        columns["six_in_remission"] = f"six_months {instrument.remission.rule} $remission"
        columns["twelve_in_remission"] = f"twelve_months {instrument.remission.rule} $remission"
    if caseness is not None:
        columns["first_case"] = f"{first} {caseness.rule} $caseness"
        columns["last_not_case"] = f"{last} {OPPOSITE[caseness.rule]} $caseness"
        if instrument.remission is not None:
            columns["last_in_remission"] = f"{last} {instrument.remission.rule} $remission"
    return columns


def _exact(points: str, instrument: Instrument) -> str:
    """Return a difference of totals as SQL, without what binary fractions add to tenths."""
    # 20.1 - 15.1 is a hair under 5 in binary; a change of exactly the threshold has to count.
    return points if instrument.step == int(instrument.step) else f"round({points}, 3)"


def _cutoff_of_our_own(instrument: Instrument, columns: Mapping[str, str]) -> str:
    """Return the aggregate of Jacobson and Truax's cut-off: c where people in general are known, else a."""
    mean, sd = f"avg({columns['first']})", columns["sd_first"]
    if instrument.general_population is None:
        return f"{mean} - $direction * 2 * {sd}"
    return f"($general_sd * {mean} + {sd} * $general_mean) / ($general_sd + {sd})"


def _band_number(instrument: Instrument, total: str) -> str:
    """Return the number of a total's band as SQL, 1 the least severe; NULL where the total is."""
    bands = instrument.bands if instrument.better == "lower" else tuple(reversed(instrument.bands))
    cases = " ".join(f"when {total} between {low:g} and {high:g} then {n}" for n, (_, low, high) in enumerate(bands, 1))
    return f"(case {cases} end)"


def band_moves(instrument: Instrument, columns: Mapping[str, str]) -> dict[str, str]:
    """Return "from one band to another" -> the condition, for every pair of bands, the least severe first."""
    names = [words_for("baseline_severity", name) for name, _, _ in instrument.bands]
    names = names if instrument.better == "lower" else names[::-1]
    return {
        _move(before, after): f"{columns['first_band']} = {first} and {columns['last_band']} = {last}"
        for first, before in enumerate(names, 1)
        for last, after in enumerate(names, 1)
    }


def _move(before: str, after: str) -> str:
    return f"{before} at the start and at the end" if before == after else f"from {before} to {after}"
