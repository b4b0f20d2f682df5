"""The filters: a row above the results, kept in the address, the same on every page.

Only codes of closed lists and ids of programs go into the address, never anything of a person. A value that the
snapshot does not have is dropped by Streamlit when the address is read.
"""

from __future__ import annotations

import streamlit as st

from analytics.measures.types import NOT_KNOWN, Cohort, Stratifier
from analytics.session import View
from analytics.texts import label, period_short
from pages.components.address import understand

# The split, its name in the address (short and stable: it stands in links that people send each other), and a label
# that fits a narrow box.
FILTERS = (
    (Stratifier.MODALITY, "modality", "Delivery"),
    (Stratifier.THERAPY, "therapy", "Therapy"),
    (Stratifier.PLANNED_WEEKS, "weeks", "Planned length"),
    (Stratifier.PROGRAM, "program", "Program"),
    (Stratifier.LEVEL_OF_CARE, "level", "Level of care"),
    (Stratifier.CONDITION, "condition", "Condition"),
)


def filters(view: View) -> Cohort:
    """Draw the filters and return the cohort they choose; an empty filter keeps everybody."""
    where: dict[str, tuple[str, ...]] = {}
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        start, end = _period(view)
        for by, address, name in FILTERS:
            options = view.choices(by)
            if len(options) < 2:
                continue  # a filter with one choice would only look like one

            def words(code: str, by: Stratifier = by) -> str:
                return label(by.value, code)

            understand(address, options, words)
            chosen = st.multiselect(
                name,
                options,
                format_func=words,
                key=address,
                bind="query-params",
                persist_state="session",
                placeholder="All",
                width=200,
            )
            if chosen:
                where[by.value] = tuple(chosen)
    return Cohort(where, start, end)


def _period(view: View) -> tuple[str | None, str | None]:
    periods = tuple(period for period in view.choices(Stratifier.ADMIT_PERIOD) if period != NOT_KNOWN)
    if len(periods) < 2:
        return None, None
    understand("from", periods, period_short)
    understand("to", periods, period_short)
    chosen = [
        st.selectbox(
            words,
            periods,
            index=None,
            format_func=period_short,
            key=name,
            bind="query-params",
            persist_state="session",
            placeholder=placeholder,
            width=120,
        )
        for words, name, placeholder in (("Admitted from", "from", "First"), ("Admitted to", "to", "Last"))
    ]
    return chosen[0], chosen[1]
