"""Whose each event of a shared profile is: the people who are told of apart."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from libs.domain.viewing import Device
from services.recap.year.catalogue import Catalogue
from services.recap.year.history import NO_DAYS
from services.recap.year.households import Household, assess
from services.recap.year.period import Period
from services.recap.year.person import KIDS, person_id
from services.recap.year.recap import ABOUT_STORY, Recap
from services.recap.year.sessions import ProfileSessions, sessions_of
from services.recap.year.watched import until

# No id has a line feed: a person of a profile is counted as a profile of this name.
SEPARATOR: Final = "\n"

_KEY: Final = ("profile_id", "session_id", "title_id")
WHOSE_SCHEMA: Final = {**dict.fromkeys(_KEY, pl.String()), "viewer_id": pl.String()}
PEOPLE_SCHEMA: Final = {
    "viewer_id": pl.String(),
    "daypart": pl.String(),
    "device": pl.String(),
    "genre": pl.String(),
    "more": pl.String(),
    "compacted": pl.String(),
}
_ABOUT: Final = tuple(f"about.{name}" for name in PEOPLE_SCHEMA if name != "viewer_id")
# Where each quarter of the day begins, from the night on; the night goes on until the first.
_QUARTERS: Final = ((5, "morning"), (11, "afternoon"), (17, "evening"), (22, "night"))
# What has been compacted has no sessions; what else is known of a person does not say these.
_OF_ALL_TIME: Final = ("discoveries", "throwbacks")
_EPSILON: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Of some profiles those that are shared; both are ordered, so that it is one value."""

    whose: pl.DataFrame  # WHOSE_SCHEMA; what is not in here of a shared profile is nobody's
    people: pl.DataFrame  # PEOPLE_SCHEMA


NO_SPLIT: Final = Split(pl.DataFrame(schema=WHOSE_SCHEMA), pl.DataFrame(schema=PEOPLE_SCHEMA))


def viewer_id(profile_id: str, who: str) -> str:
    """The name that a person is counted under."""
    return f"{profile_id}{SEPARATOR}{who}"


def split(
    history: pl.DataFrame,
    catalogue: Catalogue,
    period: Period,
    cutoff_ms: int,
    compacted: pl.DataFrame,
    whole_ids: Iterable[str],
) -> Split:
    """Assess all profiles but `whole_ids`, from everything up to the cutoff.

    Where one of the people is a child, children's titles are not told of to the others.
    """
    known = until(history, cutoff_ms)
    whole = pl.Series("profile_id", list(whole_ids), pl.String())
    if len(whole):
        known = known.filter(~pl.col("profile_id").is_in(whole.implode()))
    sessions: list[tuple[str, str, str, bool]] = []
    people: list[tuple[str, ...]] = []
    for one in sessions_of(known, catalogue):
        house = assess(one.sessions)
        if not house.is_shared:
            continue
        left = _compacted(one.profile_id, compacted, period)
        whom = [person_id(cluster, house.kids_cluster) for cluster in range(house.cluster_count)]
        hides = house.kids_cluster is not None
        for session_id, cluster in zip(one.session_ids, house.cluster.tolist(), strict=True):
            whose = viewer_id(one.profile_id, whom[cluster])
            sessions.append((one.profile_id, session_id, whose, hides and whom[cluster] != KIDS))
        for who, habits in zip(whom, described(one, house), strict=True):
            people.append((viewer_id(one.profile_id, who), *habits, left))
    if not people:
        return NO_SPLIT
    by_session = pl.DataFrame(
        sessions,
        schema={
            "profile_id": pl.String(),
            "session_id": pl.String(),
            "viewer_id": pl.String(),
            "is_of_adult": pl.Boolean(),
        },
        orient="row",
    )
    is_hidden = pl.col("is_of_adult") & pl.col("title_id").is_in(catalogue.children_ids().implode())
    return Split(
        whose=known.select(_KEY)
        .unique()
        .join(by_session, on=["profile_id", "session_id"])
        .filter(~is_hidden)
        .select(list(WHOSE_SCHEMA))
        .sort(_KEY),
        people=pl.DataFrame(people, schema=PEOPLE_SCHEMA, orient="row").sort("viewer_id"),
    )


