"""`python -m analytics compare | trend`: groups as if they had the same people; change told from ordinary movement."""

from __future__ import annotations

import argparse
import json

from analytics.commands.asking import add_question, cohort_of, measure_of, published, split_of
from analytics.errors import UsageProblem


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
    from analytics.measures.as_json import result_as_dict
    from analytics.measures.between_groups import compare_groups
    from analytics.measures.between_groups_text import comparison_as_text

    by = split_of(options.by)
    if by is None:
        raise UsageProblem("Say what to compare, such as --by program_id.")
    measure, cohort, snapshot = measure_of(options), cohort_of(options), published(options)
    comparison, data_as_of = compare_groups(measure, snapshot, by, cohort), snapshot.facts.data_as_of
    if options.format == "json":
        _print_json({"data_as_of": data_as_of, **result_as_dict(comparison)})
    else:
        print(comparison_as_text(comparison, data_as_of))
    return 0


def _trend(options: argparse.Namespace) -> int:
    from analytics.measures.as_json import result_as_dict
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
    if options.format == "json":
        _print_json(result_as_dict(series))
    else:
        print(series_as_text(series))
    return 0


def _print_json(content: dict[str, object]) -> None:
    print(json.dumps(content, indent=1, ensure_ascii=False))
