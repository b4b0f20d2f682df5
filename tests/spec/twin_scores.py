"""The part of the twin about scores: whose a score is, which are first and last, one per week."""

from collections import defaultdict

from tests.spec.twin_stay import Row, Tables, by_column, exit_day_of, last_known_day

WEEKS_SHOWN = range(17)


class ScoreTwin:
    """Scores given to one episode each, and the pair of an episode and instrument."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.episodes_of = by_column(tables["episode"], "person_id")
        self.instruments_of: dict[str, set[str]] = defaultdict(set)
        for row in tables["program_instrument"]:
            self.instruments_of[row["program_id"]].add(row["instrument"])
        self.attendance = by_column(tables["attendance"], "episode_id")
        self.every_days = {row["instrument"]: row["every_days"] for row in tables["instrument"]}
        self.direction = {row["instrument"]: row["direction"] for row in tables["instrument"]}
        self.filed = by_column(tables["score"], "episode_id")
        self.scores = self._scores_by_owner()

    def _scores_by_owner(self) -> dict[int, list[Row]]:
        """Give every score to one episode, with `day` counted from that episode's admission."""
        episode_of = {e["episode_id"]: e for e in self.tables["episode"]}
        owned: dict[int, list[Row]] = defaultdict(list)
        moved: list[tuple[Row, Row]] = []
        for score in self.tables["score"]:
            filed = episode_of[score["episode_id"]]
            owner = self._owner(score, filed)
            day = filed["start_day"] + score["day"] - owner["start_day"]
            row = score | {"episode_id": owner["episode_id"], "day": day}
            if owner is filed:
                owned[filed["episode_id"]].append(row)
            else:
                moved.append((owner, row))
        for owner, row in moved:
            # One measurement that stands in two files is one measurement.
            if not any(_same_score(row, other) for other in owned[owner["episode_id"]]):
                owned[owner["episode_id"]].append(row)
        return owned

    def _owner(self, score: Row, filed: Row) -> Row:
        on_line = filed["start_day"] + score["day"]
        if filed["start_day"] <= on_line <= last_known_day(filed):
            return filed
        claims = []
        for episode in self.episodes_of[filed["person_id"]]:
            if score["instrument"] not in self.instruments_of[episode["program_id"]]:
                continue
            start, end = episode["start_day"], last_known_day(episode)
            window_end = end + 7 if episode["los_days"] is not None else end
            if not start - 14 <= on_line <= window_end:
                continue
            distance = max(start - on_line, on_line - end, 0)
            after_it = on_line > end
            order = (start, episode["episode_id"])
            claims.append((-distance, after_it, episode is filed, order, episode))
        # The nearest; on equal distance the stay that has just ended, then the file's own, then the later one.
        return max(claims, key=lambda claim: claim[:4])[4] if claims else filed

    def pair(self, episode: Row, instrument: str) -> Row:
        direction = self.direction[instrument]
        end = episode["observed_days"] if episode["los_days"] is None else episode["los_days"] + 7
        scores = [
            s for s in self.scores[episode["episode_id"]] if s["instrument"] == instrument and -14 <= s["day"] <= end
        ]

        def badness(score: Row) -> float:
            return score["total"] * direction

        def latest(candidates: list[Row]) -> Row:
            """Complete before prorated on one day, then the value that makes the improvement smaller."""
            return max(
                candidates,
                key=lambda s: (
                    s["day"],
                    not s["is_prorated"],
                    badness(s),
                    -1 if s["item_9"] is None else s["item_9"],
                ),
            )

        first = min(
            (s for s in scores if s["day"] <= 7),
            key=lambda s: (
                abs(s["day"]),
                s["day"],
                s["is_prorated"],
                badness(s),
                9 if s["item_9"] is None else s["item_9"],
            ),
            default=None,
        )
        later = [s for s in scores if first is not None and s["day"] > first["day"]]
        last = latest(later) if later else None
        complete = [s for s in scores if not s["is_prorated"]]
        nhs_first = min(complete, key=lambda s: (s["day"], badness(s)), default=None)
        nhs_later = [s for s in complete if nhs_first is not None and s["day"] > nhs_first["day"]]
        nhs_last = max(nhs_later, key=lambda s: (s["day"], badness(s)), default=None)
        row: Row = {
            "first": first and first["total"],
            "last": last and last["total"],
            "first_day": first and first["day"],
            "last_day": last and last["day"],
            "count": len(scores),
            # Of everything asked in the window, with a score at the start or without.
            "worst": max(scores, key=badness)["total"] if scores else None,
            "latest": latest(scores)["total"] if scores else None,
            "late_first": first is None and any(s["day"] > 7 for s in scores),
            "nhs_first": nhs_first and nhs_first["total"],
            "nhs_first_day": nhs_first and nhs_first["day"],
            "nhs_last": nhs_last and nhs_last["total"],
            "nhs_last_day": nhs_last and nhs_last["day"],
            "item_9_first": first and first["item_9"],
            "item_9_last": last and last["item_9"],
        }
        row |= self._months_later(episode, instrument, row["first_day"])
        row |= self._due(episode, instrument, [s["day"] for s in scores])
        for week in WEEKS_SHOWN:
            of_week = [s for s in scores if max(0, s["day"] // 7) == week]
            row[f"week_{week}"] = latest(of_week)["total"] if of_week else None
        return row

    def _due(self, episode: Row, instrument: str, days: list[int]) -> Row:
        """How many scores were due (day 0 and every so many days), and how many of these came within three days."""
        every = self.every_days[instrument]
        if every is None:
            return {"due_scores": None, "on_time_scores": None}
        end = exit_day_of(episode, self.attendance[episode["episode_id"]])
        last = episode["observed_days"] - 3 if end is None else end
        due = [number * every for number in range(61) if number * every <= last]
        return {"due_scores": len(due), "on_time_scores": sum(any(abs(d - on) <= 3 for d in days) for on in due)}

    def _months_later(self, episode: Row, instrument: str, first_day: int | None) -> Row:
        """The person's latest score of any stay, so many days after the baseline."""
        row: Row = {"six_months": None, "twelve_months": None}
        if first_day is None:
            return row
        index = episode["start_day"] + first_day
        for name, (start, end) in {"six_months": (120, 240), "twelve_months": (305, 425)}.items():
            found = [
                (
                    filed["start_day"] + s["day"] - index,
                    not s["is_prorated"],
                    s["total"] * self.direction[instrument],
                    s,
                )
                for filed in self.episodes_of[episode["person_id"]]
                for s in self.filed[filed["episode_id"]]
                if s["instrument"] == instrument
            ]
            found = [each for each in found if start <= each[0] <= end]
            row[name] = max(found, key=lambda each: each[:3])[3]["total"] if found else None
        return row


def _same_score(score: Row, other: Row) -> bool:
    return all(score[c] == other[c] for c in ("instrument", "day", "total", "item_9", "is_prorated"))
