"""What commands share: how options are read, and what is said while something is being done."""

from __future__ import annotations

import argparse
import sys
from datetime import date


def day(text: str) -> date:
    """Return the day that an option gives; an error of the command line when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write a day as YYYY-MM-DD") from None


class Progress:
    """Says on a terminal what is being done; silent where output is read by a program."""

    def __init__(self) -> None:
        """Say nothing yet."""
        self._width = 0
        self._shown = sys.stderr.isatty()

    def __call__(self, step: str) -> None:
        """Say a step in the place of the one before."""
        if self._shown:
            print(f"\r{step.ljust(self._width)}", end="", file=sys.stderr, flush=True)
            self._width = len(step)

    def done(self) -> None:
        """Take the last step away."""
        if self._shown and self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)
