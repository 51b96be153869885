from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from libs.domain.event import DAY_MS, Event, EventKind
from libs.domain.profile import Profile
from libs.domain.title import Title, TitleKind
from libs.domain.viewing import UNKNOWN_CONTEXT, Device, ViewingContext
from libs.features.catalogue_columns import from_titles
from libs.features.credit import credited_rows
from libs.features.event_columns import from_events
from libs.features.feature import FeatureKind
from libs.features.profile_state import replay
from libs.features.profile_view import resolve
from libs.features.ranking_matrix import (
    FEATURE_NAMES,
    FEATURES,
    SOURCE_NAMES,
    Spaces,
    Viewer,
    assemble,
)
from libs.features.title_block import (
    TITLE_FEATURES,
    TitleBlock,
    completion_rate,
    popularity,
    title_block,
)
from libs.features.title_statistics import statistics
from libs.features.title_table import EMPTY as NO_COUNTERS
from libs.features.title_table import LiveTitleCounters, TitleTable
from tests.made_events import START_MS, event_lists, watch

AT_MS = START_MS + 100 * DAY_MS
TITLES = (
    Title("title0", TitleKind.MOVIE, "M", genres=("a", "b"), language="de", duration_ms=10_000),
    Title("title1", TitleKind.EPISODE, "E", parent_id="title2"),
    Title("title2", TitleKind.SERIES, "S", genres=("b",), language="en"),
    Title("title3", TitleKind.LIVE, "L", release_date=date(2001, 2, 3)),
)
COLUMNS = from_titles(TITLES, ("title0", "title2", "title3", "deleted"))
COUNT = len(COLUMNS.title_ids)


def unit(shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal(shape)
    unit_vectors: NDArray[np.float32] = (
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    ).astype(np.float32)
    return unit_vectors


SPACES = Spaces(unit((COUNT, 4), 1), unit((COUNT, 6), 2))


def table_of(events: list[Event]) -> TitleTable:
    live = LiveTitleCounters()
    live.add(from_events(events))
    return live.table(AT_MS)


def block_of(table: TitleTable, country: str = "DE") -> TitleBlock:
    return title_block(COLUMNS, credited_rows(table, COLUMNS.credit, country))


def viewer_of(
    events: list[Event],
    *,
    context: ViewingContext = UNKNOWN_CONTEXT,
    profile: Profile | None = None,
    at_ms: int = AT_MS,
) -> Viewer:
    state = replay(events)
    return Viewer(profile, resolve(state, COLUMNS), state.counters, context, at_ms)


def assembled(
    viewer: Viewer,
    block: TitleBlock,
    rows: tuple[int, ...] = (2, 0, 1, 3),
    source_ranks: NDArray[np.int32] | None = None,
) -> NDArray[np.float32]:
    shape = (len(rows), len(SOURCE_NAMES))
    return assemble(
        viewer,
        COLUMNS,
        block,
        SPACES,
        rows=np.array(rows, dtype=np.int32),
        source_ranks=np.full(shape, -1, dtype=np.int32) if source_ranks is None else source_ranks,
        source_scores=np.zeros(shape, dtype=np.float32),
    )


def feature(matrix: NDArray[np.float32], name: str) -> list[float]:
    return [float(value) for value in matrix[:, FEATURE_NAMES.index(name)]]


def test_every_feature_has_a_name_of_its_own() -> None:
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)
    assert FEATURES[: len(TITLE_FEATURES)] == tuple(one.feature for one in TITLE_FEATURES)


def test_every_feature_says_what_it_means_and_what_fades_says_how_fast() -> None:
    for feature in FEATURES:
        assert feature.meaning, feature.name
        assert (feature.kind is FeatureKind.COUNTER) == (feature.half_life_ms is not None)


@given(
    event_lists(profile_count=1, title_count=4),
    st.sampled_from(Device),
    st.sampled_from(["", "Pacific/Auckland"]),
    st.sampled_from([AT_MS, 0, START_MS]),
)
def test_is_finite_and_the_same_bits_each_time(
    some: list[Event], device: Device, time_zone: str, at_ms: int
) -> None:
    context = ViewingContext(device=device, time_zone=time_zone, country="DE")
    profile = Profile("profile0", languages=("de",), time_zone="Europe/Berlin")
    found = [
        assembled(
            viewer_of(some, context=context, profile=profile, at_ms=at_ms),
            block_of(table_of(some)),
        )
        for _ in range(2)
    ]
    assert found[0].shape == (4, len(FEATURE_NAMES))
    assert found[0].dtype == np.float32
    assert np.isfinite(found[0]).all()
    assert found[0].tobytes() == found[1].tobytes()


def test_a_cold_profile_over_titles_without_events_is_finite() -> None:
    assert np.isfinite(assembled(viewer_of([]), block_of(NO_COUNTERS))).all()


def test_no_candidates_are_an_empty_matrix() -> None:
    assert assembled(viewer_of([]), block_of(NO_COUNTERS), rows=()).shape == (0, len(FEATURE_NAMES))


