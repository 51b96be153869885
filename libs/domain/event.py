"""Events: immutable facts about what viewers did or were shown."""

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeAlias

from libs.domain.identifiers import MAX_ID_LENGTH, check_id, check_text, check_word
from libs.domain.viewing import UNKNOWN_CONTEXT, ViewingContext
from libs.faults import InvalidField

DAY_MS: Final = 86_400_000

# What an event can say, raised with every change to that; stored with each event. 1 had no
# recording, and no index version and arm in its attribution; 2 had no wishes in a quiz's answer.
EVENT_SCHEMA_VERSION: Final = 3

# More titles than anybody wants at once.
MAX_WISHES: Final = 20


class EventKind(IntEnum):
    """What happened; numbers are those of the contract."""

    IMPRESSION = 1
    CLICK = 2
    PLAY = 3
    PROGRESS = 4
    PAUSE = 5
    SEEK = 6
    REWATCH = 7
    STOP = 8
    COMPLETE = 9
    THUMB = 10
    RATING = 11
    MY_LIST = 12
    SEARCH = 13
    ROW_SCROLL = 14
    DWELL = 15
    SHARE = 16
    QUIZ_ANSWER = 17
    PROMPT_SHOWN = 18
    PROMPT_DISMISSED = 19
    REMINDER_SENT = 20
    REMINDER_OPENED = 21
    LOGIN = 22


class ThumbDirection(IntEnum):
    """An opinion; numbers are those of the contract."""

    UP = 1
    DOWN = 2
    RETRACTED = 3


class ScrollDirection(IntEnum):
    """A movement over the page; numbers are those of the contract."""

    DOWN = 1
    SIDEWAYS = 2


@dataclass(frozen=True, slots=True)
class WatchedInterval:
    """Media time that passed since the event before; a SEEK's was jumped over, not watched."""

    from_ms: int
    to_ms: int
    duration_ms: int

    def __post_init__(self) -> None:
        if self.from_ms < 0 or self.to_ms < 0:
            raise InvalidField("watched.from_ms", "must not be negative, nor may to_ms")
        if self.duration_ms <= 0:
            raise InvalidField("watched.duration_ms", "must be positive")
        if max(self.from_ms, self.to_ms, self.duration_ms) > 30 * DAY_MS:
            raise InvalidField("watched.duration_ms", "must be at most 30 days, as all of watched")


@dataclass(frozen=True, slots=True)
class Thumb:
    """An explicit opinion; the newest one counts."""

    direction: ThumbDirection


@dataclass(frozen=True, slots=True)
class Rating:
    """Stars: `value` of `scale`."""

    value: float
    scale: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise InvalidField("rating.scale", "must be a positive number")
        if not (math.isfinite(self.value) and 0 <= self.value <= self.scale):
            raise InvalidField("rating.value", f"must be from 0 to the scale {self.scale:g}")


@dataclass(frozen=True, slots=True)
class MyListChange:
    """The state of the viewer's list after the change."""

    is_listed: bool


@dataclass(frozen=True, slots=True)
class Search:
    """A query that the viewer typed or spoke."""

    query: str
    result_count: int = 0

    def __post_init__(self) -> None:
        check_text("search.query", self.query, 512)
        if self.result_count < 0:
            raise InvalidField("search.result_count", "must not be negative")


@dataclass(frozen=True, slots=True)
class RowScroll:
    """A movement past a row or into it."""

    direction: ScrollDirection
    row_id: str = ""
    visible_ms: int = 0

    def __post_init__(self) -> None:
        check_word("row_scroll.row_id", self.row_id, MAX_ID_LENGTH)
        if self.visible_ms < 0:
            raise InvalidField("row_scroll.visible_ms", "must not be negative")


@dataclass(frozen=True, slots=True)
class Dwell:
    """A rest on a title without playing it."""

    dwell_ms: int

    def __post_init__(self) -> None:
        if self.dwell_ms < 0:
            raise InvalidField("dwell.dwell_ms", "must not be negative")


