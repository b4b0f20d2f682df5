"""The benchmark as text and as JSON."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from analytics.bench.budget import Gate, Row, Verdict

HEAD: Final = ("", "ours", "peer", "ratio", "gate", "target", "runs", "verdict")


def as_text(rows: Sequence[Row], episodes: int) -> str:
    """Return the table, the machine and, as the last line, how many gates were met."""
    lines = [HEAD, *(_cells(row, episodes) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    table = [
        "  ".join(
            # Words to the left, figures to the right.
            cell.ljust(width) if column in (0, len(HEAD) - 1) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    machine = ", ".join(f"{name} {value}" for name, value in machine_facts().items())
    met, measured = gates_met(rows, episodes)
    return "\n".join(
        [f"{episodes:,} episodes", "", *table, "", f"Machine: {machine}", f"{met} of {measured} gates met", ""]
    )


def as_line(row: Row) -> str:
    """Return one row without its verdict, to be told while the others are still measured."""
    return "  ".join(cell for cell in _cells(row, 0)[:5] if cell)


def as_dict(rows: Sequence[Row], episodes: int) -> dict[str, object]:
    """Return the same for a program: figures unrounded, None where there is none."""
    met, measured = gates_met(rows, episodes)
    return {
        "episodes": episodes,
        "machine": machine_facts(),
        "rows": [
            {
                "work": row.work,
                "unit": row.unit,
                "ours": row.ours,
                "peer": row.peer or None,
                "peer_figure": row.against,
                "ratio": row.ratio,
                "gate": row.gate.limit,
                "target": row.gate.target,
                "at_least": row.gate.at_least,
                "gate_from_episodes": row.gate.from_episodes,
                "gate_until_episodes": row.gate.until_episodes,
                "runs": row.runs if row.ours is not None else 0,
                "verdict": row.verdict(episodes).value,
                "reason": row.reason or row.disagreement or None,
                "note": row.note or None,
            }
            for row in rows
        ],
        "gates_met": met,
        "gates_measured": measured,
    }


def gates_met(rows: Sequence[Row], episodes: int) -> tuple[int, int]:
    """Return how many gates were met, and how many were measured and hold at this size."""
    verdicts = [row.verdict(episodes) for row in rows]
    return verdicts.count(Verdict.MET), verdicts.count(Verdict.MET) + verdicts.count(Verdict.MISSED)


def machine_facts() -> dict[str, str]:
    """Return what the figures depend on: processors, memory, system, and versions of what was measured."""
    facts = {
        "processors": str(os.cpu_count() or "not known"),
        "memory": _memory(),
        "system": platform.system(),
        "Python": platform.python_version(),
    }
    for package in ("duckdb", "numpy", "pandas", "statsmodels", "streamlit"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    return facts | _r_versions()


def _r_versions() -> dict[str, str]:
    """Return the versions of R and its package survival, asked here: what times R imports the database."""
    program = shutil.which("Rscript")
    asked = "cat(as.character(getRversion()), as.character(packageVersion('survival')))"
    told = program and subprocess.run([program, "--vanilla", "-e", asked], capture_output=True, text=True, check=False)
    versions = told.stdout.split() if told and told.returncode == 0 else ["not installed"] * 2
    return dict(zip(("R", "survival"), versions, strict=True))


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf; others may not know the name
        return "not known"
    return f"{size / 1e9:.0f} GB"


def _cells(row: Row, episodes: int) -> tuple[str, ...]:
    verdict = row.verdict(episodes)
    words = verdict.value
    if verdict is Verdict.NOT_JUDGED:
        words = f"not judged: {_holds(row.gate, episodes)}"
    elif row.reason or row.disagreement:
        words = f"{words}: {row.reason or row.disagreement}"
    if row.note:
        words = f"{words} ({row.note})"
    unit = "×" if row.peer else row.unit
    return (
        f"{row.work} | {row.peer}" if row.peer else row.work,
        _figure(row.ours, row.unit),
        _figure(row.against, row.unit),
        _figure(row.ratio, "×"),
        _limit(row.gate, row.gate.limit, unit),
        "" if row.gate.target is None else _limit(row.gate, row.gate.target, unit),
        "" if row.ours is None else str(row.runs),
        words,
    )


def _holds(gate: Gate, episodes: int) -> str:
    """Return at which sizes a gate holds that does not hold at this one."""
    if episodes < gate.from_episodes:
        return f"holds from {gate.from_episodes:,} episodes on"
    return f"holds up to {gate.until_episodes:,} episodes"


def _limit(gate: Gate, limit: float, unit: str) -> str:
    return f"{'≥' if gate.at_least else '≤'} {_figure(limit, unit)}"


def _figure(figure: float | None, unit: str) -> str:
    """Write three digits that matter, whole numbers in full; "" when there is no figure."""
    if figure is None:
        return ""
    return f"{figure:,.0f} {unit}" if abs(figure) >= 100 else f"{figure:.3g} {unit}"
