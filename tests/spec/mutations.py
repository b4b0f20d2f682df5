"""Ways to spoil a file: each takes a random source and bytes and gives other bytes.

`LOCAL` ones touch known lines and say which line of the original each line of the result is; the others may do
anything.
"""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable

Lines = list[bytes]
# Of each line of the result, the number of the line that it was; None for one that was touched or is new.
Origin = list[int | None]

NASTY = (
    "\N{ZERO WIDTH SPACE}", "\N{RIGHT-TO-LEFT OVERRIDE}abc", "\N{COMBINING ACUTE ACCENT}", "\N{FULLWIDTH DIGIT ONE}",
    "\N{PILE OF POO}", "\N{NO-BREAK SPACE}", "\N{LINE SEPARATOR}", "\N{NEXT LINE}", "\N{LATIN SMALL LETTER SHARP S}",
    "=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "' or 1=1 --", "x'); drop table episodes; --", "${jndi:x}", "<b>x</b>",
    "../../etc/passwd", "twelve", "1e400", "-0", "nan", "inf", "0x1F", "1_000", "9" * 40, "1.5.2", "12,5", "٣",
    "2026-02-30", "2026-13-01", "02/03/2026", "0000-00-00", "9999-12-31", "46027", "2026-01-05T00:00:00Z", "-1-1-1",
    "true", "NULL", "a" * 2000, "%s%n", "{}", "\\", "\\N", "'", "`", ";", "|", "\t",
)  # fmt: skip


def cells(line: bytes) -> Lines:
    return line.rstrip(b"\n").split(b",")


def some_line(chance: random.Random, lines: Lines) -> int:
    """The number of a line below the header."""
    return chance.randrange(1, len(lines))


# One line and its neighbours stay what they are


def replace_a_value(chance: random.Random, lines: Lines) -> tuple[Lines, Origin]:
    at = some_line(chance, lines)
    values = cells(lines[at])
    values[chance.randrange(len(values))] = chance.choice(NASTY).encode()
    return _with(lines, at, b",".join(values) + b"\n")


def swap_two_values(chance: random.Random, lines: Lines) -> tuple[Lines, Origin]:
    at = some_line(chance, lines)
    values = cells(lines[at])
    one, other = chance.randrange(len(values)), chance.randrange(len(values))
    values[one], values[other] = values[other], values[one]
    return _with(lines, at, b",".join(values) + b"\n")


def delete_a_comma(chance: random.Random, lines: Lines) -> tuple[Lines, Origin]:
    at = some_line(chance, lines)
    values = cells(lines[at])
    cut = chance.randrange(1, len(values))
    return _with(lines, at, b",".join(values[:cut]) + b",".join(values[cut:]) + b"\n")


def add_commas(chance: random.Random, lines: Lines) -> tuple[Lines, Origin]:
    at = some_line(chance, lines)
    return _with(lines, at, lines[at].rstrip(b"\n") + b"," * chance.randrange(1, 4) + b"\n")


def flip_a_bit_of_a_letter(chance: random.Random, lines: Lines) -> tuple[Lines, Origin]:
    at = some_line(chance, lines)
    line = bytearray(lines[at])
    letters = [place for place, byte in enumerate(line) if chr(byte).isalnum()]
    line[chance.choice(letters)] ^= 1
    return _with(lines, at, bytes(line))


def huge_field(chance: random.Random, lines: Lines) -> tuple[Lines, Origin]:
    at = some_line(chance, lines)
    values = cells(lines[at])
    values[chance.randrange(len(values))] = b'"' + b"x\n" * chance.choice((600, 70_000)) + b'"'
    return _with(lines, at, b",".join(values) + b"\n")


def cut_lines(chance: random.Random, lines: Lines) -> tuple[Lines, Origin]:
    kept = [0, *sorted(chance.sample(range(1, len(lines)), chance.randrange(0, len(lines) - 1)))]
    return [lines[at] for at in kept], list(kept)


def double_a_line(chance: random.Random, lines: Lines) -> tuple[Lines, Origin]:
    at = some_line(chance, lines)
    return [*lines, lines[at]], [*range(len(lines)), None]


def shuffle_lines(chance: random.Random, lines: Lines) -> tuple[Lines, Origin]:
    order = [0, *chance.sample(range(1, len(lines)), len(lines) - 1)]
    return [lines[at] for at in order], list(order)


