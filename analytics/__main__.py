"""The command line: `python -m analytics COMMAND`, with a list of commands under `--help`.

Exit codes: 0 done (published, or nothing new), 1 not done (nothing published, a check failed), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from analytics.commands import comparisons, history, measure, new_files
from analytics.commands.terminal import Progress, day
from analytics.doctor.finding import Finding
from analytics.errors import InstrumentProblem, IopError, UsageProblem
from analytics.settings import PROJECT_ROOT, store_folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors meant for people are printed as one sentence, without a traceback."""
    parser = command_line()
    options = parser.parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        code = command(options)
        sys.stdout.flush()
        return code
    except UsageProblem as error:
        print(error, file=sys.stderr)
        return 2
    except IopError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Who reads the output has seen enough (`| head`); what is left to write goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(
            f"The computer refused: {error.strerror or 'unknown reason'}. Check disk space and permissions.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("Stopped. Nothing was published.", file=sys.stderr)
        return 1
    except Exception as error:
        # A mistake of the program. What the database says about one may repeat a value of the data: only where it
        # happened is said.
        print(_mistake(error), file=sys.stderr)
        return 1


def _mistake(error: Exception) -> str:
    places = [
        f"{Path(frame.filename).stem}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(PROJECT_ROOT / "analytics")
    ]
    return (
        f"This is a mistake of the program ({type(error).__name__}; {' '.join(places[-3:])}). What was published "
        "before is unchanged. Please report these words; they hold nothing of your data."
    )


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line; a test reads the commands of the documents with it."""
    parser = argparse.ArgumentParser(prog="python -m analytics", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="make a synthetic program and import it")
    demo.add_argument("--episodes", type=int, default=2400, help="about how many episodes (default 2,400)")
    demo.add_argument("--seed", type=int, default=1, help="the same seed gives the same data (default 1)")
    demo.add_argument("--raw", type=Path, help="keep the raw files in this folder")
    demo.add_argument("--store", type=Path, help="store folder (default: IOP_STORE, else data/local)")
    demo.set_defaults(command=_demo)

    load = commands.add_parser("import", help="check, de-identify and publish a folder of files")
    load.add_argument("folder", type=Path, metavar="DIR", help="folder with the raw files")
    load.add_argument("--store", type=Path, help="store folder (default: IOP_STORE, else data/local)")
    load.add_argument("--privacy", required=True, choices=("limited", "expert", "safe_harbor", "synthetic"))
    load.add_argument("--key", type=Path, required=True, help="pseudonym key, 32 bytes, outside the store")
    load.add_argument("--data-cut", type=day, required=True, metavar="DATE", help="last day for which all is complete")
    load.add_argument("--mapping", type=Path, help="TOML that says which file and column is which")
    load.add_argument("--mode", choices=("full", "incremental"), default="full")
    load.add_argument("--import-date", type=day, metavar="DATE", help="day of the import (default: today)")
    load.add_argument("--allow-shrink", action="store_true", help="publish although the data shrink")
    load.add_argument("--reason", metavar="TEXT", help="why they may; noted beside the key with who and when")
    load.add_argument("--agreement", metavar="TEXT", help="data use agreement of --privacy limited: its number")
    load.add_argument("--certificate", metavar="TEXT", help="certificate of --privacy expert: its number")
    load.add_argument("--expires", type=day, metavar="DATE", help="last day of the certificate")
    load.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON")
    load.set_defaults(command=_import)

    new_files.add_to(commands)

    measure.add_to(commands)
    comparisons.add_to(commands)

    key = commands.add_parser("key", help="write a new pseudonym key")
    key.add_argument("action", choices=("new",))
    key.add_argument("file", type=Path)
    key.set_defaults(command=_key)

    doctor = commands.add_parser("doctor", help="say what is wrong with this installation")
    doctor.add_argument("--store", type=Path)
    doctor.add_argument("--key", type=Path)
    doctor.add_argument("--port", type=int, default=8501)
    doctor.set_defaults(command=_doctor)

    history.add_to(commands)

    bench = commands.add_parser("bench", help="measure speed and memory against peers")
    bench.add_argument("--episodes", type=int, default=100_000)
    bench.add_argument("--json", type=Path, help="write the figures as JSON")
    bench.set_defaults(command=_bench)
    docs = commands.add_parser("docs", help="write the generated pages of docs/")
    docs.set_defaults(command=_docs)
    return parser


def _import(options: argparse.Namespace) -> int:
    from analytics.intake.deidentify import read_key
    from analytics.intake.importer import ImportRequest, run_import
    from analytics.intake.mapping import load_mapping
    from analytics.intake.papers import checked_paper

    store = store_folder(options.store)
    if not options.folder.is_dir():
        raise UsageProblem(f"There is no folder {options.folder.name}. Give the folder that holds the raw files.")
    imported = options.import_date or date.today()
    if options.data_cut > imported:
        raise UsageProblem("The data cut lies after the day of the import. It is the last day that is complete.")
    request = ImportRequest(
        folder=options.folder,
        store=store,
        privacy_mode=options.privacy,
        key=read_key(options.key, store),
        data_cut=options.data_cut,
        import_date=imported,
        mapping=load_mapping(options.mapping) if options.mapping else None,
        batch_mode=options.mode,
        allow_shrink=options.allow_shrink,
        reason=options.reason,
        paper=checked_paper(options.privacy, options.agreement, options.certificate, options.expires),
    )
    with _report_file(options.report) as write_report:
        progress = Progress()
        report = run_import(request, progress)
        progress.done()
        print(report.as_text(), end="", flush=True)
        write_report(report.as_json())
    return 0 if report.published else 1


@contextlib.contextmanager
def _report_file(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Open the report's file, for its owner only, before the import: a report that cannot be written stops it."""
    if path is None:
        yield lambda text: None
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        path.chmod(0o600)
    except OSError as error:
        raise UsageProblem(f"The report {path.name} cannot be written ({error.strerror}). Name another file.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:

        def write(text: str) -> None:
            file.truncate(0)
            file.write(text)

        yield write


def _demo(options: argparse.Namespace) -> int:
    from analytics.demo import write_raw
    from analytics.intake.deidentify import DEMO_KEY, Key
    from analytics.intake.importer import ImportRequest, run_import

    if options.episodes < 1:
        raise UsageProblem("--episodes takes a whole number from 1.")
    raw = options.raw or Path(tempfile.mkdtemp(prefix="iop-demo-"))
    progress = Progress()
    try:
        raw.mkdir(parents=True, exist_ok=True)
        progress("writing raw files")
        facts = write_raw(raw, options.episodes, options.seed)
        request = ImportRequest(
            folder=raw,
            store=store_folder(options.store),
            privacy_mode="synthetic",
            key=Key(DEMO_KEY, None),
            data_cut=facts.data_cut,
            import_date=facts.import_date,
        )
        report = run_import(request, progress)
    finally:
        if options.raw is None:
            shutil.rmtree(raw, ignore_errors=True)
    progress.done()
    print(report.as_text(), end="")
    return 0 if report.published else 1


def _key(options: argparse.Namespace) -> int:
    from analytics.intake.deidentify import new_key

    new_key(options.file)
    print(
        f"Wrote a new key to {options.file.name}. Keep it outside the store, and keep a copy: it cannot be made again."
    )
    return 0


def _questionnaires() -> Finding:
    """Look at the TOMLs of the questionnaires, which need Python 3.11; the doctor itself answers on any Python."""
    from analytics.instruments import check_names, load_questionnaires

    try:
        check_names()
    except InstrumentProblem as problem:
        return Finding(False, "instruments", f"A questionnaire cannot be used. {problem}")
    return Finding(True, "instruments", f"{len(load_questionnaires())} questionnaires are known.")


def _doctor(options: argparse.Namespace) -> int:
    from analytics.doctor import examine

    findings = [*examine(store_folder(options.store), options.key, options.port), _questionnaires()]
    for finding in findings:
        print(f"{'ok  ' if finding.ok else 'look'}  {finding.what}: {finding.sentence}")
    return 0 if all(finding.ok for finding in findings) else 1


def generated_docs() -> dict[str, str]:
    """Return the generated pages of docs/ by file name; a test compares them with what is committed."""
    from analytics.demo.worked_examples import worked_examples
    from analytics.intake.describe import import_markdown
    from analytics.intake.dictionary import dictionary_markdown
    from analytics.measures.definitions_document import measures_markdown

    return {
        "import.md": import_markdown(),
        "data-dictionary.md": dictionary_markdown(),
        "measures.md": measures_markdown(worked_examples()),
    }


def _docs(options: argparse.Namespace) -> int:
    for name, text in generated_docs().items():
        (PROJECT_ROOT / "docs" / name).write_text(text, encoding="utf-8")
        print(f"Wrote docs/{name}.")
    return 0


def _bench(options: argparse.Namespace) -> int:
    from analytics.bench import run_bench
    from analytics.demo import write_raw

    # A line for each step, also where nobody watches: it takes minutes, and standard output stays the table's.
    return run_bench(options.episodes, options.json, write_raw, lambda step: print(f"… {step}", file=sys.stderr))


if __name__ == "__main__":
    sys.exit(main())
