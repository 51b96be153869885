"""What is kept of a profile's compacted events: the fold that every store writes down.

What the events have made of the profile and of its titles, what they have added to the counters
of titles, and its days. Together with the events that are left that gives the same features.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from libs.domain.event import Event
from libs.features.event_columns import from_events
from libs.features.profile_state import ProfileFold
from libs.features.title_record import RECORD_KINDS, TitleFold
from libs.features.title_shares import ShareByTitle, title_shares
from libs.features.watched_days import WatchedDay, merge_days, watched_days


@dataclass(frozen=True, slots=True, eq=False)
class KeptProfile:
    """The profile's own row, and those rows of titles, shares and days that some events touch."""

    event_count: int = 0
    oldest_ms: int = 0
    newest_ms: int = 0
    own: bytes = b""  # as of ProfileFold
    # By title id: its encoded record and encoded intervals.
    titles: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict)
    shares: ShareByTitle = field(default_factory=dict)
    days: Sequence[WatchedDay] = ()


NOTHING_KEPT = KeptProfile()


@dataclass(frozen=True, slots=True)
class Touched:
    """Which rows events of one profile touch."""

    title_ids: frozenset[str]  # of records
    shared_title_ids: frozenset[str]  # of shares, in whichever country
    days: frozenset[tuple[int, str]]  # (day, title id)


def touched(events: Iterable[Event]) -> Touched:
    """What of the rows that are held `folded` wants to be given."""
    own = list(events)
    return Touched(
        frozenset(event.title_id for event in own if event.kind in RECORD_KINDS),
        frozenset(event.title_id for event in own if event.title_id),
        frozenset((one.day, one.title_id) for one in watched_days(own)),
    )


def folded(held: KeptProfile, events: Sequence[Event]) -> KeptProfile:
    """What is kept when `events` of one profile, in order, one at least, come to what is held.

    `held` has all rows that are `touched`, and so has the answer, no others.
    """
    profile = ProfileFold(held.own, held.newest_ms)
    titles: dict[str, TitleFold] = {}
    for event in events:
        profile.apply(event)
        if event.kind in RECORD_KINDS:
            title = titles.get(event.title_id)
            if title is None:
                title = titles[event.title_id] = TitleFold(*held.titles.get(event.title_id, ()))
            title.apply(event)
    shares = title_shares(from_events(events), held.shares)
    days = watched_days(events)
    of_days = {(one.day, one.title_id) for one in days}
    known = [one for one in held.days if (one.day, one.title_id) in of_days]
    oldest_ms = min(event.occurred_ms for event in events)
    return KeptProfile(
        event_count=held.event_count + len(events),
        oldest_ms=min(oldest_ms, held.oldest_ms) if held.event_count else oldest_ms,
        newest_ms=profile.newest_ms,
        own=profile.encode(),
        titles={
            title_id: (fold.encode_record(), fold.encode_intervals())
            for title_id, fold in titles.items()
        },
        shares={
            (country, title_id): (values, at_ms)
            for country, title_id, values, at_ms in zip(
                shares.countries,
                shares.title_ids,
                shares.values,
                shares.at_ms.tolist(),
                strict=True,
            )
        },
        days=merge_days([*known, *days]),
    )
