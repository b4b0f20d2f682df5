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
from typing import Final, Literal

from analytics.intake.csv_structure import LONGEST_RECORD

MAX_FILE_BYTES: Final = 4 * 2**30
_PIECE: Final = 2**20
Encoding = Literal["utf-8", "latin-1", "cp1252"]

# DuckDB without extensions decodes UTF-8 and ISO 8859-1. Windows-1252 is the same as the latter but for the
# bytes 0x80 to 0x9F (curly quotation marks, dashes, the euro sign): a file without them is the same under
# both.
DUCKDB_ENCODINGS: Final[dict[Encoding, str]] = {"utf-8": "utf-8", "latin-1": "latin-1", "cp1252": "latin-1"}
_NOT_LATIN_1: Final = bytes(range(0x80, 0xA0))

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


@dataclass(frozen=True)
class ReadOptions:
    """How a file is written, where a mapping says so; the defaults are what is taken without one.

    Attributes
    ----------
    max_file_bytes : limit of the file, and of what a gzip file unpacks to.
    gzip : the file must be gzip, not text.
    """

    delimiter: str = ","
    encoding: Encoding = "utf-8"
    max_file_bytes: int = MAX_FILE_BYTES
    gzip: bool = False


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
        raise Refused("FILE_TYPE", f"{path.name} is {found}, not CSV. Export it as CSV UTF-8.")


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


def text_pieces(file: HashedFile, name: str, options: ReadOptions) -> Iterator[bytes]:
    """Yield whole lines without byte order mark, each piece found to be text in the encoding.

    Raises
    ------
    Refused
        FILE_TOO_LARGE (gzip), FILE_TYPE (damaged gzip), ENCODING, MALFORMED_CSV (an endless line).
    """
    for number, piece in enumerate(_pieces(_chunks(file, name, options), name)):
        if number == 0 and piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise Refused("ENCODING", f'{name} is UTF-16 ("Unicode text"). Save it as CSV UTF-8.')
        if b"\0" in piece:
            raise Refused("ENCODING", f"{name} holds NUL bytes, so it is not plain text. Save it as CSV UTF-8.")
        if options.encoding == "utf-8":
            piece = piece.removeprefix(codecs.BOM_UTF8) if number == 0 else piece
        if not piece.isascii():
            _check_encoding(piece, name, options.encoding)
        yield piece


def _check_encoding(piece: bytes, name: str, encoding: Encoding) -> None:
    if encoding == "utf-8":
        try:
            piece.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("ENCODING", f"{name} is not UTF-8. Save it as CSV UTF-8.") from None
    elif len(piece.translate(None, _NOT_LATIN_1)) != len(piece) or piece.startswith(codecs.BOM_UTF8):
        raise Refused(
            "ENCODING",
            f"{name} has characters that cannot be read as {encoding} here (curly quotation marks, dashes or "
            "the euro sign of Windows, or another encoding). Save it as CSV UTF-8.",
        )
