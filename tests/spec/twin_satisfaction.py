"""The part of the twin about invitations to say how satisfied one is."""

from collections import defaultdict
from typing import Any

from tests.spec.twin_stay import Row


def invitations(rows: list[Row]) -> list[Row]:
    """Walk through the rows place by place: program, period, who was asked, questionnaire."""
    places: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        places[row["program_id"], row["period_code"], row["respondent"], row["instrument"]].append(row)
    return [made for place in places.values() for made in _of_one_place(place)]


def _of_one_place(place: list[Row]) -> list[Row]:
    answers = [row for row in place if row["invited"] is None]
    counts = [row for row in place if row["invited"] is not None]
    invited = counts[0]["invited"] if counts else None
    said_to_have_answered = counts[0]["answered"] if counts else None
    answered = max(len(answers), said_to_have_answered or 0)
    is_counted = invited is not None and invited >= answered

    def made(of: Row, is_answered: bool | None, number: int) -> Row:
        kept = ("program_id", "period", "period_code", "respondent", "instrument", "total", "recommend")
        facts = {"is_answered": is_answered, "is_counted": is_counted, "invitations": number}
        return {name: of[name] for name in kept} | facts

    found = [made(row, True, 1) for row in answers]
    if invited is not None:
        silent: bool | None = False
        if said_to_have_answered is None and not answers:
            silent = None  # nobody wrote down how many answered
        found.append(made(counts[0], True, answered - len(answers)))
        found.append(made(counts[0], silent, invited - answered))
    return [row for row in found if row["invitations"] > 0]
