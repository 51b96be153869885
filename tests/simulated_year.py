"""A year of prompts for many profiles, by two replicas that are killed again and again."""

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.prompt_oracle import DAY, OFFERED, Oracle
from tests.replica import Replica

BEGIN: Final = 1_760_000_000_000
DAYS: Final = 365
KEY: Final = bytes(range(32))
HOLD_OUT_RATIO: Final = 0.05
# Visits a day: some come every week, others now and then.
VISITS: Final = (0.01, 0.05, 0.15)
OFF_DAYS: Final = frozenset({100, 101, 102, 250})


def answers_of(replica: Replica, kill_after: int | None) -> dict[int, int] | None:
    """What the calls were told; None when it was killed after so many answers."""
    said: dict[int, int] = {}
    while True:
        if kill_after is not None and len(said) >= kill_after:
            replica.kill()
            return None
        line = replica.read()
        if not line:
            return said
        place, answer = json.loads(line)
        said[place] = answer


@dataclass
class Year:
    """The driver: visits, races, retries, kills; and what the oracle says of the answers."""

    recap_url: str
    events_url: str
    secret: Path  # the file of that log
    profile_count: int
    kills: int
    seed: int
    oracle: Oracle = field(default_factory=lambda: Oracle(KEY, HOLD_OUT_RATIO))
    violations: list[str] = field(default_factory=list)
    outcomes: Counter[int] = field(default_factory=Counter)
    calls: int = 0
    killed: int = 0

    def run(self) -> None:
        random = Random(self.seed)
        profiles = [(f"p{number}", random.choice(VISITS)) for number in range(self.profile_count)]
        arguments = (
            self.recap_url, self.events_url, str(self.secret), KEY.hex(), str(HOLD_OUT_RATIO),
            str(BEGIN + (DAYS + 1) * DAY),
        )  # fmt: skip
        with ExitStack() as stack:
            replicas = [
                stack.enter_context(Replica("tests.prompt_replica", *arguments)) for _ in range(2)
            ]
            kill_days = {random.randrange(DAYS) for _ in range(self.kills)}
            for day in range(DAYS):
                visitors = [name for name, visits in profiles if random.random() < visits]
                kill = day in kill_days
                for hour in (8, 20):
                    at = BEGIN + day * DAY + hour * DAY // 24 + random.randrange(3_600_000)
                    self._visits(replicas, random, visitors, day, at, kill=kill)
                    # Some are back in the evening.
                    visitors = [name for name in visitors if random.random() < 0.2]
            self.killed = sum(replica.kill_count for replica in replicas)

    def _visits(
        self,
        replicas: list[Replica],
        random: Random,
        visitors: list[str],
        day: int,
        at: int,
        *,
        kill: bool,
    ) -> None:
        offers: list[list[Any]] = []
        for name in visitors:
            playing = random.random() < 0.2
            until = at + random.randrange(1, 30 * 60_000) if random.random() < 0.2 else 0
            for rival in range(2 if random.random() < 0.1 else 1):
                offer_id = f"{name}-{at}-{rival}"
                offers.append(["offer", name, offer_id, at, playing, until, day in OFF_DAYS])
        answers = self._apply(replicas, random, offers, kill=kill)
        self._judge_offers(offers, answers)
        later = at + 30 * 60_000
        dismissals = [
            ["dismiss", name, offer_id, later]
            for (_, name, offer_id, *_), answer in zip(offers, answers, strict=True)
            if answer == OFFERED and random.random() < 0.6
        ]
        silences = self._apply(replicas, random, dismissals, kill=kill)
        for (_, name, offer_id, when), until in zip(dismissals, silences, strict=True):
            self.oracle.dismissals[name].setdefault(offer_id, when)
            begun = self.oracle.silences(name)
            wanted = when + 30 * DAY if when in begun else 0
            if until != wanted:
                self.violations.append(f"{name} {offer_id}: silent until {until}, not {wanted}")

    def _judge_offers(self, offers: list[list[Any]], answers: list[int]) -> None:
        by_name: dict[str, list[tuple[list[Any], int]]] = {}
        for offer, answer in zip(offers, answers, strict=True):
            by_name.setdefault(offer[1], []).append((offer, answer))
            self.outcomes[answer] += 1
        for name, asked in by_name.items():
            # Of rivals whoever has got the slot came first.
            asked.sort(key=lambda one: one[1] not in (0, 6))
            for (_, _, offer_id, at, playing, until, off), answer in asked:
                wanted = self.oracle.wanted(name, at, playing=playing, next_until=until, off=off)
                if answer not in wanted:
                    self.violations.append(f"{name} {offer_id}: {answer}, not {wanted}")
                self.oracle.note(name, offer_id, at, answer)

    def _apply(
        self, replicas: list[Replica], random: Random, calls: list[list[Any]], *, kill: bool
    ) -> list[int]:
        """Send each call to either replica, some to both; the one answer that each has."""
        places: list[list[int]] = [[], []]
        for place in range(len(calls)):
            chosen = random.randrange(2)
            places[chosen].append(place)
            if random.random() < 0.15:
                places[1 - chosen].append(place)
        said: dict[int, int] = {}
        kill_after = [random.randrange(len(mine) + 1) if kill and mine else None for mine in places]
        while any(places):
            busy = [which for which in (0, 1) if places[which]]
            for which in busy:
                self.calls += len(places[which])
                replicas[which].write([calls[place] for place in places[which]])
            lost: list[list[int]] = [[], []]
            for which in busy:
                answers = answers_of(replicas[which], kill_after[which])
                if answers is None:
                    # What a killed replica had is sent again, to the other one.
                    lost[1 - which] = places[which]
                for index, answer in (answers or {}).items():
                    place = places[which][index]
                    if said.setdefault(place, answer) != answer:
                        self.violations.append(f"{calls[place]} was told two things")
            places, kill_after = lost, [None, None]
        return [said[place] for place in range(len(calls))]
