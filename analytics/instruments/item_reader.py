"""Read `[items]` of a questionnaire's TOML: numbers, ranges and how answers become a total. Never item texts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, cast, get_args

from analytics.instruments.model import Item, Items, Scoring
from analytics.instruments.section import Section

NUMBER: Final = r"[1-9]\d?([a-z]|_[a-z]+)?"


def read_items(section: Section) -> Items:
    """Return the items of one instrument; `section` is its `[items]`.

    Keys: `count` (items 1 to count) or `numbers`; `low`, `high`, `step` (1) of the answers; `other`, a list of
    tables of items with another range; `unscored`; `reversed`; `clusters`; `scoring` (sum, highest) with `levels`
    and `not_asked_after` (item -> the items that are not asked after a no to it); `evidence`, `source`.
    """
    items = _ranged(section)
    for other in section.tables("other"):
        plain = _with_range(Item("", 0, 0, 1), other)
        for number in _numbers(other):
            if number not in items:
                raise other.wrong("numbers", f"there is no item {number}.")
            items[number] = replace(plain, number=number)
        other.close()
    for number in section.texts("reversed"):
        items[number] = replace(_known(section, "reversed", items, number), is_reversed=True)
    _read_clusters(section, items)
    scoring = cast(Scoring, section.one_of("scoring", get_args(Scoring), "sum"))
    if scoring == "highest":
        _read_levels(section, items)
    found = Items(tuple(items.values()), scoring, section.mark(), section.must("source", str))
    section.close()
    return found


def _ranged(section: Section) -> dict[str, Item]:
    plain = _with_range(Item("", 0, 0, 1), section)
    items = {number: replace(plain, number=number) for number in _numbers(section)}
    for number in section.texts("unscored"):
        if number in items or not re.fullmatch(NUMBER, number):
            raise section.wrong("unscored", "this must be a list of further items, such as 17 or 7a.")
        items[number] = replace(plain, number=number, is_scored=False)
    return items


def _numbers(section: Section) -> list[str]:
    if section.has("count") == section.has("numbers"):
        raise section.wrong("count", "give either count (a whole number) or numbers (a list of texts).")
    if section.has("count"):
        count = section.must("count", int)
        if not 1 <= count <= 99:
            raise section.wrong("count", "this must be 1 to 99.")
        return [str(number) for number in range(1, count + 1)]
    numbers = section.texts("numbers")
    if not numbers or len(set(numbers)) < len(numbers) or not all(re.fullmatch(NUMBER, each) for each in numbers):
        raise section.wrong("numbers", "this must be a list of different item numbers, such as 1, 7a or 6_recent.")
    return list(numbers)


def _with_range(item: Item, section: Section) -> Item:
    low, high = section.must("low", float), section.must("high", float)
    step = section.may("step", float, 1.0)
    if not (low < high and step > 0 and (high - low) % step == 0):
        raise section.wrong("high", "the answers must run from low to a larger high in whole steps.")
    return replace(item, low=low, high=high, step=step)


def _known(section: Section, key: str, items: dict[str, Item], number: object) -> Item:
    item = items.get(str(number))
    if item is None or not item.is_scored:
        raise section.wrong(key, f"there is no item {number} that counts.")
    return item


def _read_clusters(section: Section, items: dict[str, Item]) -> None:
    given = section.may("clusters", list, [])
    seen: set[str] = set()
    for place, numbers in enumerate(given, start=1):
        if not isinstance(numbers, list) or not numbers:
            raise section.wrong("clusters", "this must be a list of lists of item numbers.")
        for number in numbers:
            items[str(number)] = replace(_known(section, "clusters", items, number), cluster=place)
            seen.add(str(number))
    scored = {number for number, item in items.items() if item.is_scored}
    if given and (seen != scored or sum(len(numbers) for numbers in given) != len(seen)):
        raise section.wrong("clusters", "every item that counts must stand in exactly one cluster.")


def _read_levels(section: Section, items: dict[str, Item]) -> None:
    levels = section.must("levels", dict)
    for number, level in levels.items():
        item = _known(section, "levels", items, number)
        if isinstance(level, bool) or not isinstance(level, int | float) or level <= 0:
            raise section.wrong("levels", f"the level of item {number} must be a number above 0.")
        if (item.low, item.high, item.step) != (0, 1, 1):
            raise section.wrong("levels", f"item {number} must be answered with 0 (no) or 1 (yes).")
        items[number] = replace(item, level=float(level))
    if missing := [item.number for item in items.values() if item.is_scored and item.level == 0]:
        raise section.wrong("levels", f"item {missing[0]} has no level.")
    for gate, numbers in section.may("not_asked_after", dict, {}).items():
        _known(section, "not_asked_after", items, gate)
        if not isinstance(numbers, list):
            raise section.wrong("not_asked_after", f"after {gate} this must be a list of item numbers.")
        for number in numbers:
            items[str(number)] = replace(_known(section, "not_asked_after", items, number), not_asked_after=gate)
