"""What the commands that ask the published snapshot share: of which measure, of whom, split how, and from where."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.errors import UsageProblem
from analytics.profiles import PROFILES
from analytics.settings import store_folder

if TYPE_CHECKING:
    from analytics.measures.types import Cohort, Measure, Stratifier
    from analytics.store.snapshot import Snapshot


def add_question(command: argparse.ArgumentParser) -> None:
    """Add the options that say which measure, of whom, and from which store."""
    command.add_argument("--instrument", help="for symptom measures, such as phq9")
    command.add_argument("--profile", choices=PROFILES, default="default", help="whose thresholds or rules")
    command.add_argument("--unit", choices=("episode", "person", "course"), default="episode")
    command.add_argument(
        "--where", action="append", default=[], metavar="COLUMN=VALUE", help="keep only these; repeatable"
    )
    command.add_argument("--start", help="admitted from this period on, such as 2026-01")
    command.add_argument("--end", help="admitted up to and including this period")
    command.add_argument("--store", type=Path, help="store folder (default: IOP_STORE, else data/local)")


def measure_of(options: argparse.Namespace) -> Measure:
    """Return the measure that is asked for."""
    from analytics.measures import catalog

    return catalog.find(options.id, options.instrument, options.profile)


def cohort_of(options: argparse.Namespace) -> Cohort:
    """Return who is looked at."""
    from analytics.measures.types import Cohort

    where: dict[str, tuple[str, ...]] = {}
    for condition in options.where:
        column, equals, value = condition.partition("=")
        if not equals:
            raise UsageProblem("Write --where COLUMN=VALUE, such as --where modality=telehealth.")
        where[column] = (*where.get(column, ()), value)
    return Cohort(where, options.start, options.end, options.unit)


def split_of(name: str | None) -> Stratifier | None:
    """Return the split that is asked for; None when none is."""
    from analytics.measures.types import Stratifier

    try:
        return Stratifier(name) if name else None
    except ValueError:
        raise UsageProblem(f"There is no split {name}. Choose one of {', '.join(Stratifier)}.") from None


def published(options: argparse.Namespace) -> Snapshot:
    """Open what is published now, and say on standard error when its paper is missing."""
    from analytics.store.snapshot import open_current
    from analytics.texts import words

    snapshot = open_current(store_folder(options.store))
    if gap := snapshot.facts.paper_gap(date.today()):
        print(f"Mind: {words('paper_gap', gap)}. These numbers must not leave this house.", file=sys.stderr)
    return snapshot
