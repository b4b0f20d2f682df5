"""The top bar: one menu per section, one entry per script in the section's folder.

A page is a script in a section folder; its first docstring line is its title, and `ORDER` puts it into the menu. A new
page is one new script: scripts that `ORDER` does not name follow in order of their name.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.navigation.page import Page

from analytics.session import SECTION_ROLES, Section, Viewer

SECTION_TITLES: dict[Section, str] = {
    "explore": "Explore",
    "families": "Families",
    "accreditation": "Accreditation",
    "data": "Data",
}
ORDER = ("overview", "retention", "symptom_change", "readmission", "substance_use", "definitions")


@cache
def title_of(script: Path) -> str:
    """Return the title of a page: the first sentence of its docstring, without the full stop."""
    docstring = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or script.stem
    return docstring.split(".", 1)[0].split("\n", 1)[0]


def scripts_of(section: Section, folder: Path) -> list[Path]:
    """Return the scripts of a section in menu order."""
    scripts = [path for path in (folder / section).glob("*.py") if not path.name.startswith("_")]
    return sorted(scripts, key=lambda path: (ORDER.index(path.stem) if path.stem in ORDER else len(ORDER), path.stem))


def pages_for(viewer: Viewer, folder: Path) -> dict[str, list[Page]]:
    """Return the pages that this viewer may open, by section title."""
    menu: dict[str, list[Page]] = {}
    for section in SECTION_ROLES:
        if not viewer.may_open(section):
            continue
        pages = [
            st.Page(
                script,
                title=title_of(script),
                url_path=script.stem.replace("_", "-"),
                default=script.stem == "overview",
            )
            for script in scripts_of(section, folder)
        ]
        if pages:
            menu[SECTION_TITLES[section]] = pages
    return menu
