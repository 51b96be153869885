import contextlib
import json

import pytest

from libs.domain.beat import Beat, EpisodeBeats, Relation
from libs.storage.recap.beat_table import NOTHING_TOLD, BeatTable, ToldEpisode
from libs.storage.recap.database import Database
from libs.storage.recap.personal_tables import personal_tables
from tests.libs.storage.recap.conftest import Open
from tests.made_beats import saga, told

EPISODES = [ToldEpisode(told(title), 7) for title in saga().values() if title.parent_id]


@pytest.fixture
def table(database: Database) -> BeatTable:
    return table_of(database)


def table_of(database: Database) -> BeatTable:
    """Terms that tell which episodes they were made of."""
    return BeatTable(
        database, lambda told: json.dumps([one.episode.episode_id for one in told]).encode()
    )


def test_what_was_told_is_read_back_as_it_was(table: BeatTable) -> None:
    beat = Beat(1, 5, "น้องจูน กลับบ้าน 🏠", ("جون",), (Relation("جون", 'Ø\'Neil "x"', "🤝"),), 0.25, 3)
    episodes = [*EPISODES, ToldEpisode(EpisodeBeats("zz", (beat,)), 0)]
    assert table.replace("default", "saga", list(reversed(episodes))) == 7
    series = table.newer("default", "saga", 0)
    assert series is not None
    assert series.episodes == tuple(episodes)
    assert json.loads(series.terms) == [one.episode.episode_id for one in episodes]


def test_the_same_again_is_no_change_and_no_new_version(table: BeatTable) -> None:
    assert table.replace("default", "saga", EPISODES) == 6
    assert table.replace("default", "saga", EPISODES[:2]) == 0
    assert table.newer("default", "saga", 1) is None
    recut = ToldEpisode(EPISODES[0].episode, 8)
    assert table.replace("default", "saga", [recut]) == 0, "the beats are the same"
    series = table.newer("default", "saga", 1)
    assert series is not None
    assert (series.version, series.episodes[0].duration_ms) == (2, 8)


def test_an_episode_without_beats_is_forgotten(table: BeatTable) -> None:
    empty = ToldEpisode(EpisodeBeats("saga-1-1", ()), 7)
    assert table.replace("default", "saga", [empty]) == 0
    assert table.newer("default", "saga", 0) is None
    assert table.newer("default", "saga", -1) == NOTHING_TOLD
    table.replace("default", "saga", EPISODES)
    assert table.replace("default", "saga", [empty]) == 1
    series = table.newer("default", "saga", 1)
    assert series is not None
    assert series.episodes == tuple(EPISODES[1:])
    gone = [ToldEpisode(EpisodeBeats(one.episode.episode_id, ()), 7) for one in EPISODES]
    assert table.replace("default", "saga", gone) == 5
    nothing = table.newer("default", "saga", 2)
    assert nothing is not None
    assert (nothing.version, nothing.episodes) == (3, ())


def test_series_and_tenants_are_apart(table: BeatTable) -> None:
    table.replace("default", "saga", EPISODES)
    assert table.newer("default", "other", 0) is None
    assert table.newer("acme", "saga", 0) is None


def test_another_replica_or_process_reads_what_was_told(open_database: Open) -> None:
    with contextlib.closing(open_database()) as first:
        table_of(first).replace("default", "saga", EPISODES)
    with contextlib.closing(open_database()) as second:
        series = table_of(second).newer("default", "saga", 0)
    assert series is not None
    assert series.episodes == tuple(EPISODES)


def test_what_cannot_be_made_terms_of_is_not_told(database: Database) -> None:
    def refuse(told: object) -> bytes:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        BeatTable(database, refuse).replace("default", "saga", EPISODES)
    assert table_of(database).newer("default", "saga", 0) is None


def test_beats_are_nothing_of_a_profile() -> None:
    names = {table.name for table in personal_tables()}
    assert not names & {"story_series", "story_episode"}