def test_a_candidate_has_the_same_features_whichever_others_there_are() -> None:
    events = [watch("a", START_MS), watch("b", START_MS + 5, title_id="title1")]
    viewer, block = viewer_of(events), block_of(table_of(events))
    whole = assembled(viewer, block, rows=(0, 1, 2, 3))
    alone = assembled(viewer, block, rows=(0,))
    assert whole[0].tobytes() == alone[0].tobytes()


def test_history_is_found_by_the_candidate_it_is_about() -> None:
    events = [watch("a", AT_MS - 2 * DAY_MS, title_id="title1")]
    matrix = assembled(viewer_of(events), block_of(NO_COUNTERS), rows=(0, 1, 2))
    assert feature(matrix, "pair_days_since_watched") == pytest.approx([3650, 2, 3650])
    watched = feature(matrix, "pair_engagement")
    assert watched[0] == watched[2] == 0
    assert watched[1] > 0.4
    assert feature(matrix, "pair_watched_ratio") == pytest.approx([0, 0.5, 0])


def test_a_taste_makes_its_genres_and_languages_near() -> None:
    matrix = assembled(viewer_of([watch("a", AT_MS - 5)]), block_of(NO_COUNTERS), rows=(0, 1, 2))
    assert feature(matrix, "pair_genre_affinity") == pytest.approx([1, 2**-0.5, 0], abs=1e-6)
    assert feature(matrix, "pair_language_share") == [1, 0, 0]
    cosine = float(SPACES.content[1] @ SPACES.content[0])
    assert feature(matrix, "pair_recent_content")[1] == pytest.approx(cosine, abs=1e-6)
    assert feature(matrix, "pair_taste_content")[1] == pytest.approx(cosine, abs=1e-6)


def test_spoken_languages_come_from_the_profile() -> None:
    viewer = viewer_of([], profile=Profile("profile0", languages=("en", "fr")))
    matrix = assembled(viewer, block_of(NO_COUNTERS), rows=(0, 1, 2))
    assert feature(matrix, "pair_language_is_spoken") == [0, 1, 0]


def test_context_says_device_and_local_time() -> None:
    midnight_ms = AT_MS // DAY_MS * DAY_MS
    viewer = viewer_of([], context=ViewingContext(device=Device.TV), at_ms=midnight_ms)
    matrix = assembled(viewer, block_of(NO_COUNTERS), rows=(0,))
    assert feature(matrix, "context_device_tv") == [1]
    assert feature(matrix, "context_device_phone") == [0]
    assert feature(matrix, "context_hour_cos") == [1]
    noon = replace(viewer, at_ms=midnight_ms + DAY_MS // 2)
    assert feature(assembled(noon, block_of(NO_COUNTERS), rows=(0,)), "context_hour_cos") == [-1]


def test_the_time_zone_of_the_request_goes_before_that_of_the_profile() -> None:
    midnight_ms = AT_MS // DAY_MS * DAY_MS
    profile = Profile("profile0", time_zone="Asia/Tokyo")
    context = ViewingContext(time_zone="Etc/GMT-12")
    viewer = viewer_of([], context=context, profile=profile, at_ms=midnight_ms)
    matrix = assembled(viewer, block_of(NO_COUNTERS), rows=(0,))
    assert feature(matrix, "context_hour_cos") == [-1]


def test_provenance_is_kept_by_source() -> None:
    ranks = np.full((2, len(SOURCE_NAMES)), -1, dtype=np.int32)
    ranks[0, SOURCE_NAMES.index("popular")] = 0
    matrix = assembled(viewer_of([]), block_of(NO_COUNTERS), rows=(0, 1), source_ranks=ranks)
    assert feature(matrix, "retrieval_source_count") == [1, 0]
    found, missing = feature(matrix, "retrieval_rank_popular")
    assert found == 0
    assert missing > np.log1p(2000)


def test_an_episode_makes_its_series_popular_in_its_country() -> None:
    table = table_of([watch("a", AT_MS - 1, title_id="title1", to_ms=10_000, country="DE")])
    here = credited_rows(table, COLUMNS.credit, "DE")
    assert popularity(here).argmax() == COLUMNS.title_ids.index("title2")
    elsewhere = popularity(credited_rows(table, COLUMNS.credit, "FR"))
    assert elsewhere.argmax() == COLUMNS.title_ids.index("title2")
    assert elsewhere.max() < popularity(here).max()
    assert popularity(credited_rows(NO_COUNTERS, COLUMNS.credit, "")).tolist() == [0] * COUNT


def test_completion_rates_are_shrunk_towards_that_of_all_titles() -> None:
    finished = [
        watch(f"{title}{place}{kind.name}", AT_MS - 1, title_id=title, kind=kind)
        for title, kinds in (
            ("title0", (EventKind.PLAY, EventKind.COMPLETE)),
            ("title3", (EventKind.PLAY,)),
        )
        for place in range(9)
        for kind in kinds
    ]
    rate = completion_rate(credited_rows(table_of(finished), COLUMNS.credit, ""))
    assert rate[0] > rate[1] > rate[2]  # the one nobody started is as good as all together


def test_statistics_say_how_old_they_are() -> None:
    found = statistics(table_of([]), COLUMNS, "DE")
    assert found.age_ms(AT_MS + 5) == 5
    assert found.age_ms(AT_MS - 5) == 0
