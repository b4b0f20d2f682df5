"""What a workbook (.xlsx) is before its values are read: an archive of XML that may be damaged, locked, or a trap.

The archive is unpacked piece by piece and never further than its own directory says. A sheet's XML is walked once
for what python-calamine does not tell: cells that hold an error, formulas that were never calculated, and how far
the sheet reaches (calamine holds the whole rectangle in memory).
"""

from __future__ import annotations

import re
import xml.parsers.expat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from analytics.intake.file_text import Refused

_PIECE: Final = 2**20
# About 1 GiB in memory. A full year of a large provider is some million cells.
MOST_CELLS: Final = 32_000_000
_LARGEST_DIRECTORY: Final = 16 * 2**20  # bytes of the small parts (sheet names, relations)
_CELL: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")

DAMAGED: Final = "Open it in Excel and save it again as .xlsx, or export CSV UTF-8."
LOCKED: Final = (
    "Open it in Excel, remove the password (File, Info, Protect Workbook, Encrypt with Password: clear it) and save "
    "it as .xlsx."
)

# Excel's own word for a result that is not there yet; given for a formula that was saved without its result.
NEVER_CALCULATED: Final = "#GETTING_DATA"


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook: its name, its part of the archive, and whether it is hidden."""

    name: str
    part: str
    hidden: bool


@dataclass(frozen=True)
class SheetScan:
    """What the walk over a sheet found.

    Attributes
    ----------
    errors : (row, column) from 0 -> the error as Excel writes it; None for #N/A, which means "not given".
    """

    errors: Mapping[tuple[int, int], str | None]


class Archive:
    """The archive of a workbook, opened; each part is given in pieces.

    Raises Refused (FILE_TYPE, FILE_TOO_LARGE) while it is opened.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        with path.open("rb") as file:
            first = file.read(8)
        if first.startswith(b"\xd0\xcf\x11\xe0"):
            raise Refused("FILE_TYPE", f"{path.name} is protected by a password, or in the old Excel format. {LOCKED}")
        if not first:
            raise Refused("EMPTY_FILE", f"{path.name} is empty.")
        try:
            with zipfile.ZipFile(path) as archive:
                parts = {info.filename.lower(): info for info in archive.infolist()}
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
            raise self.damaged() from None
        unpacked = sum(info.file_size for info in parts.values())
        if unpacked > limit:
            raise Refused(
                "FILE_TOO_LARGE",
                f"{path.name} unpacks to {unpacked:,} bytes; the limit is {limit:,}. Split it, or export CSV UTF-8.",
            )
        if any(info.flag_bits & 1 for info in parts.values()):
            raise Refused("FILE_TYPE", f"{path.name} is protected by a password. {LOCKED}")
        self._parts = parts

    def damaged(self) -> Refused:
        """Return the refusal of a workbook that cannot be read."""
        return Refused("FILE_TYPE", f"{self.path.name} is damaged or no workbook (.xlsx). {DAMAGED}")

    def pieces(self, part: str) -> Iterator[bytes]:
        """Yield a part unpacked; Refused when it is missing, damaged, or holds more than the directory says."""
        info = self._parts.get(part.lower())
        if info is None or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.damaged()
        if info.header_offset < 0:  # a directory that does not fit the file
            raise self.damaged()
        left = info.compress_size
        size = 0
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS) if info.compress_type == zipfile.ZIP_DEFLATED else None
        with self.path.open("rb") as file:
            file.seek(info.header_offset)
            header = file.read(30)
            if len(header) < 30 or header[:4] != b"PK\x03\x04":
                raise self.damaged()
            file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
            while left > 0 and (packed := file.read(min(_PIECE, left))):
                left -= len(packed)
                while packed:
                    try:
                        piece = unpacker.decompress(packed, _PIECE) if unpacker else packed
                    except zlib.error:
                        raise self.damaged() from None
                    packed = unpacker.unconsumed_tail if unpacker else b""
                    size += len(piece)
                    if size > info.file_size:
                        raise self.damaged()
                    yield piece
        if size != info.file_size:
            raise self.damaged()

    def check_shared_parts(self) -> None:
        """Unpack once what belongs to every sheet, so that nobody else meets more of it than the directory says."""
        for part in self._parts:
            if part.endswith((".xml", ".rels")) and not part.startswith("xl/worksheets/"):
                for _ in self.pieces(part):
                    pass

    def sheets(self) -> tuple[list[Sheet], bool]:
        """Return the sheets in their order, and whether days are counted from 1904 (old Macintosh workbooks)."""
        targets: dict[str, str] = {}
        sheets: list[Sheet] = []
        from_1904 = False

        def relation(element: str, given: dict[str, str]) -> None:
            if element == "Relationship" and given.get("Type", "").endswith("/worksheet"):
                target = given.get("Target", "")
                inside = target[1:] if target.startswith("/") else str(PurePosixPath("xl") / target)
                targets[given.get("Id", "")] = inside

        def workbook(element: str, given: dict[str, str]) -> None:
            nonlocal from_1904
            if element == "workbookPr":
                from_1904 = given.get("date1904", "0").lower() in ("1", "true", "on")
            if element == "sheet":
                part = targets.get(next((value for key, value in given.items() if key.endswith(":id")), ""))
                if part is not None:
                    sheets.append(Sheet(given.get("name", ""), part, given.get("state", "visible") != "visible"))

        for part, start in (("xl/_rels/workbook.xml.rels", relation), ("xl/workbook.xml", workbook)):
            if part in self._parts and self._parts[part].file_size > _LARGEST_DIRECTORY:
                raise self.damaged()
            _Parser(self, start).read(part)
        return sheets, from_1904

    def scan(self, part: str) -> SheetScan:
        """Walk over the XML of a sheet; Refused when it is damaged or reaches too far."""
        walk = _Walk(self)
        walk.read(part)
        return SheetScan(walk.errors)


