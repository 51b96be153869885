"""One session: the home page, a choice from it or by search, watching, and some noise."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.event import (
    Dwell,
    EventKind,
    MyListChange,
    Placement,
    RowScroll,
    ScrollDirection,
    Search,
)
from libs.domain.viewing import Surface
from libs.simulation.choice import SEARCH_SHARE, SLATE_SIZES, choose, draw_by_weight, draw_depth
from libs.simulation.config import Detail
from libs.simulation.logging_policy import draw_slate, logits
from libs.simulation.tastes import DEVICES
from libs.simulation.watching import SECOND_MS, Viewer, sample, watch

_LOGS_IN: Final = 0.2
_GOES_ON: Final = 0.35  # where something is unfinished
_MOST_PAGES: Final = 3
_ANOTHER_AFTER_LITTLE: Final = 0.4  # the share that looks on after a short or no watch
_ANOTHER_AFTER_MUCH: Final = 0.12
_LITTLE_MS: Final = 15 * 60_000
_BROWSES: Final = 0.12
_LISTS: Final = 0.3  # of those who browse
_MISCLICKS: Final = 0.025
_SCROLLS: Final = 0.08
_LISTED_WORTH: Final = 1.0
_FINDS: Final = 0.95  # the share of page views without a page that end in a play


def run_session(viewer: Viewer, at_ms: int, *, device: int, daypart: int) -> int:
    """Record a session that begins at `at_ms`; `device` is a row of DEVICES. Returns its end."""
    rng = viewer.rng
    viewer.journal.open_session(DEVICES[device])
    viewer.recover(at_ms)
    visit = _visit_home if viewer.detail is Detail.FULL else _play_straight
    now_ms = at_ms
    if rng.random() < _LOGS_IN:
        viewer.journal.record(EventKind.LOGIN, now_ms, Surface.HOME)
    for _ in range(_MOST_PAGES):
        begun_ms = now_ms
        now_ms = visit(viewer, now_ms + SECOND_MS, device, daypart)
        is_little = now_ms - begun_ms < _LITTLE_MS
        if rng.random() >= (_ANOTHER_AFTER_LITTLE if is_little else _ANOTHER_AFTER_MUCH):
            break
        now_ms += 10 * SECOND_MS
    return now_ms


def _visit_home(viewer: Viewer, at_ms: int, device: int, daypart: int) -> int:
    """One page view and what comes of it; returns when that is over."""
    rng, preferences, ids = viewer.rng, viewer.preferences, viewer.catalogue.title_ids
    slate = draw_slate(
        logits(viewer.policy, viewer.shown, at_ms) + viewer.fatigue, SLATE_SIZES[device], rng
    )
    if not len(slate.rows):
        return at_ms
    page_id = viewer.journal.record_page(at_ms, tuple(ids[row] for row in slate.rows), slate)
    unfinished = _newest_unfinished(viewer, at_ms)
    goes_on = unfinished is not None and rng.random() < _GOES_ON
    depth = 2 if goes_on else draw_depth(len(slate.rows), rng)
    seen = slate.rows[:depth]
    now_ms = _look(viewer, at_ms, page_id, seen)
    if goes_on and unfinished is not None:
        return watch(
            viewer, unfinished, now_ms, DEVICES[device], viewer.unfinished[unfinished].interest
        )

    shares = preferences.taste.interest_shares[preferences.week(at_ms), daypart]
    interest = draw_by_weight(shares, rng)
    worth = _worth(viewer, at_ms, interest, device, daypart)
    position = choose(worth, seen, rng)
    if position is None:
        now_ms = _browse(viewer, now_ms, page_id, seen)
        if rng.random() >= SEARCH_SHARE or not worth.any():
            return now_ms
        row = draw_by_weight(worth, rng)
        now_ms = _search(viewer, now_ms, row)
        return watch(viewer, row, now_ms, DEVICES[device], interest)
    row = int(seen[position])
    now_ms = _click(viewer, now_ms, row, Placement(page_id, 0, position))
    return watch(viewer, row, now_ms, DEVICES[device], interest)


def _play_straight(viewer: Viewer, at_ms: int, device: int, daypart: int) -> int:
    """What a page view comes to, without the page; returns when that is over."""
    rng, preferences = viewer.rng, viewer.preferences
    unfinished = _newest_unfinished(viewer, at_ms)
    if unfinished is not None and rng.random() < _GOES_ON:
        interest = viewer.unfinished[unfinished].interest
        return watch(viewer, unfinished, at_ms, DEVICES[device], interest)
    shares = preferences.taste.interest_shares[preferences.week(at_ms), daypart]
    interest = draw_by_weight(shares, rng)
    worth = _worth(viewer, at_ms, interest, device, daypart)
    if rng.random() >= _FINDS or not worth.any():
        return at_ms
    return watch(viewer, draw_by_weight(worth, rng), at_ms, DEVICES[device], interest)


def _worth(
    viewer: Viewer, at_ms: int, interest: int, device: int, daypart: int
) -> NDArray[np.float64]:
    """(n,) exp(utility) with what was had worth less and what is on the list worth more."""
    utilities = viewer.preferences.utilities(at_ms, interest, device, daypart) + viewer.fatigue
    if viewer.listed:
        utilities[list(viewer.listed)] += _LISTED_WORTH
    return np.asarray(np.exp(utilities))


def _newest_unfinished(viewer: Viewer, at_ms: int) -> int | None:
    may_play = viewer.preferences.may_play
    return next((row for row in reversed(viewer.unfinished) if may_play(row, at_ms)), None)


def _look(viewer: Viewer, at_ms: int, page_id: str, seen: NDArray[np.int64]) -> int:
    """Impressions of the seen positions, and sometimes a scroll into the row."""
    now_ms, ids = at_ms, viewer.catalogue.title_ids
    for position, row in enumerate(seen.tolist()):
        now_ms += 400 if position < 3 else 1_300
        placement = Placement(page_id, 0, position)
        viewer.journal.record(
            EventKind.IMPRESSION, now_ms, Surface.HOME, ids[row], placement=placement
        )
    if viewer.rng.random() < _SCROLLS:
        scroll = RowScroll(ScrollDirection.SIDEWAYS, f"{page_id}-r0", now_ms - at_ms)
        now_ms += SECOND_MS
        viewer.journal.record(EventKind.ROW_SCROLL, now_ms, Surface.HOME, detail=scroll)
    return now_ms + SECOND_MS


def _click(viewer: Viewer, at_ms: int, row: int, placement: Placement) -> int:
    title_id = viewer.catalogue.title_ids[row]
    viewer.journal.record(EventKind.CLICK, at_ms, Surface.HOME, title_id, placement=placement)
    return at_ms + 2 * SECOND_MS


def _browse(viewer: Viewer, at_ms: int, page_id: str, seen: NDArray[np.int64]) -> int:
    """What clicks without wanting look like: a rest on a title, a list entry, a wrong start."""
    rng, draw = viewer.rng, viewer.rng.random()
    if draw >= _BROWSES + _MISCLICKS:
        return at_ms
    position = int(rng.integers(len(seen)))
    row = int(seen[position])
    title_id = viewer.catalogue.title_ids[row]
    now_ms = _click(viewer, at_ms, row, Placement(page_id, 0, position))
    if draw < _MISCLICKS:
        return sample(viewer, row, now_ms, most_share=0.06) + 3 * SECOND_MS
    dwell_ms = 1_000 + int(rng.exponential(6_000))
    now_ms += dwell_ms
    viewer.journal.record(EventKind.DWELL, now_ms, Surface.DETAIL, title_id, Dwell(dwell_ms))
    if rng.random() < _LISTS and row not in viewer.listed:
        viewer.listed.add(row)
        now_ms += SECOND_MS
        viewer.journal.record(
            EventKind.MY_LIST, now_ms, Surface.DETAIL, title_id, MyListChange(True)
        )
    return now_ms + 3 * SECOND_MS


def _search(viewer: Viewer, at_ms: int, row: int) -> int:
    """A search by a word of the name or by the genre that leads to the title."""
    title = viewer.catalogue.titles[row]
    words = (*title.name.replace(":", "").split(), title.genres[0])
    query = words[int(viewer.rng.integers(len(words)))].lower()
    now_ms = at_ms + 8 * SECOND_MS
    viewer.journal.record(
        EventKind.SEARCH,
        now_ms,
        Surface.SEARCH,
        detail=Search(query, 1 + int(viewer.rng.integers(40))),
    )
    now_ms += 4 * SECOND_MS
    viewer.journal.record(EventKind.CLICK, now_ms, Surface.SEARCH, title.title_id)
    return now_ms + 2 * SECOND_MS
