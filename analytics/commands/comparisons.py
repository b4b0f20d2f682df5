"""`python -m analytics compare | trend`: groups as if they had the same people; change told from ordinary movement."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from analytics.commands.asking import add_question, cohort_of, measure_of, published, split_of
from analytics.errors import UsageProblem

if TYPE_CHECKING:
    from analytics.measures.between_groups import GroupComparison
    from analytics.measures.over_time import TimeSeries

R = TypeVar("R", "GroupComparison", "TimeSeries")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the command line."""
    compare = commands.add_parser("compare", help="groups beside each other, as if they had the same people")
    compare.add_argument("id", metavar="MEASURE", help="a measure, such as completion")
    compare.add_argument("--by", required=True, help="split by this column, such as program_id")
    add_question(compare)
    compare.add_argument("--format", choices=("text", "json"), default="text")
    compare.set_defaults(command=_compare)

    trend = commands.add_parser("trend", help="a measure over time: whether it changed, or only varies")
    trend.add_argument("id", metavar="MEASURE", help="a measure, such as completion")
    trend.add_argument(
        "--period",
        choices=("month", "quarter", "year"),
        help="how long a period is (default: as short as the data keep it)",
    )
    known = trend.add_mutually_exclusive_group()
    known.add_argument("--baseline", type=int, metavar="N", help="freeze centre and limits on the first N periods")
    known.add_argument("--change-at", metavar="PERIOD", help="something was changed from this period on")
    add_question(trend)
    trend.add_argument("--format", choices=("text", "json"), default="text")
    trend.set_defaults(command=_trend)


def _compare(options: argparse.Namespace) -> int:
    from analytics.measures.between_groups import compare_groups
    from analytics.measures.between_groups_text import comparison_as_text

    by = split_of(options.by)
    if by is None:
        raise UsageProblem("Say what to compare, such as --by program_id.")
    comparison = compare_groups(measure_of(options), published(options), by, cohort_of(options))
    _print(comparison, comparison_as_text, options)
    return 0


def _trend(options: argparse.Namespace) -> int:
    from analytics.measures.over_time import over_time
    from analytics.measures.over_time_text import series_as_text

    measure, cohort, snapshot = measure_of(options), cohort_of(options), published(options)
    series = over_time(
        measure,
        snapshot,
        snapshot.facts.data_as_of,
        options.period,
        cohort,
        baseline=options.baseline,
        change_at=options.change_at,
    )
    _print(series, series_as_text, options)
    return 0


def _print(result: R, as_text: Callable[[R], str], options: argparse.Namespace) -> None:
    from analytics.measures.as_json import result_as_dict

    if options.format == "json":
        print(json.dumps(result_as_dict(result), indent=1, ensure_ascii=False))
    else:
        print(as_text(result))
