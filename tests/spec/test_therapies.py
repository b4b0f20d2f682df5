"""The list of therapies: usable codes, known families, and a name for every therapy that has words on pages."""

import re
import tomllib

from analytics.settings import DATA_FOLDER, PROJECT_ROOT

LISTED = tomllib.loads((DATA_FOLDER / "therapies.toml").read_text(encoding="utf-8"))
FAMILIES = LISTED.pop("families")


def test_every_therapy_has_a_code_a_name_and_a_family() -> None:
    for code, therapy in LISTED.items():
        assert re.fullmatch("[a-z0-9_]{1,32}", code)  # the form that episodes.csv allows
        assert set(therapy) == {"label", "family"} and therapy["label"]
    assert {therapy["family"] for therapy in LISTED.values()} == set(FAMILIES)
    assert len({therapy["label"] for therapy in LISTED.values()}) == len(LISTED)


def test_every_therapy_with_words_on_pages_is_listed() -> None:
    words = tomllib.loads((PROJECT_ROOT / "analytics" / "texts" / "en.toml").read_text(encoding="utf-8"))
    assert set(words["therapy"]) <= set(LISTED)
