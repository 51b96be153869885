"""The same slots over SQLite and over PostgreSQL."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from libs.domain.event import DAY_MS, EventKind
from libs.domain.viewing import UNKNOWN_CONTEXT, Device, ViewingContext
from libs.faults import InvalidField, NotFound
from libs.storage.recap.database import Database
from services.recap.quiz.prompt_policy import GAP_MS, Moment, Refusal, Verdict
from services.recap.quiz.prompts import Prompts, event_id_of
from tests.made_databases import PostgresDatabases
from tests.made_recap import KINDS, made_database, personal_tables_of, waiting

NOW_MS = 1_760_000_000_000
IDLE = Moment()
HELD_OUT = Moment(is_held_out=True)
TENANT = "default"


@pytest.fixture(params=KINDS)
def database(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_databases: PostgresDatabases
) -> Iterator[Database]:
    with made_database(request.param, tmp_path, postgres_databases) as opened:
        yield opened


@pytest.fixture
def prompts(database: Database) -> Prompts:
    return Prompts(database, personal_tables_of(database))


def offer(
    prompts: Prompts,
    offer_id: str = "o1",
    now_ms: int = NOW_MS,
    moment: Moment = IDLE,
    context: ViewingContext = UNKNOWN_CONTEXT,
) -> Verdict:
    return prompts.offer(TENANT, "p", offer_id, moment, context, now_ms)


def test_the_same_offer_takes_one_slot_and_has_one_answer(
    prompts: Prompts, database: Database
) -> None:
    context = ViewingContext("Europe/Lisbon", Device.TV, "PT")
    first = offer(prompts, context=context)
    again = offer(prompts, now_ms=NOW_MS + 60_000)
    assert (first.refusal, first.earliest_ms) == (Refusal.NONE, NOW_MS + GAP_MS)
    assert (again.refusal, again.earliest_ms) == (first.refusal, first.earliest_ms)
    [shown] = waiting(database)
    assert shown.event.kind is EventKind.PROMPT_SHOWN
    assert shown.event.context == context
    assert offer(prompts, "o2", NOW_MS + 60_000).refusal is Refusal.RECENT


def test_what_was_dismissed_is_not_offered_again_by_whoever_asks_again(prompts: Prompts) -> None:
    offer(prompts)
    prompts.dismiss(TENANT, "p", "o1", NOW_MS)
    again = offer(prompts, now_ms=NOW_MS + 1)
    assert (again.refusal, again.earliest_ms) == (Refusal.RECENT, NOW_MS + GAP_MS)
    later_ms = NOW_MS + GAP_MS
    offer(prompts, "o2", later_ms)
    until_ms = prompts.dismiss(TENANT, "p", "o2", later_ms)
    again = offer(prompts, "o2", later_ms + 1)
    assert (again.refusal, again.earliest_ms) == (Refusal.SILENCED, until_ms)


def test_an_offer_stands_for_its_seven_days_and_is_then_spent(
    prompts: Prompts, database: Database
) -> None:
    offer(prompts)
    end_ms = NOW_MS + GAP_MS
    assert offer(prompts, now_ms=end_ms - 1).refusal is Refusal.NONE
    assert offer(prompts, now_ms=NOW_MS - 1).refusal is Refusal.NONE, "the clock went back"
    assert offer(prompts, now_ms=end_ms, moment=Moment(is_playing=True)).refusal is Refusal.PLAYING
    with pytest.raises(InvalidField) as caught:
        offer(prompts, now_ms=end_ms)
    assert caught.value.field == "offer_id"
    assert len(waiting(database)) == 1
    assert offer(prompts, "o2", end_ms).refusal is Refusal.NONE


def test_a_refused_offer_is_decided_anew(prompts: Prompts, database: Database) -> None:
    assert offer(prompts, moment=Moment(is_playing=True)).refusal is Refusal.PLAYING
    assert waiting(database) == []
    assert offer(prompts).refusal is Refusal.NONE


def test_of_many_who_ask_at_once_one_gets_the_slot(prompts: Prompts, database: Database) -> None:
    together = threading.Barrier(8)

    def ask(number: int) -> Refusal:
        together.wait()
        return offer(prompts, f"o{number}").refusal

    with ThreadPoolExecutor(8) as threads:
        refusals = list(threads.map(ask, range(8)))
    assert sorted(refusals) == [Refusal.NONE, *[Refusal.RECENT] * 7]
    assert len(waiting(database)) == 1


def test_a_dismissal_counts_once_and_the_second_silences(
    prompts: Prompts, database: Database
) -> None:
    offer(prompts, "o1")
    assert prompts.dismiss(TENANT, "p", "o1", NOW_MS) == 0
    assert prompts.dismiss(TENANT, "p", "o1", NOW_MS + 1) == 0
    later_ms = NOW_MS + GAP_MS
    assert offer(prompts, "o2", later_ms).refusal is Refusal.NONE
    until_ms = prompts.dismiss(TENANT, "p", "o2", later_ms)
    assert until_ms == later_ms + 30 * DAY_MS
    assert prompts.dismiss(TENANT, "p", "o2", later_ms + DAY_MS) == until_ms
    assert offer(prompts, "o3", until_ms - 1).refusal is Refusal.SILENCED
    assert offer(prompts, "o3", until_ms).refusal is Refusal.NONE
    kinds = [one.event.kind for one in waiting(database)]
    shown, gone = EventKind.PROMPT_SHOWN, EventKind.PROMPT_DISMISSED
    assert kinds == [shown, gone, shown, gone, shown]


def test_what_was_not_offered_to_the_profile_cannot_be_dismissed(prompts: Prompts) -> None:
    offer(prompts, "o1")
    prompts.offer(TENANT, "held out", "o1", HELD_OUT, UNKNOWN_CONTEXT, NOW_MS)
    for tenant, profile_id, offer_id in (
        (TENANT, "p", "o2"),
        (TENANT, "q", "o1"),
        ("acme", "p", "o1"),
        (TENANT, "held out", "o1"),
    ):
        with pytest.raises(NotFound) as caught:
            prompts.dismiss(tenant, profile_id, offer_id, NOW_MS)
        assert caught.value.metadata["kind"] == "offer"


def test_a_hold_out_is_noted_and_nothing_is_said_to_have_been_shown(
    prompts: Prompts, database: Database
) -> None:
    assert offer(prompts, moment=HELD_OUT).refusal is Refusal.HOLD_OUT
    assert offer(prompts, moment=HELD_OUT).refusal is Refusal.HOLD_OUT
    assert offer(prompts, "o2", moment=HELD_OUT).refusal is Refusal.RECENT
    assert waiting(database) == []
    lines = [json.loads(line) for line in personal_tables_of(database).export(TENANT, "p")]
    [noted] = [line["data"] for line in lines if line["kind"] == "prompt_offer"]
    assert (noted["offer_id"], noted["arm"]) == ("o1", "held_out")


def test_an_erased_profile_is_asked_nothing_and_leaves_nothing(
    prompts: Prompts, database: Database
) -> None:
    personal = personal_tables_of(database)
    offer(prompts)
    assert personal.erase(TENANT, "p") == 3, "its state, its offer and its event"
    with pytest.raises(NotFound):
        offer(prompts, "o2")
    with pytest.raises(NotFound):
        prompts.dismiss(TENANT, "p", "o1", NOW_MS)
    assert list(personal.export(TENANT, "p")) == []
    assert waiting(database) == []


def test_while_it_is_switched_off_not_even_a_taken_slot_is_an_offer(prompts: Prompts) -> None:
    off = Moment(is_switched_off=True)
    offer(prompts)
    assert offer(prompts, moment=off).refusal is Refusal.SWITCHED_OFF
    assert offer(prompts, "o2", moment=off).refusal is Refusal.SWITCHED_OFF
    assert offer(prompts).refusal is Refusal.NONE


def test_ids_of_events_keep_their_parts_apart() -> None:
    assert event_id_of("p", "1", "11") == event_id_of("p", "1", "11")
    assert len({event_id_of(*parts) for parts in (("p1", "1"), ("p", "11"), ("p", "1", "1"))}) == 3
