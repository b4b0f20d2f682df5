"""The text of a file in pieces of whole lines, refused where it is too large, of another type, or not text.

Nothing is kept and nothing is written: a piece is about 1 MiB, however large the file is.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analytics.intake.csv_structure import LONGEST_RECORD

MAX_FILE_BYTES: Final = 4 * 2**30
_PIECE: Final = 2**20

# DuckDB without extensions decodes UTF-8 and ISO 8859-1. Windows-1252 is the same as the latter but for the
# bytes 0x80 to 0x9F (curly quotation marks, dashes, the euro sign): a file without them is the same under
# both. Every other encoding is decoded here.
_NOT_LATIN_1: Final = bytes(range(0x80, 0xA0))
_LATIN: Final = ("latin-1", "cp1252")

# A delimiter outside ASCII has several bytes; the text is then given with the unit separator in its place.
UNIT_SEPARATOR: Final = "\x1f"

# What the first bytes of other formats are.
_MAGIC: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "ZIP or Excel"),
    (b"PAR1", "Parquet"),
    (b"\xd0\xcf\x11\xe0", "old Excel"),
    (b"%PDF", "PDF"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"SQLite format 3", "SQLite"),
)

_CURES: Final = {
    "gzip": "Unpack it first, or name it .csv.gz in a mapping.",
    "ZIP or Excel": "If it is a workbook, give it its name back (.xlsx); if it is a ZIP, unpack it first.",
    "Parquet": "Give it its name back (.parquet).",
    "old Excel": "Save it as .xlsx or as CSV UTF-8.",
}


@dataclass(frozen=True)
class ReadOptions:
    """How a file is written, where a mapping says so; the defaults are what is taken without one.

    Attributes
    ----------
    encoding : a text encoding that Python knows (`known_encoding`).
    max_file_bytes : limit of the file, and of what a gzip file or a workbook unpacks to.
    gzip : the file must be gzip, not text.
    sheet, header_row : of a workbook; without the row the first row that is not blank holds the names.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    max_file_bytes: int = MAX_FILE_BYTES
    gzip: bool = False
    sheet: str | None = None
    header_row: int | None = None

    @property
    def mark(self) -> str:
        """Return the one byte that stands between fields in the pieces of text."""
        return self.delimiter if self.delimiter.isascii() else UNIT_SEPARATOR


def known_encoding(name: str) -> str | None:
    """Return the plain name of an encoding, or None when it is none that gives the same text on every machine."""
    try:
        found = codecs.lookup(name).name
        "a".encode(found)
    except (LookupError, ValueError):
        return None
    # These are no character sets: they unescape, transform, or are whatever the machine has.
    if found in ("idna", "punycode", "unicode_escape", "unicode-escape", "raw_unicode_escape", "raw-unicode-escape",
                 "undefined", "mbcs", "oem"):  # fmt: skip
        return None
    return {"iso8859-1": "latin-1", "utf-8-sig": "utf-8"}.get(found, found)


@dataclass(frozen=True)
class FileRefusal:
    """Why a file is refused whole: the rule, the column as written (None: the file), and a sentence."""

    rule: str
    column: str | None
    sentence: str


class Refused(Exception):
    """The file is refused; `refusal` is what to tell."""

    def __init__(self, rule: str, sentence: str, column: str | None = None) -> None:
        super().__init__(rule)
        self.refusal = FileRefusal(rule, column, sentence)


class HashedFile(io.RawIOBase):
    """A file opened for reading that feeds a digest with every byte, once and in order."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; none at the end."""
        chunk = self._file.read(size)
        self.digest.update(chunk)
        return chunk

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def _chunks(file: HashedFile, name: str, options: ReadOptions) -> Iterator[bytes]:
    """Yield the text of the file in chunks, unpacked if it is gzip."""
    if not options.gzip:
        while chunk := file.read(_PIECE):
            yield chunk
        return
    unpacked = 0
    try:
        with gzip.GzipFile(fileobj=file) as text:
            while chunk := text.read(_PIECE):
                unpacked += len(chunk)
                if unpacked > options.max_file_bytes:
                    limit = f"{options.max_file_bytes:,} bytes"
                    raise Refused("FILE_TOO_LARGE", f"{name} unpacks to more than {limit}.")
                yield chunk
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise Refused("FILE_TYPE", f"{name} is damaged or not gzip. Export it again.") from None


def check_type(path: Path, options: ReadOptions) -> None:
    """Refuse a file that begins like another format, and one that should be gzip and is not."""
    with path.open("rb") as file:
        first = file.read(16)
    found = next((name for magic, name in _MAGIC if first.startswith(magic)), None)
    if options.gzip and first and found != "gzip":
        raise Refused("FILE_TYPE", f"{path.name} is not gzip, though the mapping says so by its name.")
    if found is not None and not options.gzip:
        raise Refused("FILE_TYPE", f"{path.name} is {found}, not CSV. {_CURES.get(found, 'Export it as CSV UTF-8.')}")


