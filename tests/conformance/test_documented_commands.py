"""Every command that a document tells people to type is accepted, and every link leads somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from analytics.__main__ import command_line
from analytics.intake.dictionary import stored_tables
from analytics.settings import PROJECT_ROOT

DOCUMENTS = sorted([PROJECT_ROOT / "README.md", *(PROJECT_ROOT / "docs").glob("*.md")])
COMMAND = re.compile(r"python -m analytics ([^`#\n]+)")


def commands(path: Path) -> list[str]:
    """What stands after `python -m analytics`, in a block or in a sentence; a mere name of a command is none."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    return [match.strip() for match in COMMAND.findall(text)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_is_accepted(path: Path) -> None:
    for command in commands(path):
        # A document may speak of `import` or `doctor` without saying what to give it.
        if len(words := shlex.split(command)) > 1 or words[0] in ("doctor", "docs", "demo", "bench"):
            command_line().parse_args(words)


def test_the_documents_have_commands() -> None:
    assert {"import.md", "README.md"} <= {path.name for path in DOCUMENTS if len(commands(path)) > 2}


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        page = (path.parent / name).resolve() if name else path
        assert page.exists(), target
        if anchor:
            assert anchor in anchors(page), target


def test_the_dictionary_has_every_column_of_the_row_tables() -> None:
    tables = stored_tables()
    assert {"direction", "band_high"} <= {column.name for column in tables["instrument"][1]}
    schema = (PROJECT_ROOT / "analytics" / "store" / "schema.sql").read_text(encoding="utf-8")
    assert len(tables) == schema.count("create table ")
    written = (PROJECT_ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    for _, columns in tables.values():
        assert all(f"| `{column.name}` |" in written for column in columns)
