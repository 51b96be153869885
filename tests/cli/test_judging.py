import numpy as np
import pytest

from cli.judging import Exam, Question
from libs.domain.event import DAY_MS, Event
from libs.domain.profile import Profile
from libs.domain.title import Title, TitleKind
from libs.features.catalogue_columns import CatalogueColumns, from_titles
from libs.features.event_columns import from_events
from tests.made_events import START_MS, watch
from training.judge import ALL_TIME, BASELINE, Judged

HORIZON_MS = 7 * DAY_MS


def columns() -> CatalogueColumns:
    titles = [
        *(Title(f"title{row}", TitleKind.MOVIE, f"Film {row}") for row in range(4)),
        Title("title4", TitleKind.MOVIE, "For adults", maturity_years=18),
    ]
    return from_titles(titles, tuple(title.title_id for title in titles))


def exam(*events: Event, most: int = 100, profiles: tuple[Profile, ...] = ()) -> Exam:
    question = Question(START_MS, HORIZON_MS, most)
    return Exam(question, columns(), from_events(events), profiles)


def of(judged: tuple[Judged, ...], name: str) -> Judged:
    (found,) = (one for one in judged if one.name == name)
    return found


def test_an_event_at_the_moment_of_the_lists_is_history_and_no_label() -> None:
    at = watch("a", START_MS, title_id="title0")
    assert exam(at).profile_ids == ()
    after = watch("b", START_MS + 1, title_id="title1")
    assert exam(at, after).profile_ids == ("profile0",)
    # Known to the profile at that time: seeing it again later is nothing new.
    assert exam(at, watch("b", START_MS + 1, title_id="title0")).profile_ids == ()


def test_the_horizon_ends_as_long_after_the_moment_as_was_asked() -> None:
    assert exam(watch("a", START_MS + HORIZON_MS)).profile_ids == ("profile0",)
    assert exam(watch("a", START_MS + HORIZON_MS + 1)).profile_ids == ()


@pytest.mark.parametrize(
    ("wanted", "name"), [("title2", BASELINE), ("title1", ALL_TIME)], ids=["30 days", "all time"]
)
def test_the_baselines_count_up_to_the_moment_itself_and_nothing_later(
    wanted: str, name: str
) -> None:
    times = {
        "title1": [START_MS - 31 * DAY_MS, START_MS - 31 * DAY_MS + 1],
        "title2": [START_MS],
        "title3": [START_MS + 1, START_MS + 2, START_MS + 3],
    }
    # What others do later is worth nothing to them: they knew the title.
    others = [
        watch(f"{title_id}{at_ms}", at_ms, profile_id="profile1", title_id=title_id)
        for title_id, all_ms in times.items()
        for at_ms in all_ms
    ]
    known = watch(
        "known", START_MS - 60 * DAY_MS, profile_id="profile1", title_id="title3", to_ms=1
    )
    asked = exam(*others, known, watch("own", START_MS + 1, title_id=wanted))
    assert asked.profile_ids == ("profile0",)
    judged = asked.judged({})
    best = [one.name for one in judged if one.ndcg.mean == 1.0]
    assert best == [name]


def test_the_baselines_leave_out_what_is_known_and_what_may_not_be_shown() -> None:
    popular = [
        watch(f"{title_id}{count}", START_MS - count, profile_id="profile1", title_id=title_id)
        for title_id, times in (("title4", 4), ("title0", 3), ("title2", 2))
        for count in range(times)
    ]
    own = [watch("a", START_MS, title_id="title0"), watch("b", START_MS + 1, title_id="title2")]
    child = Profile("profile0", maturity_limit_years=12)
    judged = exam(*popular, *own, profiles=(child,)).judged({})
    assert of(judged, BASELINE).ndcg.mean == 1.0


def test_those_without_a_history_are_asked_for_too_up_to_the_most() -> None:
    events = [watch(f"{one}", START_MS + 1, profile_id=f"profile{one}") for one in range(9)]
    assert len(exam(*events).profile_ids) == 9
    few = exam(*events, most=4).profile_ids
    assert len(few) == 4
    assert few == tuple(sorted(few))


def test_lists_are_judged_beside_the_popular_of_the_same_profiles() -> None:
    asked = exam(watch("a", START_MS + 1, title_id="title3"))
    judged = asked.judged({"reprise": {"profile0": np.array([3, 0], np.int32)}})
    assert [one.name for one in judged] == ["reprise", BASELINE, ALL_TIME]
    assert of(judged, "reprise").ndcg.mean == 1.0
    gain = of(judged, "reprise").gain
    assert gain is not None
    assert gain.mean == pytest.approx(1.0 - of(judged, BASELINE).ndcg.mean)


def test_those_who_knew_too_little_are_not_asked_for_where_a_history_is_wanted() -> None:
    before = [watch(f"k{one}", START_MS - one, title_id=f"title{one}") for one in range(2)]
    events = [*before, watch("a", START_MS + 1, title_id="title3")]
    for least, asked in ((2, ("profile0",)), (3, ())):
        question = Question(START_MS, HORIZON_MS, 100, least_known=least)
        assert Exam(question, columns(), from_events(events), ()).profile_ids == asked
