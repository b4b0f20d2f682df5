"""Splits: which one the reader chose, and what may be said about the groups."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from analytics.disclosure import Disclosed
from analytics.measures.results import StratifiedResult
from analytics.measures.types import ALL, Stratifier
from analytics.reports.comparisons import (
    NOT_ASSIGNED,
    between_groups_sentence,
    compared_groups,
    comparison_sentence,
    overlap_sentence,
)
from analytics.session import View
from analytics.texts import heading
from pages.components.address import understand

SPLITS = (
    Stratifier.MODALITY,
    Stratifier.THERAPY,
    Stratifier.PLANNED_WEEKS,
    Stratifier.BASELINE_SEVERITY,
    Stratifier.LEVEL_OF_CARE,
    Stratifier.PROGRAM,
    Stratifier.SITE,
    Stratifier.CONDITION,
    Stratifier.AGE_BAND,
    Stratifier.GENDER,
    Stratifier.REFERRAL_SOURCE,
    Stratifier.PAYER,
    Stratifier.ADMIT_PERIOD,
)


def split_choice(view: View, key: str, default: Stratifier) -> Stratifier:
    """Let the reader choose how people are split; the choice stays in the address."""
    offered = [by for by in SPLITS if len(view.choices(by)) > 1]
    if not offered:
        return default
    codes = [by.value for by in offered]
    understand(key, codes, heading)
    chosen = st.selectbox(
        "Split by",
        codes,
        index=codes.index(default.value) if default.value in codes else 0,
        format_func=heading,
        key=key,
        bind="query-params",
        persist_state="session",
        width=260,
    )
    return Stratifier(chosen)


def differences(result: Disclosed[StratifiedResult]) -> Sequence[str]:
    """Return what may be said about the groups: each of a few against the largest, or that they overlap."""
    content = result.content
    if content.overlapping:
        return [overlap_sentence(result)]
    said = [comparison_sentence(result, group, other) for group, other in compared_groups(content, result.small)]
    if content.tests:
        said.append(between_groups_sentence(result))
    if not said:
        return []
    # Once is enough to be heard.
    told = " ".join(sentence.replace(NOT_ASSIGNED, "").strip() for sentence in said)
    shown = content.measure.missing == "shown" and content.estimates[ALL].unknown > 0
    among = f"Among those known ({content.measure.known_words}): " if shown else ""
    return [f"{among}{told} {NOT_ASSIGNED}"]
