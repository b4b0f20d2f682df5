"""One table of rules: it, its words, the code that finds them and the documents know the same names."""

import ast
import re
from pathlib import Path

import pytest

from analytics.intake.columns import read_column
from analytics.intake.model import TABLES
from analytics.intake.rules import EVERY_KIND, ROW_CONDITIONS, RULES
from analytics.intake.staging import StagingContext
from analytics.settings import PROJECT_ROOT
from analytics.texts.rules import cure_words, rule_words, rules_with_words

# Names of the same form that are no rules: of the operating system, of the environment, and of the SQL grammar.
NO_RULE = re.compile("(O|SC|IOP|SIG|LC)_.*|.*_MODIFIER|BASE_TABLE|TABLE_FUNCTION|COLUMN_REF")
ONE_WORD = "ENCODING|DELIMITER|REQUIRED|RANGE|INCONSISTENT"
NAME = re.compile(rf"(?:[A-Z]+_)+[A-Z0-9]+|{ONE_WORD}")


def names_in_code(folder: str, without: frozenset[str] = frozenset()) -> set[str]:
    """Every string of the code that has the form of a rule, and every rule that a statement of ours writes (|RULE|)."""
    found = set()
    for path in (PROJECT_ROOT / "analytics" / folder).rglob("*.py"):
        if path.name in without:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tree.body = [each for each in tree.body if "__all__" not in ast.unparse(each)]
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if NAME.fullmatch(node.value):
                    found.add(node.value)
                found |= {name for name in re.findall(r"[|']([A-Z_0-9]+)[|']", node.value) if NAME.fullmatch(name)}
    return {name for name in found if not NO_RULE.fullmatch(name)}


def test_every_rule_named_in_the_code_is_in_the_table() -> None:
    assert names_in_code("") - set(RULES) == set()


def test_every_rule_of_the_table_is_found_somewhere() -> None:
    given = names_in_code("intake", without=frozenset({"rules.py"})) | {each.rule for each in ROW_CONDITIONS}
    assert set(RULES) - given == set()


def test_every_rule_has_words_and_every_word_a_rule() -> None:
    assert rules_with_words() == set(RULES)
    for name, rule in RULES.items():
        words = rule_words(name)
        assert all(text.endswith(".") and text[:1].isupper() for text in (words.wrong, words.do)), name
        assert cure_words(rule.cure)


def test_the_rules_of_values_are_those_of_the_kinds_of_column() -> None:
    context = StagingContext(import_day=9000, cut_day=9000)
    found: dict[str, set[str]] = {}
    for spec in TABLES:
        for column in spec.columns:
            for _, name, rule in read_column(column, "t", spec, context)[1]:
                assert name == column.name
                found.setdefault(rule, set()).add(column.kind)
    assert found.pop("REQUIRED") <= set(EVERY_KIND)
    assert found == {name: set(rule.kinds) for name, rule in RULES.items() if rule.kinds and rule.kinds != EVERY_KIND}


def test_the_conditions_of_rows_name_columns_of_the_model() -> None:
    by_table = {spec.table: {column.name for column in spec.columns} for spec in TABLES}
    for each in ROW_CONDITIONS:
        assert each.column in by_table[each.table]
        assert RULES[each.rule].level == "row"


@pytest.mark.parametrize("paper", ["import_corpus/README.md", "design.md"])
def test_every_rule_that_the_reference_names_exists(paper: str, shared: Path) -> None:
    text = (shared / paper).read_text(encoding="utf-8")
    rules = text[text.index("## Rules") :] if "## Rules" in text else text.split("## 3.")[1].split("## 4.")[0]
    named = set(NAME.findall(rules))
    assert len(named) >= 2
    assert named - set(RULES) == set()


def test_every_rule_is_explained_in_the_documents() -> None:
    page = (PROJECT_ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert [name for name in RULES if f"| `{name}` |" not in page] == []