def blank_lines(chance: random.Random, lines: Lines) -> tuple[Lines, Origin]:
    at = some_line(chance, lines)
    # A blank line is no record, so it is no line of the result either.
    changed = [*lines[:at], b"\n" * chance.randrange(1, 4) + lines[at], *lines[at + 1 :]]
    return changed, list(range(len(lines)))


def _with(lines: Lines, at: int, line: bytes) -> tuple[Lines, Origin]:
    return [*lines[:at], line, *lines[at + 1 :]], [None if number == at else number for number in range(len(lines))]


# Anything may have become of the file


def flip_bits(chance: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randrange(1, 9)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut_short(chance: random.Random, content: bytes) -> bytes:
    return content[: chance.randrange(len(content))]


def drop_the_header(chance: random.Random, content: bytes) -> bytes:
    return content.partition(b"\n")[2]


def swap_columns(chance: random.Random, content: bytes) -> bytes:
    """The values, or only the names, of two columns change places."""
    lines = content.splitlines(keepends=True)
    one, other = chance.sample(range(len(cells(lines[0]))), 2)
    for at in [0] if chance.random() < 0.5 else range(1, len(lines)):
        values = cells(lines[at])
        if max(one, other) < len(values):
            values[one], values[other] = values[other], values[one]
        lines[at] = b",".join(values) + b"\n"
    return b"".join(lines)


def another_name(chance: random.Random, content: bytes) -> bytes:
    header, _, rest = content.partition(b"\n")
    names = header.split(b",")
    words = (*NASTY, "patient_name", "e-mail", "notes", "total", "record", "misshapen", "c0", "", 'a""b', "column 2")
    names[chance.randrange(len(names))] = chance.choice(words).encode()
    return b",".join(names) + b"\n" + rest


def other_case(chance: random.Random, content: bytes) -> bytes:
    header, _, rest = content.partition(b"\n")
    return header.upper().replace(b",", chance.choice((b" , ", b",  ", b","))) + b"\n" + rest


def delimiter(chance: random.Random, content: bytes) -> bytes:
    return content.replace(b",", chance.choice((b";", b"\t", b"|", b", ", b",,")))


def line_ends(chance: random.Random, content: bytes) -> bytes:
    return content.replace(b"\n", chance.choice((b"\r", b"\r\n", b"\r\r\n", b"\n\n", b"\n\r", b"\x0b", b"")))


def encoding(chance: random.Random, content: bytes) -> bytes:
    text = content.decode() + chance.choice(("", "é", "\N{PILE OF POO}"))
    return text.encode(
        chance.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "cp1252", "cp037", "utf-8-sig")), "replace"
    )


def odd_bytes(chance: random.Random, content: bytes) -> bytes:
    at = chance.randrange(len(content))
    words = (codecs.BOM_UTF8, b"\0", b'"', b'""', b'"\n', b"\r", b"\x1a", b"\xff", b"\xc3", b"\x1f\x8b", b"PK\x03\x04")
    return content[:at] + chance.choice(words) + content[at:]


def quote_everything(chance: random.Random, content: bytes) -> bytes:
    mark = chance.choice((b'"', b"'"))
    lines = [b",".join(mark + value + mark for value in cells(line)) for line in content.splitlines()]
    return b"\n".join(lines)


def shuffle_pieces(chance: random.Random, content: bytes) -> bytes:
    one, other = sorted(chance.sample(range(len(content)), 2))
    return content[other:] + content[one:other] + content[:one]


def repeat(chance: random.Random, content: bytes) -> bytes:
    return content * chance.randrange(2, 4)


LOCAL: tuple[Callable[[random.Random, Lines], tuple[Lines, Origin]], ...] = (
    replace_a_value, swap_two_values, delete_a_comma, add_commas, flip_a_bit_of_a_letter, huge_field, cut_lines,
    double_a_line, shuffle_lines, blank_lines,
)  # fmt: skip
BYTES = (flip_bits, cut_short, shuffle_pieces, repeat)
ANY: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *BYTES, drop_the_header, swap_columns, another_name, other_case, delimiter, line_ends, encoding, odd_bytes,
    quote_everything,
)  # fmt: skip
