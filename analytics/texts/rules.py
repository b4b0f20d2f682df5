"""The words of the rules of intake: what is wrong, and what to do about it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class RuleWords:
    """`wrong` says what is wrong, `do` what to do; both are whole sentences without where it was found."""

    wrong: str
    do: str


@cache
def _catalogue() -> tuple[dict[str, RuleWords], dict[str, str]]:
    content = tomllib.loads(files(__package__).joinpath("rules.toml").read_text(encoding="utf-8"))
    return {name: RuleWords(**entry) for name, entry in content["rule"].items()}, content["cure"]


def rules_with_words() -> frozenset[str]:
    """Return the names of all rules that have words."""
    return frozenset(_catalogue()[0])


def rule_words(rule: str) -> RuleWords:
    """Return the words of a rule; KeyError when there is no such rule."""
    return _catalogue()[0][rule]


def cure_words(cure: str) -> str:
    """Return the head of a group of rules that are mended in one go; KeyError when there is no such group."""
    return _catalogue()[1][cure]
