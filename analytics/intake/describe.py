"""docs/import.md: the prose of `analytics/texts/import.md` with what the importer itself declares filled in."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from analytics.intake.dictionary import FILE_WORDS
from analytics.intake.model import DAY_TWINS, EPISODES, TABLES
from analytics.intake.proposal.showing import LONGEST_CODE, MOST_CODES, ROWS_TO_SHOW
from analytics.intake.staging import NULL_TOKENS

# Mode: the calendar label, what is hidden besides, the paper. `relative.py` does it.
_MODES: Final = {
    "safe_harbor": (
        "year of admission",
        "month and quarter; the period of discharge; sessions by calendar; the data cut but for its year",
        "nothing",
    ),
    "expert": (
        "quarter of admission",
        "month; the period of discharge; sessions by calendar; the data cut but for its quarter",
        "the certificate of an expert: `--certificate TEXT --expires DATE`",
    ),
    "limited": (
        "month of admission and discharge",
        "the days; this is a limited data set, *not de-identified*",
        "a data use agreement: `--agreement TEXT`",
    ),
    "synthetic": ("month of admission and discharge", "the days", "nothing: for made-up data only"),
}


def _shown_by_map() -> dict[str, str]:
    """Return the limits of what a proposal may show."""
    limits = {"most_codes": MOST_CODES, "longest_code": LONGEST_CODE, "rows_to_show": ROWS_TO_SHOW}
    return {name: str(limit) for name, limit in limits.items()}


def import_markdown() -> str:
    """Return docs/import.md."""
    filled = {
        "files": "\n".join(
            f"| `{spec.file}` | {'yes' if spec is EPISODES else ''} | {FILE_WORDS[spec.table]} |" for spec in TABLES
        ),
        "tokens": ", ".join(f"`{token}`" for token in NULL_TOKENS if token),
        "twins": ", ".join(f"`{twin}` for `{name}`" for name, twin in DAY_TWINS.items() if name != twin),
        **_shown_by_map(),
        "modes": "\n".join(f"| `{mode}` | {' | '.join(words)} |" for mode, words in _MODES.items()),
    }
    text = files("analytics.texts").joinpath("import.md").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: filled[match[1]], text)
