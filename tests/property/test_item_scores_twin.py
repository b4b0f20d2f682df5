"""Totals from answers, in SQL, agree with a plain-Python reading of the same TOMLs, for any answers."""

import math
from fractions import Fraction

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.instruments import Instrument, Questionnaire, load_questionnaires
from analytics.intake.item_scores import score_items

FORMS = [form for form in load_questionnaires().values() if form.items]
Answers = dict[str, float | None]
# total, item 9, prorated
Total = tuple[float, float | None, bool]


def total_of(instrument: Instrument, answers: Answers) -> Total | None:
    """Score one instrument, without a line in common with the product."""
    assert instrument.items is not None and instrument.prorating is not None
    items = {item.number: item for item in instrument.items.items if item.is_scored}
    known = {number: answers[number] for number in items if answers.get(number) is not None}
    if instrument.items.scoring == "highest":
        for number, item in items.items():
            if number not in known and item.not_asked_after and answers.get(item.not_asked_after) == 0:
                known[number] = 0
        level = max((items[number].level for number, value in known.items() if value == 1), default=0)
        open_levels = [item.level for number, item in items.items() if number not in known]
        return (level, None, False) if max(open_levels, default=0) <= level else None
    if len(items) - len(known) > instrument.prorating.max_missing:
        return None
    total = Fraction(0)
    for cluster in {item.cluster for item in items.values()}:
        members = [number for number, item in items.items() if item.cluster == cluster]
        points = []
        for number in members:
            value = known.get(number)
            if value is not None:
                item = items[number]
                points.append(Fraction(item.low + item.high - value if item.is_reversed else value))
        if not points:
            return None
        total += sum(points) * len(members) / len(points)
    factor = Fraction(instrument.scale.factor) if instrument.scale else Fraction(1)
    rounded = math.floor(total * factor + Fraction(1, 2))
    return rounded, known.get("9") if instrument.item_9 else None, len(known) < len(items)


@st.composite
def filled_in(draw: st.DrawFn) -> tuple[Questionnaire, Answers]:
    """Draw a form with answers: some given, some empty, some without a row, most of them there."""
    form = draw(st.sampled_from(FORMS))
    answers: Answers = {}
    for item in form.items:
        steps = round((item.high - item.low) / item.step)
        choice = draw(st.integers(-2, 12))
        if choice == -1:
            answers[item.number] = None
        elif choice >= 0:
            answers[item.number] = item.low + item.step * draw(st.integers(0, steps))
    return form, answers


# Thirty questionnaires an example, so that fewer examples do.
@settings(max_examples=settings.default.max_examples // 4)
@given(st.lists(filled_in(), min_size=1, max_size=30))
def test_sql_and_python_score_alike(forms: list[tuple[Questionnaire, Answers]]) -> None:
    rows = [
        (place, form.id, place % 7, item, value)
        for place, (form, answers) in enumerate(forms)
        for item, value in answers.items()
    ]
    expected: dict[tuple[int, str], Total] = {}
    asked = 0
    for place, (form, answers) in enumerate(forms):
        for instrument in form.instruments:
            assert instrument.items is not None
            if any(item.number in answers for item in instrument.items.scored):
                asked += 1
                total = total_of(instrument, answers)
                if total is not None:
                    expected[place, instrument.id] = total
    with duckdb.connect() as connection:
        columns = [[row[place] for row in rows] for place in range(5)]
        connection.execute(
            "create table kept_score_items as select unnest(?::bigint[]) as ix, unnest(?::varchar[]) as instrument, "
            "unnest(?::integer[]) as assessed_on, unnest(?::varchar[]) as item, unnest(?::double[]) as value",
            columns,
        )
        missing, of = score_items(connection)
        found = connection.execute("select ix, instrument, total, item_9, prorated from item_score").fetchall()
    assert {(ix, instrument): (total, item_9, bool(prorated)) for ix, instrument, total, item_9, prorated in found} == (
        expected
    )
    assert (missing, of) == (asked - len(expected), asked)
