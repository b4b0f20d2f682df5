"""The questionnaires in docs/data-dictionary.md: by which names they are read, and how answers become totals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analytics.instruments import Instrument, Item, load_instruments, load_questionnaires

_ITEMS: Final = """\
How totals follow from the answers of `score_items.csv`. An answer is given as printed on the form, yes and no where
there are only these two; item numbers may be written `3`, `03`, `Item 3` or `q3`. An item that is missing or empty was
not answered. *Filled up*: a missing answer counts as the mean of the others (of its own cluster where there are
clusters), the total is rounded half up and marked as prorated; with more missing answers there is no total. The answer
to item 9 of the PHQ-9 itself is never filled up. A form with several domains gives one total for each; they are never
added."""

_NOT_VERIFIED: Final = """\
These values stand in a questionnaire's file from memory only (evidence M). Check them before they are printed in a
report:"""


def questionnaires_markdown() -> Iterator[str]:
    """Yield the lines of the section: names, items, and what is not verified."""
    yield "Names are read without regard to case, blanks, hyphens and underscores."
    yield ""
    yield "| name | also read | total | better |"
    yield "|---|---|---|---|"
    for item in load_instruments().values():
        also = ", ".join(sorted(set(item.names) - {item.name}))
        step = "" if item.step == 1 else f", steps of {item.step:g}"
        yield f"| {item.name} | {also} | {item.minimum:g} to {item.maximum:g}{step} | {item.better} |"

    yield ""
    yield "### Items"
    yield ""
    yield _ITEMS
    yield ""
    yield "| form | total | items | answers | missing answers | total from answers |"
    yield "|---|---|---|---|---|---|"
    for form in load_questionnaires().values():
        for item in form.instruments:
            yield f"| {form.names[1]} | {item.name} | {' | '.join(_items(item))} |"
    yield ""
    yield "### Not verified"
    yield ""
    yield _NOT_VERIFIED
    yield ""
    for item in load_instruments().values():
        if item.unverified:
            yield f"- {item.name}: {', '.join(f'`{what}`' for what in item.unverified)}"


def _items(instrument: Instrument) -> tuple[str, str, str, str]:
    """Return the numbers of the items, their answers, what missing ones do, and how the total is made."""
    if instrument.items is None or instrument.prorating is None:
        return "totals only", "", "", instrument.not_given["items"]
    scored = instrument.items.scored
    unscored = [item.number for item in instrument.items.items if not item.is_scored]
    ranges = list(dict.fromkeys((item.low, item.high, item.step) for item in scored))
    answers = "; ".join(_answers(scored, *given) for given in ranges)
    missing = instrument.prorating.max_missing
    words = f"up to {missing} filled up" if missing else "none may be missing"
    total = "the highest level answered with yes" if instrument.items.scoring == "highest" else "sum"
    if instrument.scale:
        total += f" × {instrument.scale.factor:g}"
    if turned := [item.number for item in scored if item.is_reversed]:
        total += f"; item {', '.join(turned)} reversed"
    if instrument.items.scoring == "highest":
        words = "none that could change the level; what is not asked after a no is a no"
    numbers = ", ".join(item.number for item in scored)
    if len(scored) > 3 and [item.number for item in scored] == [str(place) for place in range(1, len(scored) + 1)]:
        numbers = f"1 to {len(scored)}"
    return numbers + (f" (not counted: {', '.join(unscored)})" if unscored else ""), answers, words, total


def _answers(items: tuple[Item, ...], low: float, high: float, step: float) -> str:
    """Return a range of answers, with the items that have it when they are particular."""
    if step == 1:
        return f"{low:g} to {high:g}"
    numbers = ", ".join(item.number for item in items if (item.low, item.high, item.step) == (low, high, step))
    return f"{low:g} to {high:g} in steps of {step:g} (items {numbers})"
