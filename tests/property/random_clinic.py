"""A small random clinic: complete row tables in which every rule of the outcome tables has something to bite on."""

import random
from collections.abc import Callable
from typing import Any

from analytics.store.codes import CODES
from tests.spec.row_tables import RowTables, complete

# north: PHQ-9 names severity; south: only GAD-7; west: an instrument with tenths, no severity instrument at all.
INSTRUMENTS = {"north": ("phq9", "gad7", "who5"), "south": ("gad7", "ors"), "west": ("ors",)}
HIGHEST = {"phq9": 27, "gad7": 21, "who5": 100, "ors": 400}
# Days between a discharge and the next admission: overlap, same day, windows that meet, the edge of a course.
GAPS = (-30, -5, -1, 0, 0, 1, 2, 5, 7, 8, 9, 13, 14, 15, 16, 20, 21, 22, 25, 29, 30, 31, 32, 60, 200)


def random_clinic(seed: int, persons: int) -> RowTables:
    """Return complete row tables with `persons` people of one to four episodes; the same seed, the same clinic."""
    return _Clinic(random.Random(seed), persons).tables()


# Rows that a program may not have collected.
COLLECTED = (
    "attendance",
    "score",
    "substance_use",
    "followup",
    "acute_event",
    "capture",
    "referral",
    "satisfaction",
)