@dataclass(frozen=True, slots=True)
class Wish:
    """A title that is wanted now, by as much as `weight` says: 1 is the most, and 0 not at all."""

    title_id: str
    weight: float

    def __post_init__(self) -> None:
        check_id("quiz_answer.wishes.title_id", self.title_id)
        if not 0 < self.weight <= 1:
            raise InvalidField("quiz_answer.wishes.weight", "must be above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class QuizAnswer:
    """One answer of the quiz; `wishes` is what it and the answers before it come to."""

    quiz_id: str
    question_id: str
    answer_id: str
    wishes: tuple[Wish, ...] = ()

    def __post_init__(self) -> None:
        check_id("quiz_answer.quiz_id", self.quiz_id)
        check_id("quiz_answer.question_id", self.question_id)
        check_id("quiz_answer.answer_id", self.answer_id)
        if len(self.wishes) > MAX_WISHES:
            raise InvalidField("quiz_answer.wishes", f"has more than {MAX_WISHES}")
        if len({wish.title_id for wish in self.wishes}) < len(self.wishes):
            raise InvalidField("quiz_answer.wishes.title_id", "stands there twice")


@dataclass(frozen=True, slots=True)
class Prompt:
    """An invitation or a reminder."""

    prompt_id: str

    def __post_init__(self) -> None:
        check_id("prompt.prompt_id", self.prompt_id)


Detail: TypeAlias = (
    WatchedInterval
    | Thumb
    | Rating
    | MyListChange
    | Search
    | RowScroll
    | Dwell
    | QuizAnswer
    | Prompt
)

# The detail that a kind must have; a kind that is not here has none.
DETAIL_OF_KIND: Final[dict[EventKind, type]] = {
    EventKind.PLAY: WatchedInterval,
    EventKind.PROGRESS: WatchedInterval,
    EventKind.PAUSE: WatchedInterval,
    EventKind.SEEK: WatchedInterval,
    EventKind.REWATCH: WatchedInterval,
    EventKind.STOP: WatchedInterval,
    EventKind.COMPLETE: WatchedInterval,
    EventKind.THUMB: Thumb,
    EventKind.RATING: Rating,
    EventKind.MY_LIST: MyListChange,
    EventKind.SEARCH: Search,
    EventKind.ROW_SCROLL: RowScroll,
    EventKind.DWELL: Dwell,
    EventKind.QUIZ_ANSWER: QuizAnswer,
    EventKind.PROMPT_SHOWN: Prompt,
    EventKind.PROMPT_DISMISSED: Prompt,
    EventKind.REMINDER_SENT: Prompt,
    EventKind.REMINDER_OPENED: Prompt,
}

KINDS_ABOUT_A_TITLE: Final = frozenset(
    {
        EventKind.IMPRESSION,
        EventKind.CLICK,
        EventKind.PLAY,
        EventKind.PROGRESS,
        EventKind.PAUSE,
        EventKind.SEEK,
        EventKind.REWATCH,
        EventKind.STOP,
        EventKind.COMPLETE,
        EventKind.THUMB,
        EventKind.RATING,
        EventKind.MY_LIST,
        EventKind.DWELL,
        EventKind.SHARE,
    }
)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where on which page something was shown or touched; both counts start at 0."""

    page_id: str
    row_index: int = 0
    position: int = 0

    def __post_init__(self) -> None:
        check_id("placement.page_id", self.page_id)
        if self.row_index < 0 or self.position < 0:
            raise InvalidField("placement.position", "must not be negative, nor may row_index")


@dataclass(frozen=True, slots=True)
class Attribution:
    """What the decision behind a page said of the title at one position."""

    policy: str
    propensity: float
    model_version: str = ""
    index_version: str = ""
    arm: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """How the log took an event; 0 where an older release did not note the time."""

    recorded_ms: int
    schema_version: int


@dataclass(frozen=True, slots=True)
class Event:
    """One fact; `occurred_ms` is Unix milliseconds by the client's clock and never altered.

    `account_id` is checked where the event is taken and not kept; `recording` is what the log
    says of it, and no part of what it is.
    """

    event_id: str
    profile_id: str
    kind: EventKind
    occurred_ms: int
    sequence: int = 0
    session_id: str = ""
    title_id: str = ""
    context: ViewingContext = UNKNOWN_CONTEXT
    detail: Detail | None = None
    placement: Placement | None = None
    attribution: Attribution | None = None
    account_id: str = ""
    recording: Recording | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_id("event_id", self.event_id)
        check_id("profile_id", self.profile_id)
        if self.session_id:
            check_id("session_id", self.session_id)
        if self.title_id or self.kind in KINDS_ABOUT_A_TITLE:
            check_id("title_id", self.title_id)
        if self.account_id:
            check_id("account_id", self.account_id)
        if self.occurred_ms < 0:
            raise InvalidField("occurred_at", "must be 1970 or later")
        if self.sequence < 0:
            raise InvalidField("sequence", "must not be negative")
        self._check_detail()
        if self.kind is EventKind.IMPRESSION and self.placement is None:
            raise InvalidField("placement", "IMPRESSION needs one")

    def _check_detail(self) -> None:
        wanted = DETAIL_OF_KIND.get(self.kind)
        if wanted is None:
            if self.detail is not None:
                raise InvalidField("detail", f"{self.kind.name} has none")
        elif type(self.detail) is not wanted:
            raise InvalidField("detail", f"{self.kind.name} needs {wanted.__name__}")
        if (
            isinstance(self.detail, WatchedInterval)
            and self.kind is not EventKind.SEEK
            and self.detail.to_ms < self.detail.from_ms
        ):
            raise InvalidField("watched.to_ms", "must not be before from_ms")

    @property
    def order(self) -> tuple[int, int, str]:
        """The key of the one order of events: (occurred_ms, sequence, event_id)."""
        return (self.occurred_ms, self.sequence, self.event_id)