def divided(history: pl.DataFrame, parts: Split) -> pl.DataFrame:
    """The events with the viewers as their profiles; those that are nobody's are gone."""
    if parts.people.is_empty():
        return history
    shared = _shared_ids(parts)
    own = (
        history.filter(pl.col("profile_id").is_in(shared.implode()))
        .join(parts.whose, on=list(_KEY), how="inner", maintain_order="left")
        .with_columns(profile_id="viewer_id")
        .select(history.columns)
    )
    others = history.filter(~pl.col("profile_id").is_in(shared.implode()))
    return pl.concat([others, own]).sort("profile_id", maintain_order=True)


def divided_days(days: pl.DataFrame, parts: Split) -> pl.DataFrame:
    """Days have no sessions: of a shared profile they are nobody's."""
    if parts.people.is_empty() or days.is_empty():
        return days
    return days.filter(~pl.col("profile_id").is_in(_shared_ids(parts).implode()))


def by_person(found: Mapping[str, Recap], parts: Split) -> Iterator[tuple[str, str, Recap]]:
    """Profile, person ("" is the whole profile) and recap, ascending."""
    people = {row[0]: row for row in parts.people.iter_rows()}
    for name, recap in found.items():
        profile_id, _, who = name.partition(SEPARATOR)
        if not who:
            yield profile_id, "", recap
            continue
        compacted = people[name][-1]
        about = dict(zip(_ABOUT, people[name][1:], strict=True))
        told = {} if compacted == "within" else dict(recap.stories)
        if compacted != "no":
            for story in _OF_ALL_TIME:
                told.pop(story, None)
        yield profile_id, who, Recap({**told, ABOUT_STORY: about})


def profile_of(name: str) -> str:
    """The profile of a viewer."""
    return name.partition(SEPARATOR)[0]


def _shared_ids(parts: Split) -> pl.Series:
    return parts.people.select(profile_id=pl.col("viewer_id").str.split(SEPARATOR).list.first())[
        "profile_id"
    ].unique(maintain_order=True)


def _compacted(profile_id: str, days: pl.DataFrame, period: Period) -> str:
    """Where days of a profile were compacted: "no", "before" the period's end or "within" it."""
    if days is NO_DAYS:
        return "no"
    own = days.filter(pl.col("profile_id") == profile_id)["day"]
    if own.is_empty():
        return "no"
    return "within" if own.is_between(period.first, period.last).any() else "before"


def described(one: ProfileSessions, house: Household) -> list[tuple[str, str, str, str]]:
    """The habits of each, and of those with the same ones a genre that is more theirs.

    No two of them have the same, but where one genre is as much anybody's as another.
    """
    clusters = range(house.cluster_count)
    habits = [_habits(one, house, cluster) for cluster in clusters]
    spent = np.array([one.sessions.content[house.sessions_of(c)].sum(axis=0) for c in clusters])
    shares = spent / np.maximum(spent.sum(axis=1, keepdims=True), _EPSILON)
    more = [""] * len(habits)
    for cluster in clusters:
        if cluster == house.kids_cluster:
            continue
        alike = [
            other
            for other in clusters
            if habits[other] == habits[cluster] and other not in (cluster, house.kids_cluster)
        ]
        if not alike:
            continue
        beyond = shares[cluster] - shares[alike].mean(axis=0)
        beyond[[genre for genre, name in enumerate(one.genres) if name in more]] = 0
        if beyond.max() > _EPSILON:
            more[cluster] = one.genres[int(beyond.argmax())]
    return [(*known, genre) for known, genre in zip(habits, more, strict=True)]


def _habits(one: ProfileSessions, house: Household, cluster: int) -> tuple[str, str, str]:
    """The quarter of the day, the device and the genre of most; "" is not known."""
    own = one.sessions.take(house.sessions_of(cluster))
    hours = (own.local_hour % 24).astype(np.int64)
    starts = [hour for hour, _ in _QUARTERS]
    quarter = (np.searchsorted(starts, hours, side="right") - 1) % len(_QUARTERS)
    device = Device(int(np.bincount(own.device).argmax()))
    spent = own.content.sum(axis=0)
    return (
        _QUARTERS[int(np.bincount(quarter).argmax())][1],
        "" if device is Device.UNSPECIFIED else device.name.lower(),
        one.genres[int(spent.argmax())] if one.genres and spent.any() else "",
    )
