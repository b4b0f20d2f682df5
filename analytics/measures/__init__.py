"""Measures: what is counted, of whom, and how; the catalogue of them; and `evaluate`, which computes them.

A measure is a declaration in its family's file, a cohort says which episodes, a stratifier how they are
split. Results cannot be drawn: `analytics.disclosure` makes them showable.
"""

from analytics.measures.as_json import result_as_dict
from analytics.measures.as_text import result_as_text
from analytics.measures.cards import DefinitionCard, definition_card
from analytics.measures.catalog import CATALOG, find, headline
from analytics.measures.definitions_document import measures_markdown
from analytics.measures.evaluate import evaluate, statement
from analytics.measures.pairs import PairCounts, pair_counts
from analytics.measures.results import Curve, Estimate, Ladder, StratifiedResult
from analytics.measures.types import ALL, NOT_KNOWN, Cohort, Measure, SnapshotCursor, Stratifier

__all__ = [
    "ALL",
    "CATALOG",
    "NOT_KNOWN",
    "Cohort",
    "Curve",
    "DefinitionCard",
    "Estimate",
    "Ladder",
    "Measure",
    "PairCounts",
    "SnapshotCursor",
    "StratifiedResult",
    "Stratifier",
    "definition_card",
    "evaluate",
    "find",
    "headline",
    "measures_markdown",
    "pair_counts",
    "result_as_dict",
    "result_as_text",
    "statement",
]
