"""The data of the benchmark: raw files made and imported once, and what the import took."""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Protocol

from analytics.bench.budget import Gate, Row, memory_row
from analytics.bench.timing import in_child, peak_memory
from analytics.errors import StoreProblem
from analytics.intake.deidentify import new_key

ROWS_PER_SECOND: Final = Gate(300_000, target=400_000, at_least=True)
PEAK_GIGABYTES: Final = Gate(4)


class RawFacts(Protocol):
    """What is known of the raw files that were written."""

    @property
    def data_cut(self) -> date:
        """Return the last day for which the files are complete."""
        ...

    @property
    def import_date(self) -> date:
        """Return a day on which to import them."""
        ...


WriteRaw = Callable[[Path, int], RawFacts]


@dataclass(frozen=True)
class Imported:
    """One import: rows read of each file that it uses, seconds, and peak memory in bytes (None = not known)."""

    rows_of: dict[str, int]
    seconds: float
    peak: int | None

    @property
    def rows(self) -> int:
        """Return the rows of all files."""
        return sum(self.rows_of.values())


def import_once(folder: Path, episodes: int, write_raw: WriteRaw) -> Imported:
    """Make raw files for this many episodes, import them into `folder / "store"`, and remove them."""
    raw, store, key = folder / "raw", folder / "store", folder / "benchmark.key"
    facts = in_child(write_raw, raw, episodes)
    new_key(key)
    report = folder / "report.json"
    command = ["import", str(raw), "--store", str(store), "--key", str(key), "--privacy", "synthetic"]
    command += ["--data-cut", facts.data_cut.isoformat(), "--import-date", facts.import_date.isoformat()]
    seconds, peak = in_child(run_command, [*command, "--report", str(report)])
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    rows = {name.removesuffix(".csv"): file["records_read"] for name, file in files.items() if file["records_read"]}
    for file in raw.iterdir():
        file.unlink()
    return Imported(rows, seconds, peak)


def run_command(arguments: list[str]) -> tuple[float, int | None]:
    """Run `python -m analytics` with these arguments in this process; return seconds and peak memory.

    Raises
    ------
    StoreProblem
        The command did not end with exit code 0; its last line says why.
    """
    said = io.StringIO()
    sys.argv = ["analytics", *arguments]
    started = time.perf_counter()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            runpy.run_module("analytics", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            if end.code:
                last = said.getvalue().strip().splitlines()[-1:]
                raise StoreProblem(f"The benchmark could not import its data. {' '.join(last)}") from None
    return time.perf_counter() - started, peak_memory()


def import_rows(imported: Imported) -> list[Row]:
    """Return speed and memory of the import; it ran once, for it makes the store that all else uses."""
    work, speed = f"import of {imported.rows:,} raw rows, all rules", imported.rows / imported.seconds
    most_first = sorted(imported.rows_of.items(), key=lambda item: -item[1])
    note = f"{imported.seconds:,.0f} s: " + ", ".join(f"{rows:,} {name}" for name, rows in most_first)
    return [
        Row(work, "rows/s", ROWS_PER_SECOND, speed, note=note),
        memory_row("import, peak memory", PEAK_GIGABYTES, imported.peak),
    ]
