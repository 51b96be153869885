from collections import defaultdict

from libs.domain.event import Event, EventKind, WatchedInterval
from libs.domain.title import KIDS_MATURITY_YEARS, TitleKind
from libs.domain.viewing import Surface, local_time
from libs.simulation.config import SimulationConfig
from libs.simulation.histories import ProfileHistory
from libs.simulation.world import World


def _events(histories: list[ProfileHistory]) -> list[Event]:
    return [event for history in histories for event in history.events]


def test_no_event_or_decision_is_outside_the_simulated_days(
    config: SimulationConfig, histories: list[ProfileHistory]
) -> None:
    times = [event.occurred_ms for event in _events(histories)]
    times += [d.decided_ms for history in histories for d in history.decisions]

    assert config.start_ms <= min(times)
    assert max(times) < config.until_ms


def test_ids_are_unique_and_order_is_that_of_the_list(histories: list[ProfileHistory]) -> None:
    events = _events(histories)
    assert len({event.event_id for event in events}) == len(events)
    for history in histories:
        orders = [event.order for event in history.events]
        assert orders == sorted(orders)
        decided = [decision.decided_ms for decision in history.decisions]
        assert decided == sorted(decided)


def test_the_sequence_counts_up_within_a_session(histories: list[ProfileHistory]) -> None:
    sessions: dict[str, list[int]] = defaultdict(list)
    for event in _events(histories):
        sessions[event.session_id].append(event.sequence)

    assert "" not in sessions
    assert all(sequences == list(range(len(sequences))) for sequences in sessions.values())


def test_every_impression_and_click_on_a_page_is_where_the_decision_put_it(
    histories: list[ProfileHistory],
) -> None:
    pages = {d.page_id: d for history in histories for d in history.decisions}
    placed = [event for event in _events(histories) if event.placement is not None]

    assert {event.kind for event in placed} == {EventKind.IMPRESSION, EventKind.CLICK}
    for event in placed:
        assert event.placement is not None
        decision = pages[event.placement.page_id]
        assert decision.title_ids[event.placement.position] == event.title_id
        assert decision.profile_id == event.profile_id
        assert decision.decided_ms <= event.occurred_ms


def test_a_page_shows_no_title_twice_and_its_propensities_are_probabilities(
    histories: list[ProfileHistory],
) -> None:
    for history in histories:
        for decision in history.decisions:
            assert len(set(decision.title_ids)) == len(decision.title_ids)
            assert all(0 < propensity <= 1 for propensity in decision.propensities)


def test_upper_positions_are_seen_more_often(histories: list[ProfileHistory]) -> None:
    seen = [0] * 20
    for event in _events(histories):
        if event.kind is EventKind.IMPRESSION and event.placement is not None:
            seen[event.placement.position] += 1

    assert seen[0] == seen[1] > seen[2] > seen[4] > seen[8]


def test_children_are_shown_and_watch_nothing_above_their_age(
    world: World, histories: list[ProfileHistory]
) -> None:
    maturity = {title.title_id: title.maturity_years for title in world.titles}
    watched = 0
    for profile, history in zip(world.profiles, histories, strict=True):
        limit = KIDS_MATURITY_YEARS if profile.kids else profile.maturity_limit_years
        if limit is None:
            continue
        shown = {title_id for d in history.decisions for title_id in d.title_ids}
        played = {event.title_id for event in history.events if event.title_id}
        assert all(maturity[title_id] <= limit for title_id in shown | played)
        assert all(event.context.kids is profile.kids for event in history.events)
        watched += len(played)
    assert watched > 0


def test_licences_are_kept(world: World, histories: list[ProfileHistory]) -> None:
    titles = {title.title_id: title for title in world.titles}
    assert sum(bool(title.licence_windows) for title in world.titles) > 20

    def is_licensed(title_id: str, country: str, at_ms: int) -> bool:
        windows = titles[title_id].licence_windows
        return not windows or any(
            window.country in ("", country)
            and window.start_ms <= at_ms
            and (not window.end_ms or at_ms < window.end_ms)
            for window in windows
        )

    for profile, history in zip(world.profiles, histories, strict=True):
        for decision in history.decisions:
            for title_id in decision.title_ids:
                assert is_licensed(title_id, profile.country, decision.decided_ms)
        for event in history.events:
            if event.kind is EventKind.PLAY:
                assert is_licensed(event.title_id, profile.country, event.occurred_ms)


def test_playback_names_episodes_and_all_else_what_can_be_recommended(
    world: World, histories: list[ProfileHistory]
) -> None:
    kinds = {title.title_id: title.kind for title in world.titles}
    recommendable = set(world.recommendable_ids)
    for event in _events(histories):
        if isinstance(event.detail, WatchedInterval):
            assert kinds[event.title_id] is not TitleKind.SERIES
            assert event.context.surface is Surface.PLAYER
        elif event.title_id:
            assert event.title_id in recommendable


def test_the_intervals_of_one_playback_follow_each_other(histories: list[ProfileHistory]) -> None:
    playbacks = 0
    for history in histories:
        place_ms, playing = 0, ""
        for event in history.events:
            if not isinstance(event.detail, WatchedInterval):
                assert not playing
                continue
            watched = event.detail
            if event.kind is EventKind.PLAY:
                playbacks += 1
                assert watched.from_ms == watched.to_ms
                playing = event.title_id
            else:
                assert event.title_id == playing
                assert watched.from_ms == place_ms
                assert watched.from_ms <= watched.to_ms <= watched.duration_ms
            place_ms = watched.to_ms
            if event.kind in (EventKind.STOP, EventKind.COMPLETE):
                assert (event.kind is EventKind.COMPLETE) == (watched.to_ms == watched.duration_ms)
                playing = ""
        if playing:
            assert history.events[-1].title_id == playing  # until_ms came first
    assert playbacks > 1000


def test_the_length_of_what_is_played_is_the_catalogues(
    world: World, histories: list[ProfileHistory]
) -> None:
    lengths = {title.title_id: title.duration_ms for title in world.titles}
    for event in _events(histories):
        if isinstance(event.detail, WatchedInterval):
            assert event.detail.duration_ms == lengths[event.title_id]


def test_episodes_are_watched_in_order(world: World, histories: list[ProfileHistory]) -> None:
    places = {
        episode.title_id: (series, number)
        for series, episodes in zip(world.recommendable_ids, world.catalogue.episodes, strict=True)
        for number, episode in enumerate(episodes)
    }
    continued = 0
    for history in histories:
        at: dict[str, int] = {}
        for event in history.events:
            if event.kind is EventKind.PLAY and event.title_id in places:
                series, number = places[event.title_id]
                assert number == 0 or number - at[series] in (0, 1)
                continued += number > 0
                at[series] = number
    assert continued > 100


def test_viewers_keep_to_their_own_hours(histories: list[ProfileHistory]) -> None:
    plays = [
        local_time(event.occurred_ms, event.context.time_zone).hour
        for event in _events(histories)
        if event.kind is EventKind.PLAY and not event.context.kids
    ]
    evening = sum(hour >= 18 for hour in plays) / len(plays)
    night = sum(hour < 6 for hour in plays) / len(plays)

    assert evening > 0.4
    assert night < 0.2
