"""What a failing disk or a small memory means, in a sentence: the database's own words may hold a path or a value."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb

from analytics.errors import StoreProblem

_EARLIER: Final = "Nothing was published; the earlier data are still shown."
_FULL: Final = f"The disk is full. {_EARLIER} Free some space, and import again."
_FORBIDDEN: Final = (
    f"The store cannot be written. {_EARLIER} Check the permissions of the store folder and of its disk."
)
_BROKEN: Final = f"The disk reports an error. {_EARLIER} Have the disk checked, and import again."
_MEMORY: Final = f"The memory does not suffice. {_EARLIER} Close other programs, or import on a larger computer."

_BY_NUMBER: Final = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: _FORBIDDEN,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EIO: _BROKEN,
}


@contextmanager
def failures_in_a_sentence() -> Iterator[None]:
    """Turn errors of disk and memory into a StoreProblem; any other is a mistake of the program and goes on as it is.

    For code that has published nothing yet when it fails.
    """
    try:
        yield
    except (duckdb.Error, OSError, MemoryError) as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        raise StoreProblem(sentence) from None


def _sentence(error: Exception) -> str | None:
    if isinstance(error, OSError):
        return _BY_NUMBER.get(error.errno or 0)
    # DuckDB hands on the words of the operating system, not its number.
    text = str(error)
    found = next((words for number, words in _BY_NUMBER.items() if os.strerror(number) in text), None)
    # A commit without memory is an error of the transaction, by its kind.
    out_of_memory = isinstance(error, (duckdb.OutOfMemoryException, MemoryError)) or "could not allocate" in text
    return found or (_MEMORY if out_of_memory else None)
