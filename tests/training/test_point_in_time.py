"""From the state of one time, training and serving make the same matrix, and neither looks ahead.

Serving's side is the whole way: the log in its store, a profile's state and the counters of all
titles as of a time, over the messages that services exchange, to the matrix. Training's is its
pass over each profile's events and its own replay of counters.
"""

import dataclasses
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import closing
from operator import attrgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import (
    Detail,
    Event,
    EventKind,
    MyListChange,
    Placement,
    QuizAnswer,
    Thumb,
    ThumbDirection,
    WatchedInterval,
    Wish,
)
from libs.domain.title import Title
from libs.domain.viewing import Device, ViewingContext
from libs.features.catalogue_columns import CatalogueColumns, from_titles, recommendable_ids
from libs.features.evidence import session_evidence
from libs.features.profile_state import ProfileReplay, in_order, replay, unexpired
from libs.features.profile_view import resolve
from libs.features.ranking_matrix import SOURCE_NAMES, Spaces, Viewer, assemble
from libs.features.title_block import TitleBlock
from libs.features.title_replay import TitleReplay
from libs.features.title_statistics import statistics
from libs.models.retrieval_model import to_unit_length
from libs.serving.profile_features_client import profile_features
from libs.serving.title_features_client import title_table
from libs.storage.event_store import SqliteEventStore
from services.events.features_codec import profile_features_message, title_features_message
from tests.made_world import UNTIL_MS, MemoryLog, encode, make_config, quiet, small_world
from training.material import read_material
from training.pipeline import fit_moments
from training.queries import Moment, answers
from training.report import Stopwatch
from training.snapshots import Asked, take_snapshots

TENANT = "default"
TIMES, PROFILES_A_TIME, CANDIDATES = 20, 50, 40
COUNTRIES = ("", "DE", "PT", "US")

occurred_ms = attrgetter("occurred_ms")


@dataclasses.dataclass(frozen=True)
class Drawn:
    """One random question: who asks when, from where, about which rows."""

    profile_id: str
    at_ms: int
    context: ViewingContext
    rows: NDArray[np.int32]
    source_ranks: NDArray[np.int32]
    source_scores: NDArray[np.float32]


def draw(log: MemoryLog, row_count: int) -> Iterator[Drawn]:
    rng = np.random.default_rng(11)
    times = [event.occurred_ms for event in log.events]
    profile_ids = sorted({event.profile_id for event in log.events})
    for _ in range(TIMES):
        # At an event's own time, a moment beside it, or long after everything.
        at_ms = int(rng.choice(times)) + int(rng.choice([0, 0, 1, -1, 90 * 86_400_000]))
        country = str(rng.choice(COUNTRIES))
        for profile_id in rng.choice(profile_ids, PROFILES_A_TIME):
            shape = (CANDIDATES, len(SOURCE_NAMES))
            yield Drawn(
                profile_id=str(profile_id),
                at_ms=at_ms,
                context=ViewingContext(
                    time_zone=str(rng.choice(["", "Asia/Tokyo"])),
                    device=Device(int(rng.integers(len(Device)))),
                    country=country,
                ),
                rows=rng.choice(row_count, CANDIDATES, replace=False).astype(np.int32),
                source_ranks=rng.integers(-1, 500, shape).astype(np.int32),
                source_scores=rng.random(shape).astype(np.float32),
            )


def with_quizzes(log: MemoryLog, titles: tuple[Title, ...]) -> MemoryLog:
    """The log, and beside one event in ten an answer to a quiz that comes to three titles."""
    rng = np.random.default_rng(17)
    ids = sorted(recommendable_ids(titles))
    answers = [
        Event(
            f"answer-{event.event_id}",
            event.profile_id,
            EventKind.QUIZ_ANSWER,
            event.occurred_ms,
            event.sequence + 1,
            detail=QuizAnswer(
                "quiz",
                "question",
                "option",
                tuple(
                    Wish(str(title_id), weight)
                    for title_id, weight in zip(
                        rng.choice(ids, 3, replace=False), (1.0, 0.7, 0.1), strict=True
                    )
                ),
            ),
        )
        for event in log.events[::10]
    ]
    return MemoryLog(tuple(sorted((*log.events, *answers), key=in_order)), log.stored)


def matrix(
    drawn: Drawn, viewer: Viewer, columns: CatalogueColumns, block: TitleBlock, spaces: Spaces
) -> NDArray[np.float32]:
    return assemble(
        viewer,
        columns,
        block,
        spaces,
        rows=drawn.rows,
        source_ranks=drawn.source_ranks,
        source_scores=drawn.source_scores,
    )


