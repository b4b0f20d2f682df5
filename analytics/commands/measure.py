"""`python -m analytics measure`: any measure, or all of them, as text, JSON or SQL."""

from __future__ import annotations

import argparse
import json

from analytics.commands.asking import add_question, cohort_of, measure_of, published, split_of


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command of this module to the command line."""
    measure = commands.add_parser("measure", help="compute a measure from the published snapshot")
    measure.add_argument("id", nargs="?", help="a measure; without one the measures are listed")
    measure.add_argument("--all", action="store_true", help="every measure")
    measure.add_argument("--by", help="split by this column, such as modality")
    add_question(measure)
    measure.add_argument("--format", choices=("text", "json", "sql"), default="text")
    measure.add_argument(
        "--explain",
        type=int,
        metavar="EPISODE",
        help="why this episode of the snapshot is counted or not; stays inside",
    )
    measure.set_defaults(command=_measure)


def _measure(options: argparse.Namespace) -> int:
    from analytics.measures import catalog, evaluate
    from analytics.measures.as_json import result_as_dict
    from analytics.measures.as_text import result_as_text
    from analytics.measures.definitions_document import definition_comments
    from analytics.measures.evaluate import statement
    from analytics.measures.explain import explain, explanation_as_text

    if not options.id and not options.all:
        for measure in catalog.CATALOG:
            print(f"{catalog.FAMILY_OF[measure.id]:14} {measure.name:44} {measure.title}")
        return 0
    by, cohort = split_of(options.by), cohort_of(options)
    chosen = [measure_of(options)] if not options.all else list(catalog.in_profile(options.profile))
    if options.format == "sql":
        for measure in chosen:
            print(f"{definition_comments(measure)}\n\n{statement(measure, cohort, by)}")
        return 0
    snapshot = published(options)
    if options.all:
        used = {row[0] for row in snapshot.query("select distinct instrument from program_instrument")}
        chosen = [each for each in chosen if each.instrument is None or each.instrument in used]
    if options.explain is not None:
        print("\n\n".join(explanation_as_text(explain(each, snapshot, options.explain, cohort, by)) for each in chosen))
        return 0
    results = evaluate(chosen, snapshot, cohort, by, weighted=True)
    if options.format == "json":
        content = [{"data_as_of": snapshot.facts.data_as_of, **result_as_dict(result)} for result in results]
        print(json.dumps(content if options.all else content[0], indent=1, ensure_ascii=False))
    else:
        print("\n\n".join(result_as_text(result, snapshot.facts.data_as_of) for result in results))
    return 0
