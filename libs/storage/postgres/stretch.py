"""What there is to follow of the log, and what there is of everybody who is in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.domain.event import Event
from libs.features.profile_state import NO_BASE, ProfileBase
from libs.features.title_shares import TitleShares
from libs.storage.postgres.share_tables import WithdrawnShares
from libs.storage.postgres.withdrawals import Withdrawal


@dataclass(frozen=True, slots=True)
class Written:
    """What transactions from one number on and below `until_xid` wrote for one tenant.

    `withdrawals` are all that there are, also of transactions before and after.
    """

    tenant: str
    events: Sequence[tuple[int, Event]]  # with the number of the transaction
    profile_ids: Sequence[str]  # of profiles that were upserted
    withdrawals: Sequence[Withdrawal] = ()
    # By pair of a thumb in `events`: the newest of those that were followed before.
    held_thumbs: Sequence[Event] = ()
    withdrawn_shares: Sequence[WithdrawnShares] = ()


@dataclass(frozen=True, slots=True)
class Whole:
    """One profile's events and what compacted ones have made, or what is withdrawn of nobody."""

    tenant: str
    profile_id: str
    events: Sequence[Event] = ()
    base: ProfileBase = NO_BASE
    shares: TitleShares | None = None
    withdrawals: Sequence[Withdrawal] = ()
    withdrawn_shares: Sequence[WithdrawnShares] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the log to be followed; everything below `until_xid` is before it or in it."""

    until_xid: int
    written: Sequence[Written]
    is_last: bool  # nothing more can be read now
    oldest_s: float  # how long ago the first of it was written; 0 for nothing
