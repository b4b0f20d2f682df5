"""Speed and memory against peers: `python -m analytics bench`; docs/benchmarks.md says what each row means.

All rows use one made-up data set, imported once into a temporary store. A figure is worth nothing alone, so it
stands beside a peer measured in the same run, or beside a budget.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analytics.bench.budget import Row
from analytics.bench.printed import as_dict, as_line, as_text, gates_met
from analytics.bench.timing import in_child
from analytics.errors import StoreProblem, UsageProblem
from analytics.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from analytics.bench.raw_files import WriteRaw

__all__ = ["run_bench"]

# With fewer, a modality may be empty, and there is nothing to compare.
FEWEST_EPISODES: Final = 100

# More are not imported: those that were are copied.
MOST_IMPORTED: Final = 1_000_000

# Raw files and a store with its scratch files, at their largest, as measured; the store of the copies; and the demo
# for the pages.
BYTES_PER_EPISODE: Final = 10_000
BYTES_PER_COPY: Final = 3_000
BYTES_AT_LEAST: Final = 500_000_000


def run_bench(
    episodes: int,
    json_path: Path | None,
    write_raw: WriteRaw,
    progress: Callable[[str], None] = lambda step: None,
    project: Path = PROJECT_ROOT,
) -> int:
    """Measure every row, print the table, and return the exit code.

    Parameters
    ----------
    episodes : size of the made-up data. Budgets hold from a million on; with fewer, most rows are not judged. With
        more, a million at most are imported and copied, and the rows of the import and of pandas are about those.
    json_path : where the figures are also written as JSON; None = nowhere.
    write_raw : writes the raw files of so many episodes into a folder. It must be importable: it runs in a
        process of its own.
    progress : told what is being measured, and each figure as soon as it is known: the rest may take an hour.
    project : the folder with `app.py` and `pages/`, for the row of page reruns.

    Returns
    -------
    int
        1 when a gate is missed, else 0. What could not be measured is printed and not counted.

    Raises
    ------
    UsageProblem
        Too few episodes.
    StoreProblem
        The temporary folder has not enough room, or the made-up data could not be imported.
    """
    if episodes < FEWEST_EPISODES:
        raise UsageProblem(f"--episodes takes a whole number from {FEWEST_EPISODES}.")
    with tempfile.TemporaryDirectory(prefix="iop-benchmark-", ignore_cleanup_errors=True) as name:
        print(_room(Path(name), episodes), flush=True)
        rows = _measure(Path(name), episodes, write_raw, progress, project)
    print(as_text(rows, episodes), end="")
    if json_path is not None:
        json_path.write_text(json.dumps(as_dict(rows, episodes), indent=1) + "\n", encoding="utf-8")
    met, measured = gates_met(rows, episodes)
    return 0 if met == measured else 1


def _measure(
    folder: Path, episodes: int, write_raw: WriteRaw, progress: Callable[[str], None], project: Path
) -> list[Row]:
    """Return the rows in the order of docs/benchmarks.md, each kind measured in its own process."""
    # Here and not above: a child sets itself up before it imports the database (analytics.bench.timing).
    from analytics.bench.copies import copied_store
    from analytics.bench.curves import curve_rows
    from analytics.bench.evaluation import evaluation_rows
    from analytics.bench.outcome_tables import against_pandas, outcome_rows
    from analytics.bench.page_runs import page_rows
    from analytics.bench.raw_files import import_once, import_rows

    scratch = folder / "scratch"
    scratch.mkdir()
    progress("making and importing the data")
    times = _copies(episodes)
    imported = import_once(folder, episodes // times, write_raw)
    of_import = _told(import_rows(imported), progress)
    imported_store = store = folder / "store"
    if times > 1:
        progress(f"copying the data {times} times over")
        store = copied_store(imported_store, folder / "copies", times)
    progress("measures")
    rows = _told(in_child(evaluation_rows, store, episodes), progress)
    progress("curves")
    rows += _told(in_child(curve_rows, store, scratch), progress)
    progress("outcome tables")
    rows += _told(outcome_rows(store, scratch, episodes), progress)
    progress("weeks and pairs")
    rows += _told([in_child(against_pandas, imported_store)], progress)
    progress("pages")
    return rows + of_import + page_rows(project, folder / "demo", write_raw)


def _told(rows: list[Row], progress: Callable[[str], None]) -> list[Row]:
    for row in rows:
        progress(as_line(row))
    return rows


def _copies(episodes: int) -> int:
    """Return how many times over the imported data make this many episodes."""
    return -(-episodes // MOST_IMPORTED)


def _room(folder: Path, episodes: int) -> str:
    """Return a sentence about the disk; StoreProblem when the temporary files would fill it."""
    times, free = _copies(episodes), shutil.disk_usage(folder).free
    needed = BYTES_PER_EPISODE * (episodes // times) + (BYTES_PER_COPY * episodes if times > 1 else 0)
    needed = max(BYTES_AT_LEAST, needed)
    if needed > free:
        raise StoreProblem(
            f"The benchmark needs about {needed / 1e9:.1f} GB for temporary files, and {free / 1e9:.1f} GB are free. "
            "Try fewer --episodes, or set TMPDIR to a folder on another disk."
        )
    return (
        f"Temporary files take up to {needed / 1e9:.1f} GB of the {free / 1e9:.1f} GB that are free; "
        "they are removed at the end."
    )
