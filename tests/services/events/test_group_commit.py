import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from libs.domain.event import Event
from libs.faults import InvalidField, Overloaded, PartUnavailable
from libs.features.profile_state import replay
from libs.storage.event_store import SqliteEventStore
from services.events.group_commit import MOST_PER_COMMIT, GroupCommit
from tests.made_events import START_MS, assert_same_state, watch


class Ledger:
    """Keeps what was written, transaction by transaction; the disk may be full."""

    def __init__(self) -> None:
        self.commits: list[list[str]] = []
        self.is_full = False

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self.commits.append([])
        yield
        if self.is_full:
            self.commits.pop()
            raise PartUnavailable("events", "disk full")

    def write(self, name: str) -> str:
        if name == "bad":
            raise InvalidField("name", "is bad")
        if name == "defect":
            raise ZeroDivisionError
        self.commits[-1].append(name)
        return name.upper()


async def run_all(commits: GroupCommit, ledger: Ledger, *names: str) -> list[object]:
    return await asyncio.gather(
        *(commits.run(1, lambda name=name: ledger.write(name)) for name in names),  # type: ignore[misc]  # mypy knows no defaults of lambdas
        return_exceptions=True,
    )


async def test_what_waits_is_committed_together_and_in_order() -> None:
    ledger = Ledger()
    commits = GroupCommit(ledger, most_waiting=100)
    assert await run_all(commits, ledger, "a", "b", "c") == ["A", "B", "C"]
    assert ledger.commits == [["a", "b", "c"]]
    assert await run_all(commits, ledger, "d") == ["D"]
    assert ledger.commits[1:] == [["d"]]
    await commits.close()


async def test_a_call_that_fails_fails_alone() -> None:
    ledger = Ledger()
    commits = GroupCommit(ledger, most_waiting=100)
    first, bad, defect, last = await run_all(commits, ledger, "a", "bad", "defect", "z")
    assert (first, last) == ("A", "Z")
    assert isinstance(bad, InvalidField)
    assert isinstance(defect, ZeroDivisionError)
    await commits.close()


async def test_nobody_is_told_of_success_when_the_commit_fails() -> None:
    ledger = Ledger()
    ledger.is_full = True
    commits = GroupCommit(ledger, most_waiting=100)
    outcomes = await run_all(commits, ledger, "a", "b")
    assert [type(outcome) for outcome in outcomes] == [PartUnavailable, PartUnavailable]
    ledger.is_full = False
    assert await run_all(commits, ledger, "c") == ["C"]
    await commits.close()


