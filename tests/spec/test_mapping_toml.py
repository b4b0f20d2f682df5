"""Mappings: what a TOML may say, and how what is wrong is said."""

from pathlib import Path

import pytest

from analytics.errors import ImportProblem
from analytics.intake.file_text import ReadOptions
from analytics.intake.mapping import RawFile, SourceMapping, load_mapping
from analytics.settings import DATA_FOLDER


def mapping_of(folder: Path, text: str) -> SourceMapping:
    path = folder / "clinic.toml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(ImportProblem) as problem:
        mapping_of(folder, text)
    return str(problem.value)


def test_general_keys_alone_keep_the_canonical_names(tmp_path: Path) -> None:
    mapping = mapping_of(
        tmp_path,
        'date_format = "MM/DD/YYYY"\nencoding = "Windows-1252"\ndelimiter = "tab"\ntimezone = "America/Chicago"\n'
        "max_file_bytes = 1000\n",
    )
    assert not mapping.has_tables and not mapping.study_days
    assert (mapping.name, mapping.date_format, mapping.timezone) == ("clinic", "%m/%d/%Y", "America/Chicago")
    assert mapping.read_options == ReadOptions("\t", "cp1252", 1000, gzip=False)
    assert mapping.read_options_of(RawFile("tlfb.csv.gz")).gzip


def test_an_empty_mapping_is_what_is_taken_without_one(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, "")
    assert mapping.read_options == ReadOptions()
    assert mapping.read_options.max_file_bytes == 4 * 1024**3
    assert mapping.date_format is None


@pytest.mark.parametrize(
    ("given", "form"),
    [
        ("MM/DD/YYYY", "%m/%d/%Y"),
        ("DD.MM.YY", "%d.%m.%y"),
        ("%d-%b-%Y", "%d-%b-%Y"),
        ("%Y%m%d", "%Y%m%d"),
    ],
)
def test_date_formats(tmp_path: Path, given: str, form: str) -> None:
    assert mapping_of(tmp_path, f'date_format = "{given}"').date_format == form


EPISODES = '[episodes]\nfile = "stays.csv"\n[episodes.columns]\nepisode_id = "Stay"\n'
SELECT = '[sources]\nstays = "stays.csv"\n[episodes]\nselect = "{}"\n'

