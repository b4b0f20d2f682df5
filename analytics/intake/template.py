"""Empty files to fill in, for clinics without an export: one CSV per table, or one Excel workbook.

What is filled in is read by canonical names, without a mapping.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from analytics.errors import UsageProblem
from analytics.intake.model import TABLES
from analytics.intake.template_workbook import given_columns, workbook

CSV_FOLDER: Final = "csv"
EXCEL_FOLDER: Final = "excel"
WORKBOOK: Final = "clinic.xlsx"

_CSV_READ_ME: Final = """\
One file is one table; its first line holds the names of the columns. What each column takes stands in
docs/data-dictionary.md. Delete the files that you do not collect: a file without rows says that nothing happened.
Then import this folder (docs/import.md).
"""


def write_template(folder: Path) -> list[Path]:
    """Write the empty files into two folders below `folder`, to fill in one or the other; return what was written.

    Raises
    ------
    UsageProblem
        One of the files exists already, or cannot be written; an existing file is never touched.
    """
    contents = {folder / EXCEL_FOLDER / WORKBOOK: workbook()}
    for spec in TABLES:
        names = [column.name for column in given_columns(spec)]
        contents[folder / CSV_FOLDER / spec.file] = (",".join(names) + "\n").encode()
    contents[folder / CSV_FOLDER / "read_me.md"] = _CSV_READ_ME.encode()
    if there := next((path for path in contents if path.exists()), None):
        name = f"{there.parent.name}/{there.name}"
        raise UsageProblem(f"{name} exists already, and may be filled in. Nothing was written: name another folder.")
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(content)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise UsageProblem(f"The template cannot be written ({reason}). Name another folder.") from None
    return list(contents)