def test_training_and_serving_make_the_same_bits(tmp_path: Path) -> None:
    log, titles = small_world()
    log = with_quizzes(log, titles)
    columns = from_titles(titles, recommendable_ids(titles))
    count = len(columns.title_ids)
    rng = np.random.default_rng(3)
    spaces = Spaces(
        *(to_unit_length(rng.standard_normal((count, size)).astype(np.float32)) for size in (8, 16))
    )
    everything = log.columns(TENANT, UNTIL_MS)
    trained = TitleReplay(lambda after, to: log.columns(TENANT, to + 1, after + 1))
    by_profile = dict(log.profile_events(TENANT, UNTIL_MS))
    profiles = {profile.profile_id: profile for profile in log.stored}
    compared = wished = 0
    with closing(SqliteEventStore(tmp_path / "events.sqlite")) as store:
        store.upsert_profiles(TENANT, log.stored)
        shuffled = rng.permutation(len(log.events)).tolist()
        for start in range(0, len(shuffled), 2_000):
            batch = [log.events[place] for place in shuffled[start : start + 2_000]]
            store.record_events(TENANT, batch, UNTIL_MS)
        for drawn in draw(log, count):
            country, as_of_ms = drawn.context.country, drawn.at_ms
            # Training: what was known before the next moment.
            on_the_way = ProfileReplay()
            events = by_profile[drawn.profile_id]
            on_the_way.advance(events[: bisect_left(events, as_of_ms + 1, key=occurred_ms)])
            state = on_the_way.state()
            table = trained.table(as_of_ms)
            viewer = Viewer(
                profiles.get(drawn.profile_id),
                resolve(unexpired(state, as_of_ms), columns),
                state.counters,
                drawn.context,
                drawn.at_ms,
                session_evidence((), state.wishes, as_of_ms, columns.credit.row_of),
            )
            block = statistics(table, columns, country).block
            wanted = matrix(drawn, viewer, columns, block, spaces)
            # Serving: what the events service answers of that time.
            (profile,) = store.profiles(TENANT, [drawn.profile_id])
            asked, served = profile_features(
                profile_features_message(
                    profile, store.profile_state(TENANT, drawn.profile_id, as_of_ms), as_of_ms
                )
            )
            message = title_features_message(
                store.title_table(TENANT, as_of_ms, country, now_ms=UNTIL_MS), country
            )
            block = statistics(title_table(message, country), columns, country).block
            viewer = Viewer(
                asked,
                resolve(unexpired(served, as_of_ms), columns),
                served.counters,
                drawn.context,
                drawn.at_ms,
                session_evidence((), served.wishes, as_of_ms, columns.credit.row_of),
            )
            wished += len(viewer.evidence.rows) > 0
            found = matrix(drawn, viewer, columns, block, spaces)
            assert found.tobytes() == wanted.tobytes(), drawn
            compared += 1
    assert compared == 1_000
    assert wished > 20
    assert len(everything) == len(log.events)


def plant(event_id: str, profile_id: str, title_id: str, viewer: Viewer) -> list[Event]:
    """Everything that could give a title away, right after the moment that was asked about."""
    details: dict[EventKind, Detail | None] = {
        EventKind.IMPRESSION: None,
        EventKind.CLICK: None,
        EventKind.PLAY: WatchedInterval(0, 5_000, 10_000),
        EventKind.THUMB: Thumb(ThumbDirection.UP),
        EventKind.MY_LIST: MyListChange(True),
        EventKind.QUIZ_ANSWER: QuizAnswer("quiz", "question", "option", (Wish(title_id, 1.0),)),
    }
    return [
        Event(
            f"{event_id}-{profile_id}-{kind.name}",
            profile_id,
            kind,
            viewer.at_ms + 1,
            title_id=title_id,
            detail=detail,
            placement=Placement("planted") if kind is EventKind.IMPRESSION else None,
        )
        for kind, detail in details.items()
    ]


def test_a_signal_that_exists_only_after_the_cut_is_seen_by_no_feature(tmp_path: Path) -> None:
    log, titles = small_world()
    config = make_config(tmp_path)
    material = read_material(log, titles, config, Stopwatch(quiet), encode)
    columns, cut = material.columns, material.cuts.evaluation
    model = fit_moments(material, config, lambda done: None)[-2].model
    asked = material.snapshots[-1].asked
    planted = [
        event
        for one in asked
        for row in one.relevant.tolist()
        for event in plant(f"planted{row}", one.profile_id, columns.title_ids[row], one.viewer)
    ]
    assert len(planted) > 300

    def moment(some: MemoryLog, at_ms: int) -> Moment:
        counters = TitleReplay(lambda after, to: some.columns(TENANT, to + 1, after + 1))
        return Moment(model, columns, counters.table(at_ms - 1))

    def at_the_cut(some: MemoryLog) -> list[bytes]:
        """What training makes of a log for the same profiles."""
        (snapshot,), _ = take_snapshots(
            some.profile_events(TENANT, material.until_ms),
            (cut,),
            ({one.profile_id: one.relevant for one in asked},),
            material.until_ms,
            columns,
            {profile.profile_id: profile for profile in some.stored},
            profile_count=len(asked),
        )
        found = answers(moment(some, cut.time_ms), snapshot.asked, len(columns.title_ids))
        return [answer.matrix.tobytes() for answer in found]

    def at_the_end(some: MemoryLog) -> list[bytes]:
        by_profile = dict(some.profile_events(TENANT, material.until_ms))
        after = moment(some, material.until_ms)
        found = []
        for one in asked:
            state = replay(by_profile[one.profile_id])
            viewer = dataclasses.replace(
                one.viewer,
                view=resolve(state, columns),
                counters=state.counters,
                at_ms=material.until_ms,
            )
            answer = after.answer(Asked("", viewer, one.relevant), len(columns.title_ids))
            found.append(answer.matrix.tobytes())
        return found

    told = MemoryLog((*log.events, *planted), log.stored)
    wanted = at_the_cut(log)
    assert len(wanted) == len(asked)
    assert at_the_cut(told) == wanted
    # The comparison can tell: at the end of the log every one of them shows.
    assert all(
        found != before for found, before in zip(at_the_end(told), at_the_end(log), strict=True)
    )
