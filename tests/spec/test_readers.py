"""Reading raw files: what is refused whole, which record is which, and what a cell holds."""

import csv
import gzip
import hashlib
import io
import random
from pathlib import Path

import duckdb
import pytest

from analytics.errors import ImportProblem
from analytics.intake import file_text
from analytics.intake.readers import FileFacts, FileRefusal, ReadOptions, inspect, text_table, text_view


def facts_of(path: Path, options: ReadOptions | None = None) -> FileFacts:
    facts = inspect(path, options or ReadOptions())
    assert isinstance(facts, FileFacts), facts
    return facts


def rule_of(path: Path, options: ReadOptions | None = None) -> str:
    refusal = inspect(path, options or ReadOptions())
    assert isinstance(refusal, FileRefusal), refusal
    assert refusal.sentence.endswith(".")
    return refusal.rule


def rows_of(facts: FileFacts) -> list[tuple[object, ...]]:
    """Return the rows of the view: record, misshapen, values."""
    with duckdb.connect() as connection:
        text_view(connection, "file", facts, facts.columns)
        return connection.execute("select * from file").fetchall()


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "scores.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# Records and cells

RECORDS = {
    # name: (content, rows as record, values)
    "plain": ("a,b\n1,2\n3,4\n", [(1, "1", "2"), (2, "3", "4")]),
    "no line end at the end": ("a,b\n1,2\n3,", [(1, "1", "2"), (2, "3", None)]),
    "header only": ("a,b\n", []),
    "header only, no line end": ("a,b", []),
    "byte order mark": ("\ufeffa,b\n1,2\n", [(1, "1", "2")]),
    "mark before a quoted header": ('\ufeff"a",b\n1,2\n', [(1, "1", "2")]),
    "LF and CRLF mixed": ("a,b\r\n1,2\n3,4\r\n", [(1, "1", "2"), (2, "3", "4")]),
    "blank lines are no records": ("\n\r\na,b\n\n1,2\r\n\r\n\n3,4\n\n", [(1, "1", "2"), (2, "3", "4")]),
    "a line end in quotes begins no record": (
        'a,b\n"1\r\n\n2",x\n3,4\n',
        [(1, "1\r\n\n2", "x"), (2, "3", "4")],
    ),
    "a line end in the header": ('"a\nb",c\n1,2\n', [(1, "1", "2")]),
    "delimiter and quote in quotes": ('a,b\n"x,""y""",2\n"""",""\n', [(1, 'x,"y"', "2"), (2, '"', None)]),
    "text is kept as it is": ("a,b\n NULL ,  \n-,#N/A\n", [(1, " NULL ", "  "), (2, "-", "#N/A")]),
    "an empty record is a record": ("a,b\n,\n1,2\n", [(1, None, None), (2, "1", "2")]),
    "one column": ('a\n1\n\n""\n2\n', [(1, "1"), (2, "2")]),
    "no comment sign, no escape sign": ("a,b\n#1,\\\n'x',2\n", [(1, "#1", "\\"), (2, "'x'", "2")]),
}


@pytest.mark.parametrize(("content", "rows"), RECORDS.values(), ids=RECORDS)
def test_records_and_cells(tmp_path: Path, content: str, rows: list[tuple[object, ...]]) -> None:
    facts = facts_of(write(tmp_path, content))
    assert rows_of(facts) == [(record, False, *values) for record, *values in rows]
    assert facts.records == len(rows)
    assert facts.misshapen.tolist() == []