WRONG = {
    # name: (TOML, the complaint begins with the key and says)
    "no TOML": ("a = ", "no valid TOML"),
    "unknown key": ("colour = 1", "colour: there is no such key"),
    "unknown table": ("[patients]\nfile = 'a.csv'", "patients: there is no such key"),
    "date format without a year": ('date_format = "MM/DD"', "date_format: this must be like"),
    "date format with a quote": ('date_format = "%Y-%m-%d\'"', "date_format: this must be like"),
    "an encoding that nobody knows": ('encoding = "klingon"', "encoding: this must be a text encoding"),
    "an encoding that is no character set": ('encoding = "rot13"', "encoding: this must be a text encoding"),
    "an encoding that unescapes": ('encoding = "unicode_escape"', "encoding: this must be a text encoding"),
    "a letter as a delimiter": ('delimiter = "x"', "delimiter: this must be"),
    "a decimal sign of its own": ('decimal = "·"', 'decimal: this must be "."'),
    "no time zone": ('timezone = "Mars/Olympus"', "timezone: there is no such time zone"),
    "a time of day without a time zone": ('date_format = "%m/%d/%Y %H:%M"', "date_format: a format with a time of"),
    "a delimiter of two letters": ('delimiter = "::"', "delimiter: this must be"),
    "bytes as text": ('max_file_bytes = "4 GB"', "max_file_bytes: this must be a whole number"),
    "true as a number": ("max_file_bytes = true", "max_file_bytes: this must be a whole number"),
    "observed_until with dates": ("observed_until = 224", "observed_until: this is for sources in study days"),
    "rules that are no list": ('rules = "all of them"', "rules: this must be a list"),
    "a path as a file": ('[sources]\nstays = "../stays.csv"', "sources.stays: this must be the name of a .csv"),
    "an old Excel file": ('[episodes]\nfile = "stays.xls"', "episodes.file: this must be the name of a .csv"),
    "a sheet of a CSV file": (EPISODES.replace("[episodes.col", 'sheet = "Stays"\n[episodes.col'), "only a workbook"),
    "a header in row 0": (
        EPISODES.replace(".csv", ".xlsx").replace("[episodes.col", "header_row = 0\n[episodes.col"),
        "episodes.header_row: this must be the row of the spreadsheet",
    ),
    "a source with a strange key": ('[sources]\na = { file = "a.csv", tab = "b" }', "sources.a.tab: there is no such"),
    "a date format of no date": (EPISODES + '[episodes.date_formats]\ngender = "MM/DD/YYYY"', "date_formats.gender"),
    "a raw table with a strange name": ('[sources]\n"my stays" = "a.csv"', "sources.my stays: a raw table has"),
    "neither file nor select": ("[episodes]\n", "episodes: give either file"),
    "both": (SELECT.format("select * from stays order by 1") + 'file = "a.csv"', "episodes: give either file"),
    "no episodes": ('[scores]\nfile = "a.csv"', "episodes: a mapping that names tables"),
    "a column outside the model": (EPISODES + 'name = "Name"', "episodes.columns.name: episodes.csv has no such"),
    "a day in a source with dates": (EPISODES + 'admit_day = "Day"', "episodes.columns.admit_day: episodes.csv has"),
    "a date in a source in days": ("study_days = true\n" + EPISODES + 'admit_date = "D"', "columns.admit_date"),
    "an unknown key column": (EPISODES.replace('"Stay"', '"unknown"'), "episode_id: this column cannot be unknown"),
    "an unknown person": (EPISODES + 'person_id = "unknown"', "person_id: this column cannot be unknown"),
    "an unknown admission": (EPISODES + 'admit_date = "unknown"', "admit_date: this column cannot be unknown"),
    "a constant without a reason": (EPISODES + 'site = { const = "a" }', "site: a constant needs its reason"),
    "an empty reason": (EPISODES + 'site = { const = "a", because = " " }', "site: a constant needs its reason"),
    "a column that is a number": (EPISODES + "site = 3", "site: this must be a raw column"),
    "a gender from an age": (EPISODES + 'gender = { age = "Age" }', "gender: only age_band is made"),
    "codes of no column": (EPISODES + '[episodes.codes.colour]\nred = "1"', "episodes.codes.colour: this must be"),
    "a select without sources": ('[episodes]\nselect = "select 1 order by 1"', "sources: a select needs the raw"),
    "no order": (SELECT.format("select * from stays"), "episodes.select: the select must end in order by"),
    "an order inside only": (
        SELECT.format("select * from (select * from stays order by 1)"),
        "episodes.select: the select must end in order by",
    ),
    "a limit": (SELECT.format("select * from stays order by 1 limit 5"), "episodes.select: a limit drops rows"),
    "a semicolon": (SELECT.format("select * from stays order by 1;"), "episodes.select: a select has no semicolon"),
    "two statements": (SELECT.format("select 1 order by 1; drop table stays"), "select has no semicolon"),
    "no select": (SELECT.format("drop table stays"), "episodes.select: this must be exactly one SELECT"),
    "no SQL": (SELECT.format("selec * from stays"), "episodes.select: this is no SQL"),
    "another table": (SELECT.format("select * from people order by 1"), "'people' is none of its tables (stays)"),
    "a file by name": (SELECT.format("select * from 'stays.csv' order by 1"), "'stays.csv' is none of its tables"),
    "the catalogue": (
        SELECT.format("select * from information_schema.tables order by 1"),
        "'tables' is none of its tables",
    ),
    "a file function": (SELECT.format("select * from read_csv('a.csv') order by 1"), "may not use read_csv()"),
    "a file function inside": (
        SELECT.format("with a as (select * from read_text('a')) select * from stays, a order by 1"),
        "may not use read_text()",
    ),
    "a query in a text": (SELECT.format("select * from query('select 1') order by 1"), "may not use query()"),
    "the clock": (SELECT.format("select current_date from stays order by 1"), "may not use current_date"),
    "the clock, as a function": (SELECT.format("select today() from stays order by 1"), "may not use today()"),
    "chance": (SELECT.format("select random() from stays order by 1"), "may not use random()"),
    "the environment": (SELECT.format("select getenv('HOME') from stays order by 1"), "may not use getenv()"),
    "a raw column beside a select": (
        SELECT.format("select * from stays order by 1") + '[episodes.columns]\nsite = "Site"',
        "episodes.columns.site: the select gives the columns",
    ),
    "codes beside a select": (
        SELECT.format("select * from stays order by 1") + '[episodes.codes.gender]\nf = "female"',
        "episodes.codes: write the translation into the select",
    ),
    "an account of no source": (
        SELECT.format("select * from stays order by 1") + "[episodes.accounts.visits]\n",
        "episodes.accounts.visits: an account is of a raw table",
    ),
    "an account that is no select": (
        SELECT.format("select * from stays order by 1") + '[episodes.accounts.stays]\nused = "drop table stays"',
        "episodes.accounts.stays.used: this must be exactly one SELECT",
    ),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_a_mapping_is_said_with_its_key(tmp_path: Path, text: str, said: str) -> None:
    sentence = complaint(tmp_path, text)
    assert "clinic.toml" in sentence
    assert said in sentence


def test_no_such_mapping(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match=r"mapping clinic\.toml cannot be read"):
        load_mapping(tmp_path / "clinic.toml")


def test_a_column_that_only_begins_like_the_clock_is_innocent(tmp_path: Path) -> None:
    mapping_of(tmp_path, SELECT.format("select current_smoker as site from stays order by 1"))


def test_every_shipped_mapping_loads_and_says_how_it_reads() -> None:
    paths = sorted((DATA_FOLDER / "mappings").glob("*.toml"))
    assert [path.stem for path in paths] == ["ctn0027", "weekly_scores"]
    for path in paths:
        mapping = load_mapping(path)
        assert mapping.title and mapping.rules and mapping.drops
