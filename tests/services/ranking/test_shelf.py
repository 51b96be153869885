from pathlib import Path

import pytest

from libs.artifacts.bundle import BundleStore, publish
from libs.artifacts.hot_swap import Loaded
from libs.domain.title import Title
from libs.features.schema import FEATURE_SCHEMA_VERSION
from libs.models.ranker import RANKER_PART, Ranker
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from services.ranking.shelf import Shelves
from tests.made_bundle import NOW_MS, catalogue, ranker, retrieval


class Service:
    """A folder of bundles, a catalogue, and the shelves over both."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.version = 1
        self.titles: dict[str, Title] = catalogue()
        store = BundleStore(root)
        self.shelves = Shelves(
            Loaded(store, RETRIEVAL_PART, RetrievalModel.read),
            Loaded(store, RANKER_PART, Ranker.read),
            lambda: (self.version, self.titles),
        )

    def publish(self, number: int, *, with_ranker: bool = True) -> str:
        parts = {RETRIEVAL_PART: retrieval(seed=number).write}
        if with_ranker:
            parts[RANKER_PART] = ranker(seed=number).write
        return publish(
            self.root,
            parts,
            now_ms=NOW_MS + number,
            trained_until_ms=NOW_MS,
            feature_schema_version=FEATURE_SCHEMA_VERSION,
        )


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def test_there_is_no_shelf_before_the_catalogue(service: Service) -> None:
    service.version = 0
    service.publish(1)
    assert not service.shelves.refresh()
    assert service.shelves.current is None


def test_without_a_bundle_the_shelf_is_the_catalogue(service: Service) -> None:
    service.shelves.refresh()
    shelf = service.shelves.current
    assert shelf is not None
    assert (shelf.version, shelf.ranker, shelf.trained_until_ms) == ("", None, 0)
    assert "e1" not in shelf.title_ids


def test_both_parts_are_of_one_bundle(service: Service) -> None:
    version = service.publish(1)
    assert service.shelves.refresh()
    shelf = service.shelves.current
    assert shelf is not None
    assert shelf.ranker is not None
    assert shelf.version == shelf.ranker.version == version
    assert not service.shelves.refresh()


def test_a_newer_bundle_without_a_good_ranker_waits_while_the_old_one_has_both(
    service: Service,
) -> None:
    first = service.publish(1)
    service.shelves.refresh()
    second = service.publish(2)
    trees = service.root / second / RANKER_PART / "trees.txt"
    whole = trees.read_bytes()
    trees.write_bytes(b"x" + whole[1:])
    service.shelves.refresh()
    assert service.shelves.current is not None
    assert service.shelves.current.version == first
    ahead = service.shelves.of_version(second)
    assert ahead is not None
    assert ahead.ranker is None
    trees.write_bytes(whole)
    assert service.shelves.refresh()
    assert service.shelves.current.version == second
    assert service.shelves.of_version(first) is not None


def test_a_bundle_without_a_ranker_serves_in_retrieval_order(service: Service) -> None:
    version = service.publish(1, with_ranker=False)
    service.shelves.refresh()
    shelf = service.shelves.current
    assert shelf is not None
    assert (shelf.version, shelf.ranker) == (version, None)


def test_a_changed_catalogue_makes_a_new_shelf_of_the_same_bundle(service: Service) -> None:
    version = service.publish(1)
    service.shelves.refresh()
    service.titles = {key: one for key, one in service.titles.items() if key != "t00"}
    service.version += 1
    assert service.shelves.refresh()
    shelf = service.shelves.current
    assert shelf is not None
    assert shelf.version == version
    assert not shelf.columns.known[0]