def _pieces(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield whole lines, about a chunk at a time; only the last piece may lack its line end."""
    rest = b""
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield rest + chunk[:cut]
            rest = chunk[cut:]
        else:
            rest += chunk
        if len(rest) > LONGEST_RECORD:
            size = LONGEST_RECORD // 2**20
            raise Refused("MALFORMED_CSV", f"{name} has a line longer than {size} MiB. Export it again.")
    if rest:
        yield rest


class TextPieces:
    """A file as pieces of whole lines without byte order mark, in UTF-8, or as it is where it is Latin-1 or cp1252.

    Iterating raises Refused: FILE_TOO_LARGE (gzip), FILE_TYPE (damaged gzip), ENCODING, MALFORMED_CSV (an
    endless line).

    Attributes
    ----------
    codec : of the pieces. decoded : only Python can read the file, not DuckDB; for cp1252 this is known when the
        last piece was read.
    digest : of the bytes of the file, complete after the last piece.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._options = options
        self._foreign = options.encoding not in ("utf-8", *_LATIN) or options.mark != options.delimiter
        self.decoded = self._foreign
        self.codec = options.encoding if options.encoding in _LATIN and not self._foreign else "utf-8"
        self.digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        name, options = self._path.name, self._options
        with HashedFile(self._path) as file:
            chunks = _chunks(file, name, options)
            chunks = self._decode(chunks, name) if self._foreign else chunks
            for number, piece in enumerate(_pieces(chunks, name)):
                if number == 0 and self.codec == "utf-8":
                    if piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                        raise _not_in(name, options, "utf-16")
                    piece = piece.removeprefix(codecs.BOM_UTF8)
                if b"\0" in piece:
                    raise _with_nul(name, options, piece)
                if not self._foreign and not piece.isascii():
                    self._check(piece, name)
                if piece:
                    yield piece
            self.digest = file.digest

    def _decode(self, chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
        encoding, delimiter, mark = self._options.encoding, self._options.delimiter, self._options.mark
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for chunk in _and_end(chunks):
                text = decoder.decode(chunk, final=not chunk)
                if mark != delimiter:
                    if mark in text:
                        raise Refused("MALFORMED_CSV", f"{name} holds the control character 31. Export it again.")
                    text = text.replace(delimiter, mark)
                yield text.encode("utf-8")
        except UnicodeError:
            raise Refused(
                "ENCODING", f"{name} is not {encoding}. Name its encoding in the mapping, or save it as CSV UTF-8."
            ) from None

    def _check(self, piece: bytes, name: str) -> None:
        encoding = self._options.encoding
        if encoding == "utf-8":
            try:
                piece.decode("utf-8")
            except UnicodeDecodeError:
                raise _not_in(name, self._options, _likely(piece)) from None
        elif piece.startswith(codecs.BOM_UTF8):
            raise _not_in(name, self._options, "utf-8")
        elif len(piece.translate(None, _NOT_LATIN_1)) != len(piece):
            if encoding == "latin-1":
                raise _not_in(name, self._options, _likely(piece))
            try:
                piece.decode(encoding)
            except UnicodeDecodeError:
                raise _not_in(name, self._options, None) from None
            self.decoded = True


def _and_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield from chunks
    yield b""


def _likely(piece: bytes) -> str | None:
    """Return the encoding that bytes which are not UTF-8 probably have; None: it cannot be told."""
    if len(piece.translate(None, _NOT_LATIN_1)) == len(piece):
        return "latin-1"
    try:
        piece.decode("cp1252")
    except UnicodeDecodeError:
        return None
    return "cp1252"


_CURE: Final = "Save it as CSV UTF-8"


def _not_in(name: str, options: ReadOptions, likely: str | None) -> Refused:
    what = f"{name} is not {options.encoding.upper() if options.encoding == 'utf-8' else options.encoding}"
    if likely is None:
        return Refused("ENCODING", f'{what}. {_CURE}, or name its encoding in a mapping (encoding = "...").')
    return Refused("ENCODING", f'{what}; it looks like {likely}. {_CURE}, or write encoding = "{likely}" in a mapping.')


def _with_nul(name: str, options: ReadOptions, piece: bytes) -> Refused:
    """A text in UTF-16 has a NUL in every second byte, as far as it is in Latin letters."""
    even, odd = piece[0::2].count(0), piece[1::2].count(0)
    if max(even, odd) > 10 * min(even, odd) and max(even, odd) > len(piece) // 4:
        return _not_in(name, options, "utf-16-be" if even > odd else "utf-16-le")
    return Refused("ENCODING", f"{name} holds NUL bytes, so it is not plain text. {_CURE}.")
