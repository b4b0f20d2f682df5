"""Choices in the address: widgets write their words there; links that people send each other carry codes.

Streamlit binds a widget to the address by the words of its options. Words change, codes do not, so an address with
codes is understood as well, and the link to copy is made of codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import streamlit as st

# Every choice that a link carries, in its order in a link.
NAMES = ("from", "to", "modality", "therapy", "weeks", "program", "level", "condition", "instrument", "split")


def understand(name: str, options: Sequence[str], words: Callable[[str], str]) -> None:
    """Turn codes in the address into the words that Streamlit looks for; call it before the widget is drawn."""
    if name in st.session_state or name not in st.query_params:
        return
    given = st.query_params.get_all(name)
    told = [words(value) if value in options else value for value in given]
    if told != given:
        st.query_params[name] = told
        st.rerun()


def link() -> str:
    """Return the address of this page with its choices as codes."""
    address = (st.context.url or "").split("?", 1)[0]
    chosen: list[tuple[str, str]] = []
    for name in NAMES:
        value = st.session_state.get(name)
        for code in value if isinstance(value, list) else [value]:
            if code:
                chosen.append((name, str(code)))
    return f"{address}?{urlencode(chosen)}" if chosen else address