class _Clinic:
    def __init__(self, chance: random.Random, persons: int) -> None:
        self.chance = chance
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("episode", *COLLECTED)}
        for person_id in range(1, persons + 1):
            self.person(person_id)
        # Requests draw from chance of their own: what came before stays as it was.
        self.chance = random.Random(len(self.rows["episode"]))
        self.referrals(persons)
        self.satisfaction()

    def tables(self) -> RowTables:
        """Give the rows back in an order that means nothing."""
        for rows in self.rows.values():
            self.chance.shuffle(rows)
        used = [{"program_id": p, "instrument": i} for p, instruments in INSTRUMENTS.items() for i in instruments]
        return complete(program_instrument=used, **self.rows)

    def maybe(self, share: float, make: Callable[[], Any]) -> Any:
        return make() if self.chance.random() < share else None

    def code(self, name: str) -> str:
        return self.chance.choice(CODES[name])

    def person(self, person_id: int) -> None:
        chance = self.chance
        start, episodes, scores_before = 0, [], len(self.rows["score"])
        for number in range(chance.choice((1, 1, 2, 3, 4))):
            los: int | None = chance.choice((0, 1, 6, 7, 13, 14, 20, 27, 41, 55, 56, 83, 100))
            if number:
                start = max(episodes[-1]["start_day"], start + chance.choice(GAPS))
            episodes.append({"start_day": start, "los_days": los})
            start += los
        cut = start + chance.choice((0, 3, 20, 44, 45, 120, 300, 500))
        for episode in episodes:
            episode_id = len(self.rows["episode"]) + 1
            # A person may be in two programs at once, and an earlier one may still be open.
            is_open = chance.random() < 0.15
            observed = cut - episode["start_day"]
            if is_open:
                episode["los_days"] = None
            else:
                observed = min(observed, episode["los_days"] + 455)
            reason = None if is_open else self.maybe(0.95, lambda: self.code("discharge_reason"))
            if reason and chance.random() < 0.3:
                reason = "transferred_higher"
            episode |= {
                "episode_id": episode_id,
                "person_id": person_id,
                "program_id": chance.choice(tuple(INSTRUMENTS)),
                "site": self.maybe(0.8, lambda: chance.choice(("east", "west"))),
                "population": self.maybe(0.8, lambda: self.code("population")),
                "track": self.maybe(0.6, lambda: self.code("track")),
                "level_of_care": self.maybe(0.95, lambda: chance.choice(("IOP", "IOP", "PHP", "OP"))),
                "primary_condition": self.maybe(0.9, lambda: self.code("primary_condition")),
                "therapy": self.maybe(0.7, lambda: chance.choice(("cbt", "cbt|dbt"))),
                "admit_period": self.maybe(0.9, lambda: chance.choice(("2025-01", "2025-02"))),
                "observed_days": observed,
                "discharge_reason": reason,
                "consent_followup": self.maybe(0.7, lambda: chance.random() < 0.9),
                "wait_days": self.maybe(0.7, lambda: chance.randrange(40)),
            }
            self.rows["episode"].append(episode)
            stay = observed if is_open else episode["los_days"]
            self.attendance(episode_id, stay)
            self.scores(episode, stay)
            self.substance_use(episode_id, stay)
            if not is_open:
                self.followups(episode_id, stay)
        self.scores_filed_twice(episodes, self.rows["score"][scores_before:])
        self.acute_events(person_id, episodes, cut)

    def attendance(self, episode_id: int, stay: int) -> None:
        chance = self.chance
        if chance.random() < 0.1:
            return
        per_day = chance.choice((0.1, 0.5, 0.9))
        recorded = chance.choice((0, 0.9, 0.99, 1, 1))
        for day in range(stay + 1):
            sessions = chance.choice((1, 1, 2, 3)) if chance.random() < per_day else 0
            for session_no in range(1, sessions + 1):
                status = chance.choice(("attended", "attended", "attended", *CODES["status"]))
                minutes = self.maybe(recorded, lambda: chance.choice((45, 90, 180, 240)))
                self.rows["attendance"].append(
                    {
                        "episode_id": episode_id,
                        "day": day,
                        "session_type": self.code("session_type"),
                        "session_no": session_no,
                        "status": status,
                        "minutes": minutes if status == "attended" else 0,
                        "cancel_notice_hours": self.maybe(0.5, lambda: chance.choice((2.0, 23.5, 24.0, 48.0)))
                        if status == "cancelled_client"
                        else None,
                    }
                )

    def scores(self, episode: dict[str, Any], stay: int) -> None:
        chance = self.chance
        for instrument in INSTRUMENTS[episode["program_id"]]:
            days = {chance.randrange(-20, 12) for _ in range(chance.randrange(4))}
            days |= {chance.randrange(-3, stay + 13) for _ in range(chance.randrange(8))}
            # Equal distance before and after admission, last days of the windows.
            days |= {d for d in (-7, 7, 0, -14, stay + 7, stay + 8) if chance.random() < 0.2}
            # Months later: the edges of the windows of remission.
            days |= {d + chance.choice((-7, 0, 7)) for d in (120, 240, 305, 425) if chance.random() < 0.15}
            for day in days:
                # Few values, so that ties and turning points are common.
                total: float = chance.randrange(0, HIGHEST[instrument] + 1)
                item_9 = self.maybe(0.5, lambda: chance.randrange(4)) if instrument == "phq9" else None
                self.rows["score"].append(
                    {
                        "episode_id": episode["episode_id"],
                        "instrument": instrument,
                        "day": day,
                        "total": total / 10 if instrument == "ors" else total,
                        "item_9": item_9,
                        "is_prorated": chance.random() < 0.2,
                    }
                )

    def scores_filed_twice(self, episodes: list[dict[str, Any]], scores: list[dict[str, Any]]) -> None:
        """File some scores under the person's other episodes as well, now and then with another total."""
        ids = {episode["episode_id"]: episode for episode in episodes}
        taken = {(r["episode_id"], r["instrument"], r["day"]) for r in scores}
        for score in scores:
            other = self.chance.choice(episodes)
            day = ids[score["episode_id"]]["start_day"] + score["day"] - other["start_day"]
            key = (other["episode_id"], score["instrument"], day)
            if self.chance.random() < 0.3 and key not in taken:
                taken.add(key)
                copy = score | {"episode_id": other["episode_id"], "day": day}
                if self.chance.random() < 0.3:
                    copy["total"] = max(0, round(copy["total"] - 1, 1))
                if self.chance.random() < 0.2:
                    copy["is_prorated"] = not copy["is_prorated"]
                self.rows["score"].append(copy)

    def substance_use(self, episode_id: int, stay: int) -> None:
        chance = self.chance
        for _ in range(chance.choice((0, 0, 3, 10, 30))):
            source = self.code("source")
            day = chance.choice((-14, -15, -7, 7, 8, 0, stay, stay - 15, stay - 14, stay + 7, stay + 8, stay + 40))
            self.rows["substance_use"].append(
                {
                    "episode_id": episode_id,
                    "day": day if chance.random() < 0.6 else chance.randrange(-20, stay + 200),
                    "source": source,
                    "substance": chance.choice(("any", "alcohol", "opioids", "cocaine")),
                    "result": self.maybe(0.9, lambda: self.code("result")),
                    "scheduled": self.maybe(0.7, lambda: chance.random() < 0.5),
                    "days_used_past_30": self.maybe(0.6, lambda: chance.choice((0, 0, 1, 30)))
                    if source == "self_report"
                    else None,
                    "controlled_environment": self.maybe(0.3, lambda: chance.random() < 0.4),
                }
            )

    def followups(self, episode_id: int, stay: int) -> None:
        chance = self.chance
        edges = {
            30: (20, 21, 29, 30, 31, 45, 46),
            90: (74, 75, 120, 121),
            180: (149, 150, 240, 241),
            365: (334, 335, 425, 426),
        }
        # The edges of the window that counts from admission.
        from_admission = tuple(day - stay for day in (149, 150, 245, 246))
        for due_day, days in edges.items():
            days = (*days, *(day for day in from_admission if days[0] <= day <= days[-1]))
            if chance.random() < 0.75:
                reached = chance.random() < 0.7
                self.rows["followup"].append(
                    {
                        "episode_id": episode_id,
                        "due_day": due_day,
                        "attempted_day": self.maybe(0.8, lambda days=days: chance.choice(days)),
                        "completed_day": self.maybe(0.6, lambda days=days: chance.choice((*days, days[1] + 5)))
                        if reached
                        else None,
                        "reached": reached,
                        "outcome": self.maybe(0.7, lambda: self.code("followup_outcome")),
                        "days_abstinent_past_30": self.maybe(0.8, lambda: chance.choice((0, 20, 21, 29, 30, 30, 30)))
                        if reached
                        else None,
                        "any_use_since_discharge": self.maybe(0.6, lambda: chance.random() < 0.4),
                        "employed": self.maybe(0.7, lambda: chance.random() < 0.5),
                        "stable_housing": self.maybe(0.7, lambda: chance.random() < 0.8),
                        "arrested": self.maybe(0.7, lambda: chance.random() < 0.1),
                        "controlled_environment": self.maybe(0.5, lambda: chance.random() < 0.2),
                        "recovery_meetings": self.maybe(0.6, lambda: chance.choice((0, 0, 3, 12))),
                    }
                )

    def referrals(self, persons: int) -> None:
        """Requests that led to a stay, that led to none, of people who were never admitted, and of nobody named."""
        chance = self.chance
        for episode in self.rows["episode"]:
            for _ in range(chance.choice((0, 1, 1, 2))):
                days = chance.choice((0, 1, 16, 17, 30, 31, 60, 61, 90))
                stay = {"person_id": episode["person_id"], "episode_id": episode["episode_id"]}
                self.referral(**stay, days_to_admission=days, episode_given=days > 60 or chance.random() < 0.5)
        for number in range(persons):
            self.referral(person_id=chance.randrange(1, persons + 1))
            person_id = self.maybe(0.8, lambda number=number: persons + 1 + number // 2)
            self.referral(person_id=person_id, referral_period=self.maybe(0.9, lambda: "2025-01"))

    def referral(self, **given: Any) -> None:
        chance = self.chance
        facts = {
            "source": self.maybe(0.9, lambda: self.code("referral_source")),
            "decision": self.maybe(0.8, lambda: self.code("referral_decision")),
            "is_repeat": chance.random() < 0.2,
            "observed_days": self.maybe(0.9, lambda: chance.choice((0, 30, 60, 90))),
        }
        self.rows["referral"].append(facts | given)

    def satisfaction(self) -> None:
        """Answers with and without counts, counts without answers, more answers than the counts know of."""
        chance = self.chance
        programs = sorted({episode["program_id"] for episode in self.rows["episode"]})
        for number, program in enumerate(programs * 6):
            place = {
                "program_id": program,
                "period": chance.choice(("2025-01", "2025-Q1", "2025")),
                "period_code": number,
                "respondent": self.code("respondent"),
                "instrument": self.maybe(0.8, lambda: "csq8"),
            }
            for response_no in range(chance.choice((0, 1, 3, 8))):
                recommend = self.maybe(0.8, lambda: chance.choice((1, 3, 4, 4)))
                total = chance.choice((24.0, 32.0)) if recommend is None else self.maybe(0.7, lambda: 29.0)
                self.rows["satisfaction"].append(
                    place | {"response_no": response_no, "total": total, "recommend": recommend}
                )
            if chance.random() < 0.7:
                invited = chance.choice((0, 2, 8, 20))
                answered = self.maybe(0.7, lambda invited=invited: chance.randrange(invited + 1))
                self.rows["satisfaction"].append(place | {"invited": invited, "answered": answered})

    def acute_events(self, person_id: int, episodes: list[dict[str, Any]], cut: int) -> None:
        chance = self.chance
        for episode in episodes:
            # Some from the middle of a stay, so that sessions fall into them, now and then two that overlap.
            for _ in range(chance.choice((0, 0, 1, 2))):
                start = episode["start_day"] + chance.choice((-2, 0, 3, 10, 30))
                self.rows["acute_event"].append(
                    {
                        "person_id": person_id,
                        "start_day": start,
                        "end_day": self.maybe(0.6, lambda start=start: start + chance.choice((0, 2, 9, 30))),
                        "level_of_care": self.code("level_of_care"),
                        "planned": None,
                    }
                )
        ends = [e["start_day"] + e["los_days"] for e in episodes if e["los_days"] is not None] or [cut]
        for _ in range(chance.choice((0, 0, 1, 2, 4))):
            start = chance.choice(ends) + chance.choice((-20, -1, 0, 0, 1, 1, 2, 5, 10, 29, 30, 31, 90))
            self.rows["acute_event"].append(
                {
                    "person_id": person_id,
                    "start_day": start,
                    "end_day": self.maybe(0.8, lambda start=start: start + chance.choice((0, 1, 5, 12))),
                    "level_of_care": self.code("level_of_care"),
                    "planned": self.maybe(0.8, lambda: chance.random() < 0.4),
                }
            )
        for _ in range(chance.choice((0, 1, 2, 4))):
            first = chance.choice(ends) + chance.choice((-40, -1, 0, 1, 10, 31))
            self.rows["capture"].append(
                {
                    "person_id": person_id,
                    "source": chance.choice(("exchange", "claims")),
                    "from_day": first,
                    "to_day": first + chance.choice((0, 9, 10, 29, 30, 60, 200, 400)),
                }
            )