async def test_a_disk_that_fills_up_fails_the_whole_group_and_counts_nothing_twice(
    tmp_path: Path,
) -> None:
    many = [watch(f"many{place}", START_MS, title_id=f"t{place}") for place in range(500)]
    one, other = [watch("a", START_MS)], [watch("b", START_MS)]
    with closing(SqliteEventStore(tmp_path / "events.sqlite")) as store:
        commits = GroupCommit(store, most_waiting=10_000)

        async def record(*batches: list[Event]) -> list[object]:
            return await asyncio.gather(
                *(
                    commits.run(
                        len(batch),
                        lambda batch=batch: store.record_events("default", batch, START_MS),  # type: ignore[misc]  # mypy knows no defaults of lambdas
                    )
                    for batch in batches
                ),
                return_exceptions=True,
            )

        connection = store._writer.connection
        (page_count,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {page_count + 2}")
        outcomes = await record(one, many, other)
        assert [type(outcome) for outcome in outcomes] == [PartUnavailable] * 3
        assert store.history("default", "profile0", most=9) == []
        await record(one, other)
        await commits.close()
        assert_same_state(store.profile_state("default", "profile0", None), replay([*one, *other]))


async def test_more_than_may_wait_is_refused_and_later_taken() -> None:
    ledger = Ledger()
    commits = GroupCommit(ledger, most_waiting=2)
    *taken, refused = await run_all(commits, ledger, "a", "b", "c")
    assert taken == ["A", "B"]
    assert isinstance(refused, Overloaded)
    assert refused.retry_after_ms > 0
    assert await run_all(commits, ledger, "c") == ["C"]
    await commits.close()


async def test_a_batch_larger_than_may_wait_is_taken_when_nothing_waits() -> None:
    ledger = Ledger()
    commits = GroupCommit(ledger, most_waiting=2)
    assert await commits.run(5, lambda: ledger.write("a")) == "A"
    await commits.close()


async def test_a_commit_does_not_grow_without_bound() -> None:
    ledger = Ledger()
    commits = GroupCommit(ledger, most_waiting=10 * MOST_PER_COMMIT)
    half = MOST_PER_COMMIT // 2
    await asyncio.gather(*(commits.run(half, lambda: ledger.write("a")) for _ in range(5)))
    assert [len(commit) for commit in ledger.commits] == [2, 2, 1]
    await commits.close()


async def test_a_caller_that_has_gone_is_not_written_for() -> None:
    ledger = Ledger()
    commits = GroupCommit(ledger, most_waiting=100)
    gone = asyncio.create_task(commits.run(1, lambda: ledger.write("gone")))
    await asyncio.sleep(0)
    gone.cancel()
    await run_all(commits, ledger, "a")
    await commits.close()
    assert [name for commit in ledger.commits for name in commit] == ["a"]


async def test_closing_commits_what_waits() -> None:
    ledger = Ledger()
    commits = GroupCommit(ledger, most_waiting=100)
    waiting = asyncio.create_task(commits.run(1, lambda: ledger.write("a")))
    await asyncio.sleep(0)
    await commits.close()
    assert await waiting == "A"


async def test_callers_who_come_back_one_by_one_still_share_a_commit() -> None:
    ledger, shared = Ledger(), list[int]()
    commits = GroupCommit(ledger, most_waiting=100, delay_ms=10_000, on_commit=shared.append)
    loop = asyncio.get_running_loop()

    async def caller(name: str, turns: int) -> None:
        await commits.run(1, lambda: ledger.write(f"{name}0"))
        for turn in range(1, turns):
            # Each comes back after its own number of turns of the loop.
            for _ in range(ord(name)):
                await asyncio.sleep(0)
            await commits.run(1, lambda turn=turn: ledger.write(f"{name}{turn}"))  # type: ignore[misc]  # mypy knows no defaults of lambdas

    began_s = loop.time()
    await asyncio.gather(*(caller(name, 20) for name in "abcd"))
    await commits.close()
    assert loop.time() - began_s < 10
    assert sum(shared) == 80
    assert len(shared) <= 22


async def test_a_caller_alone_waits_for_nobody() -> None:
    ledger = Ledger()
    commits = GroupCommit(ledger, most_waiting=100, delay_ms=60_000)
    async with asyncio.timeout(30):
        for _ in range(3):
            await commits.run(1, lambda: ledger.write("a"))
    await commits.close()


async def test_those_who_do_not_come_back_are_waited_for_once_and_not_long() -> None:
    ledger, shared = Ledger(), list[int]()
    commits = GroupCommit(ledger, most_waiting=100, delay_ms=1, on_commit=shared.append)
    await run_all(commits, ledger, "a", "b", "c")
    async with asyncio.timeout(30):
        for _ in range(3):
            await commits.run(1, lambda: ledger.write("a"))
    assert shared == [3, 1, 1, 1]
    await commits.close()


async def test_closing_waits_for_nobody() -> None:
    ledger = Ledger()
    commits = GroupCommit(ledger, most_waiting=100, delay_ms=60_000)
    await run_all(commits, ledger, "a", "b", "c")
    waiting = asyncio.create_task(commits.run(1, lambda: ledger.write("d")))
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await commits.close()
    assert await waiting == "D"


async def test_a_commit_that_failed_is_not_counted() -> None:
    ledger, shared = Ledger(), list[int]()
    ledger.is_full = True
    commits = GroupCommit(ledger, most_waiting=100, on_commit=shared.append)
    await run_all(commits, ledger, "a", "b")
    assert shared == []
    await commits.close()
