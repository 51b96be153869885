import asyncio
from collections.abc import AsyncIterator, Callable

from structlog.testing import capture_logs

from libs.domain.title import Title, TitleKind
from libs.faults import PartUnavailable
from libs.serving.catalogue_feed import CatalogueChange, CatalogueFeed


def titles(*ids: str) -> tuple[Title, ...]:
    return tuple(Title(one, TitleKind.MOVIE, one) for one in ids)


class Source:
    """Plays what it is given, one list of changes a connection, then breaks."""

    def __init__(self, *connections: list[CatalogueChange]) -> None:
        self.connections = list(connections)
        self.asked: list[int] = []

    async def watch(self, tenant: str, after_sequence: int) -> AsyncIterator[CatalogueChange]:
        self.asked.append(after_sequence)
        for change in self.connections.pop(0) if self.connections else []:
            yield change
            await asyncio.sleep(0)
        raise PartUnavailable("candidates", "broken")


async def follow(feed: CatalogueFeed, until: Callable[[], bool]) -> None:
    task = asyncio.create_task(feed.run())
    try:
        async with asyncio.timeout(5):
            while not until():  # noqa: ASYNC110 - the feed tells nobody when it has changed
                await asyncio.sleep(0)
    finally:
        task.cancel()


async def test_a_snapshot_counts_when_it_is_complete() -> None:
    source = Source(
        [
            CatalogueChange(titles("a"), (), 0, is_snapshot=True),
            CatalogueChange(titles("b"), (), 7, is_snapshot=True),
        ]
    )
    feed = CatalogueFeed(source, "default", retry_ms=1)
    versions = set()

    def is_complete() -> bool:
        versions.add((feed.version, tuple(feed.titles)))
        return feed.version > 0

    await follow(feed, is_complete)
    assert versions == {(0, ()), (1, ("a", "b"))}


async def test_changes_replace_and_remove() -> None:
    source = Source(
        [
            CatalogueChange(titles("a", "b"), (), 2, is_snapshot=True),
            CatalogueChange(titles("c"), ("a",), 4, is_snapshot=False),
        ]
    )
    feed = CatalogueFeed(source, "default", retry_ms=1)
    await follow(feed, lambda: feed.version == 2)
    assert set(feed.titles) == {"b", "c"}


async def test_a_source_that_has_never_been_there_is_told_of_once() -> None:
    source = Source()
    feed = CatalogueFeed(source, "bravo", retry_ms=1)
    with capture_logs() as lines:
        await follow(feed, lambda: len(source.asked) > 3)
    assert [(line["log_level"], line["tenant"]) for line in lines] == [("warning", "bravo")]
    assert "broken" in lines[0]["cause"]


async def test_an_interruption_is_noticed_and_resumed_where_it_ended() -> None:
    source = Source(
        [CatalogueChange(titles("a"), (), 2, is_snapshot=True)],
        [],
        [CatalogueChange((), (), 2, is_snapshot=False)],
    )
    feed = CatalogueFeed(source, "default", retry_ms=1)
    seen: list[bool] = []

    def is_back() -> bool:
        if not seen or seen[-1] != feed.is_connected:
            seen.append(feed.is_connected)
        return seen == [False, True, False, True]

    await follow(feed, is_back)
    assert source.asked[:3] == [0, 2, 2]
    assert set(feed.titles) == {"a"}
    assert feed.version == 1


async def test_a_new_snapshot_replaces_all_that_was_known() -> None:
    source = Source(
        [CatalogueChange(titles("a", "b"), (), 9, is_snapshot=True)],
        [CatalogueChange(titles("z"), (), 3, is_snapshot=True)],
    )
    feed = CatalogueFeed(source, "default", retry_ms=1)
    await follow(feed, lambda: feed.version == 2)
    assert set(feed.titles) == {"z"}
