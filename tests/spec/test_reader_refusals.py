"""Raw files that are refused whole, and the order of the reasons."""

import gzip
import os
from pathlib import Path

import pytest

from analytics.errors import ImportProblem
from analytics.intake.readers import FileRefusal, ReadOptions, inspect


def rule_of(path: Path, options: ReadOptions | None = None) -> str:
    refusal = inspect(path, options or ReadOptions())
    assert isinstance(refusal, FileRefusal), refusal
    assert refusal.sentence.endswith(".")
    return refusal.rule


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "scores.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


REFUSED = {
    # name: (content, rule)
    "nothing": (b"", "EMPTY_FILE"),
    "line ends only": (b"\n\r\n\n", "EMPTY_FILE"),
    "a byte order mark only": (b"\xef\xbb\xbf", "EMPTY_FILE"),
    "gzip": (gzip.compress(b"a,b\n1,2\n"), "FILE_TYPE"),
    "Excel (a ZIP)": (b"PK\x03\x04....", "FILE_TYPE"),
    "Parquet": (b"PAR1....", "FILE_TYPE"),
    "latin-1": ("a,b\ncafé,2\n".encode("latin-1"), "ENCODING"),
    "latin-1 far behind": (b"a,b\n" + 150_000 * b"1,2,\n" + b"\xe9,2\n", "ENCODING"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), "ENCODING"),
    "NUL": (b"a,b\n1,\x002\n", "ENCODING"),
    "a character cut off": (b"a,b\n1,caf\xc3", "ENCODING"),
    "semicolons": (b"a;b;c\n1;2;3\n", "DELIMITER"),
    "tabs": (b"a\tb\n1\t2\n", "DELIMITER"),
    "semicolons, and one comma in a name": (b'a;"b, c";d\n1;2;3\n', "DELIMITER"),
    "quote never closed": (b'a,b\n1,"2\n3,4\n', "MALFORMED_CSV"),
    "quote never closed, later quotes": (b'a,b\n1,"2\n3,"4"\n5,6\n', "MALFORMED_CSV"),
    "quote inside a field": (b'a,b\n1,5"3\n', "MALFORMED_CSV"),
    "text after the closing quote": (b'a,b\n"1"x,2\n', "MALFORMED_CSV"),
    "blank before the opening quote": (b'a,b\n1, "2"\n', "MALFORMED_CSV"),
    "quote escaped by a backslash": (b'a,b\n1,"2\\"3"\n', "MALFORMED_CSV"),
    "old Macintosh line ends": (b"a,b\r1,2\r", "MALFORMED_CSV"),
    "a stray carriage return": (b"a,b\n1,2\r3,4\n", "MALFORMED_CSV"),
    "quote never closed in the header": (b'a,"b\n1,2\n', "MALFORMED_CSV"),
    "an endless line": (b"a,b\n" + 17 * 2**20 * b"x", "MALFORMED_CSV"),
    # The order of the checks decides where two things are wrong.
    "semicolons and latin-1": (b"a;b\n\xe9;2\n", "ENCODING"),
    "an open quote and latin-1": (b'a,b\n"1,2\n\xe9,2\n', "ENCODING"),
    "two columns of one name and an open quote": (b'a,a\n"1,2\n', "MALFORMED_CSV"),
}


@pytest.mark.parametrize(("content", "rule"), REFUSED.values(), ids=REFUSED)
def test_files_that_are_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    assert rule_of(write(tmp_path, content)) == rule


def test_a_sentence_about_a_file_holds_none_of_its_values(tmp_path: Path) -> None:
    for content in (
        b'name,b\nRosalind,"Quimby\n',
        b'name,b\nRosalind,Quim"by\n',
        b"name,b\nRosalind\xe9,2\n",
    ):
        refusal = inspect(write(tmp_path, content))
        assert isinstance(refusal, FileRefusal)
        assert "Rosalind" not in refusal.sentence and "Quim" not in refusal.sentence


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "episodes.csv"
    path.touch()
    os.truncate(path, 10 * 2**30)  # holds no block on the disk

    def never(*_: object) -> None:
        raise AssertionError("the file was opened")

    monkeypatch.setattr(Path, "open", never)
    assert rule_of(path) == "FILE_TOO_LARGE"
    assert rule_of(path, ReadOptions(max_file_bytes=2**29)) == "FILE_TOO_LARGE"


def test_no_file_is_a_sentence_for_people(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match=r"no file episodes\.csv"):
        inspect(tmp_path / "episodes.csv")


@pytest.mark.parametrize(
    ("case", "file"),
    [(case, "episodes.csv") for case in ("csv_unterminated_quote", "delim_semicolon", "enc_latin1", "type_gzip")],
)
def test_refusals_of_the_corpus(shared: Path, case: str, file: str) -> None:
    # Oracle: expected.json of the case.
    expected = (shared / "import_corpus" / case / "expected.json").read_text()
    assert f'"rule": "{rule_of(shared / "import_corpus" / case / file)}"' in expected
