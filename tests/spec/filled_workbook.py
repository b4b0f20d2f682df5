"""Type rows into a workbook as a person does: into the sheets that are there, leaving all else of the file as it is.

Texts, numbers and days (serial numbers with the format of their column) are put into the XML of the sheets.
"""

import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

FIRST_SERIAL = date(1899, 12, 30)

Row = Mapping[str, object]


def sheet_parts(content: zipfile.ZipFile) -> dict[str, str]:
    """Return the part of every sheet by the sheet's name."""
    relations = content.read("xl/_rels/workbook.xml.rels").decode()
    targets = dict(re.findall(r'Id="(rId\d+)"[^>]*?Target="([^"]+)"', relations))
    sheets = re.findall(r'<sheet name="([^"]+)"[^>]*?r:id="(rId\d+)"', content.read("xl/workbook.xml").decode())
    return {name: f"xl/{targets[relation]}" for name, relation in sheets}


def sheet_text(path: Path, name: str) -> str:
    """Return the XML of a sheet."""
    with zipfile.ZipFile(path) as content:
        return content.read(sheet_parts(content)[name]).decode()


def fill(source: Path, target: Path, tables: Mapping[str, Sequence[Row]], heads: Mapping[str, Sequence[str]]) -> None:
    """Copy a workbook with rows typed in below the heads of its sheets."""
    with zipfile.ZipFile(source) as template, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as filled:
        names = {part: name for name, part in sheet_parts(template).items() if name in tables}
        for part in template.namelist():
            content = template.read(part)
            if (name := names.get(part)) is not None:
                text = content.decode()
                styles = _column_styles(text)
                rows = [
                    _row(number, [row.get(head) for head in heads[name]], styles)
                    for number, row in enumerate(tables[name], start=2)
                ]
                content = text.replace("</sheetData>", "".join(rows) + "</sheetData>").encode()
            filled.writestr(part, content)


def _column_styles(sheet: str) -> dict[int, str]:
    styles: dict[int, str] = {}
    for first, last, style in re.findall(r'<col min="(\d+)" max="(\d+)"[^>]*?style="(\d+)"', sheet):
        styles |= dict.fromkeys(range(int(first) - 1, int(last)), style)
    return styles


def _row(number: int, values: Sequence[object], styles: Mapping[int, str]) -> str:
    cells = [_cell(f"{_letters(place)}{number}", value, styles.get(place)) for place, value in enumerate(values)]
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(reference: str, value: object, style: str | None) -> str:
    if value is None or value == "":
        return ""
    where = f'r="{reference}"' + (f' s="{style}"' if style else "")
    if isinstance(value, date):
        return f"<c {where}><v>{(value - FIRST_SERIAL).days}</v></c>"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"<c {where}><v>{value}</v></c>"
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    return f'<c {where} t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def _letters(place: int) -> str:
    return (chr(64 + place // 26) if place >= 26 else "") + chr(65 + place % 26)
