"""The catalogue's port: one class for the fake and for the store in SQLite."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.domain.title import Title, TitleKind
from libs.faults import PartUnavailable, StartFault
from libs.storage.catalogue_store import SqliteCatalogueStore, read_catalogue
from libs.storage.memory_catalogue_store import MemoryCatalogueStore
from libs.storage.title_json import decode_title, encode_title
from tests.made_titles import FULL_TITLE

Store = SqliteCatalogueStore | MemoryCatalogueStore


def movie(title_id: str, name: str = "A film") -> Title:
    return Title(title_id, TitleKind.MOVIE, name)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = MemoryCatalogueStore()
    if request.param == "sqlite":
        opened = SqliteCatalogueStore(tmp_path / "catalogue.sqlite")
    yield opened
    opened.close()


class TestCatalogueStore:
    def test_gives_back_what_was_written(self, store: Store) -> None:
        store.upsert("default", [FULL_TITLE, movie("t1")])
        assert store.get("default", ["t1", "t-full"]) == [movie("t1"), FULL_TITLE]

    def test_leaves_out_what_does_not_exist(self, store: Store) -> None:
        store.upsert("default", [movie("t1")])
        assert store.get("default", ["t0", "t1"]) == [movie("t1")]

    def test_an_upsert_replaces_the_whole_title(self, store: Store) -> None:
        store.upsert("default", [FULL_TITLE])
        bare = movie("t-full")
        store.upsert("default", [bare])
        assert store.get("default", ["t-full"]) == [bare]
        assert store.count("default") == 1

    def test_lists_in_the_order_of_ids(self, store: Store) -> None:
        store.upsert("default", [movie(f"t{place}") for place in (3, 1, 4, 2)])
        assert [title.title_id for title in store.list_after("default", "", 3)] == [
            "t1",
            "t2",
            "t3",
        ]
        assert [title.title_id for title in store.list_after("default", "t3", 3)] == ["t4"]

    def test_a_deleted_title_is_gone_and_counted_once(self, store: Store) -> None:
        store.upsert("default", [movie("t1"), movie("t2")])
        count, _ = store.delete("default", ["t1", "t9"])
        assert count == 1
        assert store.delete("default", ["t1"])[0] == 0
        assert store.count("default") == 1
        assert store.get("default", ["t1"]) == []
        assert store.list_after("default", "", 9) == [movie("t2")]

    def test_every_change_moves_the_sequence(self, store: Store) -> None:
        seen = [store.sequence("default")]
        seen.append(store.upsert("default", [movie("t1"), movie("t2")]))
        seen.append(store.delete("default", ["t1"])[1])
        assert store.delete("default", ["t9"])[1] == seen[-1]
        assert seen == sorted(set(seen))
        assert seen[0] > 0
        assert store.sequence("default") == seen[-1]

    def test_changes_replayed_in_parts_give_the_catalogue(self, store: Store) -> None:
        store.upsert("default", [movie(f"t{place}") for place in range(5)])
        store.delete("default", ["t0", "t3"])
        store.upsert("default", [movie("t3", "again"), movie("t1", "renamed")])
        known: dict[str, Title] = {}
        sequence = 1
        while (news := store.changes("default", sequence, 2)).sequence > sequence:
            assert len(news.titles) + len(news.deleted_ids) <= 2
            known |= {title.title_id: title for title in news.titles}
            for title_id in news.deleted_ids:
                known.pop(title_id, None)
            sequence = news.sequence
        assert sequence == store.sequence("default")
        assert sorted(known.values(), key=lambda title: title.title_id) == store.list_after(
            "default", "", 9
        )

    def test_there_is_nothing_new_after_the_last_change(self, store: Store) -> None:
        last = store.upsert("default", [movie("t1")])
        news = store.changes("default", last, 10)
        assert (news.titles, news.deleted_ids, news.sequence) == ((), (), last)

    def test_tenants_do_not_see_each_other(self, store: Store) -> None:
        store.upsert("a", [movie("t1")])
        assert store.get("b", ["t1"]) == []
        assert store.count("b") == 0
        assert store.changes("b", 0, 10).titles == ()
        store.upsert("b", [movie("t1", "theirs")])
        assert store.get("a", ["t1"]) == [movie("t1")]


class TestSqliteCatalogueStore:
    def test_what_was_written_outlives_the_process(self, tmp_path: Path) -> None:
        path = tmp_path / "catalogue.sqlite"
        store = SqliteCatalogueStore(path)
        last = store.upsert("default", [movie("t2"), FULL_TITLE])
        store.close()
        again = SqliteCatalogueStore(path)
        assert again.sequence("default") == last
        assert again.count("default") == 2
        again.close()

    def test_a_second_writer_is_refused_in_one_line(self, tmp_path: Path) -> None:
        store = SqliteCatalogueStore(tmp_path / "catalogue.sqlite")
        with pytest.raises(StartFault) as refused:
            SqliteCatalogueStore(tmp_path / "catalogue.sqlite")
        assert "\n" not in str(refused.value)
        store.close()

    def test_training_reads_beside_the_writer(self, tmp_path: Path) -> None:
        path = tmp_path / "catalogue.sqlite"
        with pytest.raises(PartUnavailable):
            read_catalogue(path, "default")
        store = SqliteCatalogueStore(path)
        store.upsert("default", [movie("t2"), movie("t3"), movie("t1")])
        store.delete("default", ["t3"])
        assert read_catalogue(path, "default") == [movie("t1"), movie("t2")]
        store.close()

    def test_a_batch_is_written_whole_or_not_at_all(self, tmp_path: Path) -> None:
        store = SqliteCatalogueStore(tmp_path / "catalogue.sqlite")
        bad = dataclasses.replace(movie("t2"))
        object.__setattr__(bad, "name", "\ud800")  # cannot be encoded
        with pytest.raises(UnicodeEncodeError):
            store.upsert("default", [movie("t1"), bad])
        assert store.count("default") == 0
        store.close()


def test_the_json_of_a_title_keeps_every_field() -> None:
    assert all(getattr(FULL_TITLE, field.name) for field in dataclasses.fields(FULL_TITLE))
    assert decode_title(encode_title(FULL_TITLE)) == FULL_TITLE
    assert decode_title(encode_title(movie("t1"))) == movie("t1")
