"""`python -m analytics trend`: whether a measure changed over time or only varies as it always did."""

from __future__ import annotations

import argparse
import json

from analytics.commands.asking import add_question, cohort_of, measure_of, published


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the command line."""
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
        print(json.dumps(result_as_dict(series), indent=1, ensure_ascii=False))
    else:
        print(series_as_text(series))
    return 0
