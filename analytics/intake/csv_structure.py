"""The structure of a CSV file, counted in one pass over its bytes: records, fields, quotes, line ends.

DuckDB parses the values; this module says beforehand how many records there are, which of them have too few
or too many fields, and whether two readers could disagree about the file at all. Only RFC 4180 is taken: a
quotation mark stands around a whole field, is doubled inside it, and lines end in LF or CRLF. Anything else
is a problem of the file, because every guess about it would move record numbers or swallow records.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]

LONGEST_RECORD: Final = 16 * 2**20
"""Bytes. Far above 1,024 characters in each of some hundred columns; a longer one was never closed."""

_LF: Final = 0x0A
_CR: Final = 0x0D
_QUOTE: Final = 0x22


class CsvStructure:
    """Counts of a CSV file that is fed in pieces of whole lines; the first record (number 0) is the header.

    Attributes
    ----------
    records : records so far, the header included; blank lines are none.
    fields : fields of the header; 0 before it was seen.
    longest_record : bytes of the longest record so far, line end excluded.
    quoted_line_ends : a line end lies inside quotation marks somewhere.
    problem : why the file cannot be read, in words and without a value; None while it can.
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = ord(delimiter)
        self._open = 0  # 1 while inside quotation marks
        self._open_bytes = 0  # of a record that began in an earlier piece
        self._open_delimiters = 0
        self._misshapen: list[Positions] = []
        self.records = 0
        self.fields = 0
        self.longest_record = 0
        self.quoted_line_ends = False
        self.problem: str | None = None

    @property
    def misshapen(self) -> Positions:
        """Numbers of the records whose number of fields is not that of the header, ascending."""
        return np.concatenate([np.empty(0, np.int64), *self._misshapen])

    def feed(self, piece: bytes) -> None:
        """Count a piece that ends with a line end (the last piece of a file: with or without one)."""
        if self.problem is not None or not piece:
            return
        if not piece.endswith(b"\n"):
            piece += b"\n"
        content: Bytes = np.frombuffer(piece, np.uint8)
        line_ends = np.flatnonzero(content == _LF)
        delimiters = np.flatnonzero(content == self._delimiter)
        returns = np.flatnonzero(content == _CR) if b"\r" in piece else np.empty(0, np.int64)
        if self._open or b'"' in piece:
            quotes = np.flatnonzero(content == _QUOTE)
            stray = self._stray_quotes(content, quotes)
            found = len(line_ends) + len(returns)
            line_ends = line_ends[self._outside(quotes, line_ends)]
            returns = returns[self._outside(quotes, returns)]
            delimiters = delimiters[self._outside(quotes, delimiters)]
            self.quoted_line_ends |= len(line_ends) + len(returns) < found
            self._open = (self._open + len(quotes)) % 2
        else:
            stray = np.empty(0, np.int64)
        bare = returns[content[returns + 1] != _LF]
        self._report(stray, bare, line_ends)
        if self.problem is None:
            self._count(content, line_ends, delimiters, crlf=bool(len(returns)))

    def finish(self) -> None:
        """Say that the file has ended."""
        if self.problem is None and self._open:
            self.problem = f"a quotation mark is opened in record {self.records} and never closed"

    def _outside(self, quotes: Positions, positions: Positions) -> npt.NDArray[np.bool_]:
        """Return which positions lie outside quotation marks: an even number of marks stands before them."""
        outside: npt.NDArray[np.bool_] = (np.searchsorted(quotes, positions) + self._open) % 2 == 0
        return outside

    def _stray_quotes(self, content: Bytes, quotes: Positions) -> Positions:
        """Return the quotation marks that neither enclose a whole field nor are doubled inside one."""
        closes = (np.arange(len(quotes)) + self._open) % 2 == 1
        opening, closing = quotes[~closes], quotes[closes]
        # A piece begins a line and ends in a line end, so the byte "before" the first one is right: the last.
        before = content[opening - 1]
        after = content[closing + 1]
        opens = (before == self._delimiter) | (before == _LF) | (before == _QUOTE)
        ends = (after == self._delimiter) | (after == _LF) | (after == _CR) | (after == _QUOTE)
        return np.concatenate([opening[~opens], closing[~ends]])

    def _report(self, stray: Positions, bare: Positions, line_ends: Positions) -> None:
        found = np.concatenate([stray, bare])
        if not len(found):
            return
        first = int(found.min())
        # Blank lines before it are counted here too: the number says about where to look.
        near = self.records + int(np.searchsorted(line_ends, first))
        self.problem = (
            f"a line near record {near} ends in a carriage return only"
            if first in bare
            else f"a quotation mark near record {near} stands inside a field instead of around it"
        )

    def _count(self, content: Bytes, line_ends: Positions, delimiters: Positions, crlf: bool) -> None:
        if not len(line_ends):
            self._open_bytes += len(content)
            self._open_delimiters += len(delimiters)
        else:
            starts = np.concatenate([[0], line_ends[:-1] + 1])
            lengths = line_ends - starts
            if crlf:
                lengths -= (lengths > 0) & (content[line_ends - 1] == _CR)
            lengths[0] += self._open_bytes
            counts = self._fields(line_ends, delimiters)
            self._close_records(content, starts, lengths, counts)
            self._open_bytes = len(content) - int(line_ends[-1]) - 1
            self._open_delimiters = len(delimiters) - int(np.searchsorted(delimiters, line_ends[-1]))
        if max(self.longest_record, self._open_bytes) > LONGEST_RECORD:
            self.problem = f"record {self.records} is longer than {LONGEST_RECORD // 2**20} MiB"

    def _fields(self, line_ends: Positions, delimiters: Positions) -> Positions:
        """Return the number of fields of each line that ends outside quotation marks."""
        per_line = self.fields - 1
        if per_line > 0 and not self._open_delimiters and len(delimiters) == per_line * len(line_ends):
            # Nearly always every line has the same number; two comparisons per line then show that it does.
            rows = delimiters.reshape(-1, per_line)
            if (rows[:, -1] < line_ends).all() and (rows[1:, 0] > line_ends[:-1]).all():
                return np.full(len(line_ends), self.fields)
        counts = np.diff(np.searchsorted(delimiters, line_ends), prepend=0) + 1
        counts[0] += self._open_delimiters
        return counts

    def _close_records(self, content: Bytes, starts: Positions, lengths: Positions, counts: Positions) -> None:
        self.longest_record = max(self.longest_record, int(lengths.max()))
        is_record = lengths > 0
        if self.fields == 0 and is_record.any():
            self.fields = int(counts[np.argmax(is_record)])
        if self.fields == 1:
            # With one column, an empty value in quotation marks is what a blank line is: no record.
            is_record &= ~((lengths == 2) & (content[starts] == _QUOTE))
        wrong = is_record & (counts != self.fields)
        if wrong.any():
            self._misshapen.append(self.records + np.cumsum(is_record)[wrong] - 1)
        self.records += int(is_record.sum())