class _Parser:
    """Expat over one part; a document type, with which XML can be made to explode, is refused."""

    def __init__(self, archive: Archive, start: Callable[[str, dict[str, str]], None]) -> None:
        """Call `start` at every element, with its name without the prefix of its namespace and its attributes."""
        self._archive = archive
        self._parser = xml.parsers.expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = lambda name, given: start(name.rpartition(":")[2], given)
        self._parser.StartDoctypeDeclHandler = self._refuse

    def _refuse(self, *_: object) -> None:
        raise self._archive.damaged()

    def read(self, part: str) -> None:
        """Read the part to its end."""
        try:
            for piece in self._archive.pieces(part):
                self._parser.Parse(piece, False)
            self._parser.Parse(b"", True)
        except xml.parsers.expat.ExpatError:
            raise self._archive.damaged() from None


class _Walk(_Parser):
    """The walk over a sheet: `errors`, and how far it reaches."""

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive, self._start)
        self._parser.EndElementHandler = lambda name: self._end(name.rpartition(":")[2])
        self.errors: dict[tuple[int, int], str | None] = {}
        self._row, self._column = -1, -1
        self._last_row, self._last_column = 0, 0
        self._kind = ""
        self._formula = self._filled = False
        self._text = ""

    def _start(self, element: str, given: dict[str, str]) -> None:
        if element == "c":
            self._column += 1
            if match := _CELL.fullmatch(given.get("r", "")):
                self._row, self._column = int(match[2]) - 1, _column_number(match[1])
            self._kind = given.get("t", "n")
            self._formula = self._filled = False
            self._text = ""
        elif element == "row":
            number = given.get("r", "")
            self._row = int(number) - 1 if number.isdecimal() else self._row + 1
            self._column = -1
        elif element in ("v", "is"):
            self._filled = True
            if self._kind == "e" or self._formula:
                self._parser.CharacterDataHandler = self._take
        elif element == "f":
            self._formula = True

    def _take(self, text: str) -> None:
        self._text += text

    def _end(self, element: str) -> None:
        if element == "v":
            self._parser.CharacterDataHandler = None
        if element != "c":
            return
        if self._filled or self._formula:
            self._reach()
        if self._kind == "e":
            self.errors[self._row, self._column] = None if self._text.strip() in ("#N/A", "") else self._text.strip()
        elif self._formula and self._kind != "str" and not self._text.strip():
            self.errors[self._row, self._column] = NEVER_CALCULATED

    def _reach(self) -> None:
        self._last_row, self._last_column = max(self._last_row, self._row), max(self._last_column, self._column)
        if (self._last_row + 1) * (self._last_column + 1) > MOST_CELLS:
            raise Refused(
                "FILE_TOO_LARGE",
                f"A sheet of {self._archive.path.name} reaches to row {self._last_row + 1:,} and column "
                f"{self._last_column + 1:,}. Delete what stands far below or to the right of the table, or export CSV "
                "UTF-8.",
            )


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