def test_a_record_with_too_few_or_too_many_fields_keeps_its_number(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b,c\n1,2,3\n1,2\n1,2,"x\ny"\n1,2,3,\n1,2,3,4,5\n   \n7,8,9\n')
    facts = facts_of(path)
    # Record 2 lacks a field, 4 ends in a comma too many, 5 has two too many, 6 is a line of blanks.
    assert facts.misshapen.tolist() == [2, 4, 5, 6]
    rows = rows_of(facts)
    assert [(row[0], row[1]) for row in rows] == [(n, n in (2, 4, 5, 6)) for n in range(1, 8)]
    assert [row[2:] for row in rows if not row[1]] == [("1", "2", "3"), ("1", "2", "x\ny"), ("7", "8", "9")]


def test_a_long_field_is_read_whole(tmp_path: Path) -> None:
    # FIELD_TOO_LONG sets one row aside; DuckDB's own limit of 2 MB would lose the file.
    facts = facts_of(write(tmp_path, f"a,b\n1,{'x' * 5_000_000}\n2,y\n"))
    assert facts.longest_record == 5_000_002
    assert [(row[0], len(str(row[3]))) for row in rows_of(facts)] == [(1, 5_000_000), (2, 1)]


CELLS = ["", "a", " x ", '"', '""', "a,b", "l1\nl2", "l\r\n2", "é", "\n", ",", "\r", "'", "#", '\\"', "😀"]


def random_file(chance: random.Random) -> str:
    """Return a file that RFC 4180 allows, with blank lines, mixed line ends and wrong numbers of fields."""
    width = chance.choice([2, 2, 3, 5])
    lines = ["\n" * chance.choice([0, 0, 2]), ",".join(f"h{i}" for i in range(width)) + "\n"]
    for _ in range(chance.choice([0, 3, 12])):
        fields = width + chance.choice([0, 0, 0, 0, -1, 1, 3])
        cells = [chance.choice(CELLS) for _ in range(max(1, fields))]
        quote = chance.random() < 0.3
        written = [
            '"' + cell.replace('"', '""') + '"' if quote or set(cell) & set('",\r\n') else cell for cell in cells
        ]
        lines.append(",".join(written) + chance.choice(["\n", "\r\n", "\n\n"]))
    return "".join(lines)


@pytest.mark.parametrize("piece", [5, 64, 2**20])
def test_random_files_are_read_as_the_csv_module_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    # Oracle: Python's csv.reader. Small pieces put every border inside a record, a quotation mark or a line end.
    monkeypatch.setattr(file_text, "_PIECE", piece)
    chance = random.Random(20261121)
    for _ in range(40):
        content = random_file(chance)
        header, *expected = [row for row in csv.reader(io.StringIO(content, newline="")) if row]
        facts = facts_of(write(tmp_path, content))
        wrong = [number for number, row in enumerate(expected, 1) if len(row) != len(header)]
        assert facts.misshapen.tolist() == wrong, content
        rows = rows_of(facts)
        assert [row[0] for row in rows] == list(range(1, len(expected) + 1)), content
        for number, row in enumerate(expected, 1):
            if number not in wrong:
                assert rows[number - 1][2:] == tuple(cell or None for cell in row), content


@pytest.mark.long
def test_record_numbers_hold_over_many_buffers_and_two_threads(tmp_path: Path) -> None:
    # The first column is the record's number; DuckDB reads buffers of 32 MB, side by side where it can.
    path = tmp_path / "big.csv"
    for line_end_in_quotes in (False, True):
        text = '"li\nne, ""x"""' if line_end_in_quotes else '"li, ne"'
        with path.open("w", newline="") as file:
            file.write("id,text,rest\n")
            for number in range(1, 2_000_001):
                file.write(f"{number},x\n" if number % 99_999 == 0 else f"{number},{text},some more text here\r\n")
                file.write("\n" if number % 7 == 0 else "")
        facts = facts_of(path)
        assert (facts.records, len(facts.misshapen)) == (2_000_000, 20)
        with duckdb.connect(config={"threads": "2"}) as connection:
            text_view(connection, "file", facts, ["id"])
            right = "count(*), count(*) filter (record = id::bigint), count(*) filter (misshapen)"
            assert connection.execute(f"select {right} from file").fetchone() == (2_000_000, 2_000_000, 20)


# Columns


def test_headers_are_trimmed_case_blind_and_in_one_unicode_form(tmp_path: Path) -> None:
    # Wide letters as from a Japanese keyboard are the same letters; a column without a name has its place.
    facts = facts_of(write(tmp_path, "  Episode_ID ,ＴＯＴＡＬ,,Größe\n1,2,3,4\n"))
    assert facts.header == ("  Episode_ID ", "ＴＯＴＡＬ", "", "Größe")
    assert facts.columns == ("episode_id", "total", "column 3", "größe")
    assert rows_of(facts) == [(1, False, "1", "2", "3", "4")]


@pytest.mark.parametrize("header", ["total, Total ", "total,ＴＯＴＡＬ", '"total",TOTAL'])
def test_two_columns_of_one_name_refuse_the_file(tmp_path: Path, header: str) -> None:
    refusal = inspect(write(tmp_path, header + "\n1,2\n"))
    assert isinstance(refusal, FileRefusal)
    assert refusal.rule == "DUPLICATE_COLUMN"
    assert refusal.column in header


def test_a_view_shows_only_the_columns_asked_for_and_names_them_as_asked(tmp_path: Path) -> None:
    facts = facts_of(write(tmp_path, 'a,record,"x""; drop table file; --"\n1,7,z\n'))
    with duckdb.connect() as connection:
        text_view(connection, "one", facts, ["a"])
        assert connection.execute("select * from one").fetchall() == [(1, False, "1")]
        text_view(connection, "other", facts, {"unknown 1": "record", "unknown 2": facts.columns[2]})
        assert connection.execute("select * from other").fetchall() == [(1, False, "7", "z")]
        with pytest.raises(ValueError, match="record"):
            text_view(connection, "wrong", facts, ["record"])


def test_a_path_is_only_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "it's [1]"
    folder.mkdir()
    facts = facts_of(write(folder, "a,b\n1,2\n"))
    assert rows_of(facts) == [(1, False, "1", "2")]


def test_facts_of_the_file_as_it_lies_there(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfa,b\r\n1,2\r\n"
    facts = facts_of(write(tmp_path, content))
    assert (facts.bytes, facts.sha256) == (len(content), hashlib.sha256(content).hexdigest())


# What only a mapping may say


def test_a_named_encoding_is_decoded(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\ncafé,ÿ\n".encode("latin-1"))
    assert rule_of(path) == "ENCODING"
    for encoding in ("latin-1", "cp1252"):
        facts = facts_of(path, ReadOptions(encoding=encoding))
        assert rows_of(facts) == [(1, False, "café", "ÿ")]


def test_characters_of_windows_are_no_latin_1_and_the_sentence_says_what_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n“x”,2\n".encode("cp1252"))
    for encoding in ("utf-8", "latin-1"):
        refusal = inspect(path, ReadOptions(encoding=encoding))
        assert isinstance(refusal, FileRefusal) and refusal.rule == "ENCODING"
        assert 'write encoding = "cp1252" in a mapping' in refusal.sentence
    assert rows_of(facts_of(path, ReadOptions(encoding="cp1252"))) == [(1, False, "“x”", "2")]


def test_bytes_that_windows_does_not_have_are_refused(tmp_path: Path) -> None:
    assert rule_of(write(tmp_path, b"a,b\n\x81,2\n"), ReadOptions(encoding="cp1252")) == "ENCODING"


TEXT = 'Größe,b\r\n\r\n"x\r\n;""é"" ",2\r\n3\r\n\r\n1,2,3\r\n,"-"\r\n'


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp437", "cp850", "mac-roman", "cp1252", "utf-8"]
)
def test_every_text_encoding_gives_the_same_records(tmp_path: Path, encoding: str) -> None:
    # In cp1252 the dash decides that DuckDB cannot read the file.
    blank = "—" if encoding in ("cp1252", "mac-roman", "utf-16") else " "
    facts = facts_of(write(tmp_path, TEXT.replace(" ", blank).encode(encoding)), ReadOptions(encoding=encoding))
    assert facts.columns == ("größe", "b") and facts.records == 4
    # Records with too many or too few fields keep their numbers; their values mean nothing.
    first, *misshapen, last = rows_of(facts)
    assert first == (1, False, 'x\r\n;"é" '.replace(" ", blank), "2")
    assert [row[:2] for row in misshapen] == [(2, True), (3, True)]
    assert last == (4, False, None, "-")


def test_japanese_is_read_as_shift_jis(tmp_path: Path) -> None:
    # The second byte of 表 is a backslash, and 能 holds a vertical bar: bytes mean nothing before they are decoded.
    path = write(tmp_path, "a|b\n表能|2\n".encode("shift-jis"))
    assert rows_of(facts_of(path, ReadOptions("|", "shift_jis"))) == [(1, False, "表能", "2")]


def test_a_file_that_is_not_in_the_named_encoding_is_refused(tmp_path: Path) -> None:
    assert rule_of(write(tmp_path, b"a,b\n\x81,2\n"), ReadOptions(encoding="shift_jis")) == "ENCODING"
    assert rule_of(write(tmp_path, "a,b\n1,2\n".encode("utf-16")[:-1]), ReadOptions(encoding="utf-16")) == "ENCODING"


@pytest.mark.parametrize(("encoding", "guess"), [("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
                                                 ("utf-16-be", "utf-16-be"), ("latin-1", "latin-1")])  # fmt: skip
def test_the_sentence_names_the_likely_encoding(tmp_path: Path, encoding: str, guess: str) -> None:
    refusal = inspect(write(tmp_path, "a,bé\n1,2\n".encode(encoding)))
    assert isinstance(refusal, FileRefusal) and f'encoding = "{guess}"' in refusal.sentence


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
@pytest.mark.parametrize("delimiter", ["^", "~", " ", "\x01", "§", "¬"])
def test_any_character_separates(tmp_path: Path, delimiter: str, encoding: str) -> None:
    content = f'a{delimiter}b\n"1{delimiter}""1"{delimiter}2,5\n'
    facts = facts_of(write(tmp_path, content.encode(encoding)), ReadOptions(delimiter, encoding))
    assert rows_of(facts) == [(1, False, f'1{delimiter}"1', "2,5")]


def test_decoded_text_is_written_nowhere(tmp_path: Path) -> None:
    path = write(tmp_path, ("a,b\n" + 50_000 * "Rosalind,2\n").encode("utf-16"))
    facts = facts_of(path, ReadOptions(encoding="utf-16"))
    assert len(rows_of(facts)) == 50_000
    assert [file.name for file in tmp_path.iterdir()] == ["scores.csv"]


def test_the_sentence_about_a_delimiter_says_what_to_write(tmp_path: Path) -> None:
    for content, written in (("a;b;c\n", ";"), ("a\tb\n", "tab"), ("a|b\n", "|")):
        refusal = inspect(write(tmp_path, content))
        assert isinstance(refusal, FileRefusal) and f'delimiter = "{written}"' in refusal.sentence


def test_a_file_in_utf_8_named_latin_1_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffa,b\n1,2\n")
    assert rule_of(path, ReadOptions(encoding="latin-1")) == "ENCODING"


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_named_delimiter_separates(tmp_path: Path, delimiter: str) -> None:
    content = f'a{delimiter}b\n"1{delimiter}1"{delimiter}2,5\n'
    facts = facts_of(write(tmp_path, content), ReadOptions(delimiter=delimiter))
    assert rows_of(facts) == [(1, False, f"1{delimiter}1", "2,5")]
    assert rule_of(write(tmp_path, "a,b\n1,2\n"), ReadOptions(delimiter=delimiter)) == "DELIMITER"


def test_a_named_gzip_file_is_unpacked_and_has_its_limit_unpacked(tmp_path: Path) -> None:
    content = b"a,b\n" + 1_000_000 * b"1,2\n"
    path = write(tmp_path, gzip.compress(content[:40]) + gzip.compress(content[40:]))
    facts = facts_of(path, ReadOptions(gzip=True))
    assert facts.records == 1_000_000
    assert (facts.bytes, facts.sha256) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    with duckdb.connect() as connection:
        text_view(connection, "file", facts, ["a", "b"])
        assert connection.execute("select count(*), max(record) from file").fetchone() == (1_000_000,) * 2
    assert path.stat().st_size < 1_000_000
    assert rule_of(path, ReadOptions(gzip=True, max_file_bytes=1_000_000)) == "FILE_TOO_LARGE"


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", gzip.compress(b"a,b\n1,2\n" * 99)[:-20]], ids=["not gzip", "cut short"]
)
def test_a_file_that_is_named_gzip_and_is_not_whole_gzip_is_refused(tmp_path: Path, content: bytes) -> None:
    assert rule_of(write(tmp_path, content), ReadOptions(gzip=True)) == "FILE_TYPE"


# Tables of raw files


def test_a_text_table_has_the_normalised_columns_in_the_order_of_the_file(tmp_path: Path) -> None:
    facts = facts_of(write(tmp_path, 'Who,"When",record\n2,,x\n1,5,\n'))
    with duckdb.connect() as connection:
        text_table(connection, "visit", facts)
        assert connection.execute('select who, "when", record from visit').fetchall() == [
            ("2", None, "x"),
            ("1", "5", None),
        ]
        assert connection.execute("select distinct data_type from duckdb_columns() where not internal").fetchall() == [
            ("VARCHAR",)
        ]
        assert connection.execute("show tables").fetchall() == [("visit",)]


def test_a_text_table_takes_whole_records_only(tmp_path: Path) -> None:
    facts = facts_of(write(tmp_path, "a,b\n1,2\n1\n"))
    with duckdb.connect() as connection, pytest.raises(ImportProblem, match="first is row 2"):
        text_table(connection, "visit", facts)


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,2\n")
    facts = facts_of(path)
    path.write_text("a,b\n1,2\n3,4\n")
    with duckdb.connect() as connection, pytest.raises(ImportProblem, match="changed while it was read"):
        text_table(connection, "visit", facts)
