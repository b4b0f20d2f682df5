"""The paper of a privacy mode as it is typed: checked, so that it can stand in the manifest and on every page."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Final

from analytics.errors import UsageProblem
from analytics.intake.identifiers import value_finding
from analytics.store.facts import NEEDED_PAPER, Paper, PaperKind

LONGEST_REFERENCE: Final = 200

_OPTION: Final[dict[PaperKind, str]] = {
    "agreement": "--agreement TEXT",
    "certificate": "--certificate TEXT --expires DATE",
}


def checked_paper(
    privacy_mode: str, agreement: str | None, certificate: str | None, expires: date | None
) -> Paper | None:
    """Return the paper that was named, None when none was.

    Raises
    ------
    UsageProblem
        When it is not the paper of this mode, a certificate comes without its last day, or the text is none that may
        be stored: empty, longer than 200 characters, with control characters, or with the form of an identifier.
    """
    given = {"agreement": agreement, "certificate": certificate}
    named = [kind for kind in NEEDED_PAPER.values() if given[kind] is not None]
    needed = NEEDED_PAPER.get(privacy_mode)
    for kind in named:
        if kind != needed:
            other = f"it takes {_OPTION[needed]}" if needed else "it needs no paper"
            raise UsageProblem(f"--{kind} is not the paper of the mode {privacy_mode}: {other}.")
    if (expires is None) != (certificate is None):
        raise UsageProblem("A certificate has a last day: give --certificate TEXT and --expires DATE together.")
    if not named:
        return None
    return Paper(named[0], _reference(str(given[named[0]])), expires.isoformat() if expires else None)


def _reference(text: str) -> str:
    reference = text.strip()
    if not 1 <= len(reference) <= LONGEST_REFERENCE:
        raise UsageProblem(
            f"The text of the paper has 1 to {LONGEST_REFERENCE} characters: the number and where it lies."
        )
    if any(unicodedata.category(character).startswith("C") for character in reference):
        raise UsageProblem("The text of the paper holds control characters. Type it on one line.")
    if value_finding(reference):
        raise UsageProblem(
            "The text of the paper has the form of a name, address, number or date that identifies somebody. It stands "
            "on every report: give the number of the paper and where it lies, begin with neither a date nor a name."
        )
    return reference
