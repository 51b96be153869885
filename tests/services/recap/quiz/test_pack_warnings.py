from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import structlog

from libs.artifacts.bundle import BundleStore
from libs.artifacts.hot_swap import Loaded
from libs.domain.title import Title, TitleKind
from libs.models.retrieval_model import RETRIEVAL_PART, RetrievalModel
from libs.models.taste_model import QUIZ_PART, TasteModel
from services.recap.quiz.materials import TenantMaterial
from services.recap.quiz.pack_shelf import PackTexts
from services.recap.quiz.pack_warnings import PackWarnings

TEXTS: PackTexts = (("hats.toml", "a"), ("shoes.toml", "b"))
HATS, SHOES = {"hats": "no title carries 'mood:dark'"}, {"shoes": "cannot be read"}

Lines = list[structlog.typing.EventDict]


@pytest.fixture
def lines() -> Iterator[Lines]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def named(lines: Lines) -> list[tuple[str, str, str]]:
    return [(line["tenant"], line["bundle_version"], line["pack"]) for line in lines]


def test_a_pack_is_named_once_for_a_bundle_however_often_catalogues_come(lines: Lines) -> None:
    warnings = PackWarnings()
    for problems in (HATS, HATS, {}, HATS, HATS | SHOES):
        warnings.tell("acme", "v1", TEXTS, problems)
    warnings.tell("acme", "v2", TEXTS, HATS)
    assert named(lines) == [
        ("acme", "v1", "hats"), ("acme", "v1", "shoes"), ("acme", "v2", "hats"),
    ]  # fmt: skip
    assert [line["problem"] for line in lines] == [*HATS.values(), *SHOES.values(), *HATS.values()]


def test_each_tenant_hears_of_its_own(lines: Lines) -> None:
    warnings = PackWarnings()
    warnings.tell("acme", "v1", TEXTS, HATS)
    warnings.tell("bravo", "v1", TEXTS, HATS)
    warnings.tell("acme", "v1", TEXTS, HATS)
    assert named(lines) == [("acme", "v1", "hats"), ("bravo", "v1", "hats")]


def test_a_pack_that_was_written_anew_is_named_again(lines: Lines) -> None:
    warnings = PackWarnings()
    warnings.tell("acme", "v1", TEXTS, HATS)
    warnings.tell("acme", "v1", (("hats.toml", "c"),), HATS)
    assert len(lines) == 2


class Catalogue:
    """Titles that a test changes."""

    def __init__(self) -> None:
        self.titles: Mapping[str, Title] = {}
        self.version = 0


def test_before_the_first_catalogue_no_pack_is_at_fault(tmp_path: Path) -> None:
    told: list[tuple[str, set[str]]] = []
    catalogue, bundles = Catalogue(), BundleStore(tmp_path / "bundles")
    material = TenantMaterial(
        catalogue,
        Loaded(bundles, RETRIEVAL_PART, RetrievalModel.read),
        Loaded(bundles, QUIZ_PART, TasteModel.read),
        tmp_path,
        lambda version, texts, problems: told.append((version, set(problems))),
    )
    material._refresh()
    assert material.current.shelf.problems, "nothing can be played yet"
    assert told == []
    catalogue.titles = {"t": Title("t", TitleKind.MOVIE, "A film")}
    catalogue.version = 1
    material._refresh()
    material._refresh()
    assert told == [("", set(material.current.shelf.problems))]
