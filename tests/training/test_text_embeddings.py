from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from libs.domain.title import Person, Title, TitleKind
from training.text_embeddings import embed, load_encoder, title_text


class CountingEncoder:
    """Encodes a text as its length and its first letter; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([[len(text), ord(text[0])] for text in texts], dtype=np.float32)


def test_each_text_is_encoded_once_and_answers_are_in_order(tmp_path: Path) -> None:
    encode = CountingEncoder()
    texts = ["bb", "a", "bb", "ccc"]
    first = embed(texts, encode, tmp_path)
    assert first.tolist() == [[2, 98], [1, 97], [2, 98], [3, 99]]
    assert sorted(encode.asked) == ["a", "bb", "ccc"]
    again = embed([*texts, "d"], encode, tmp_path)
    assert again[:4].tobytes() == first.tobytes()
    assert encode.asked[3:] == ["d"]


@pytest.mark.parametrize("damage", [b"", b"rubbish", b"PK\x03\x04 truncated"])
def test_a_damaged_cache_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    embed(["a"], CountingEncoder(), tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(damage)
    encode = CountingEncoder()
    assert embed(["a"], encode, tmp_path).tolist() == [[1, 97]]
    assert encode.asked == ["a"]


def test_progress_ends_at_one(tmp_path: Path) -> None:
    told: list[float] = []
    embed(
        [f"text {number}" for number in range(200)],
        CountingEncoder(),
        tmp_path,
        on_progress=told.append,
    )
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_title_says_what_it_is_before_what_it_is_about() -> None:
    title = Title(
        "t",
        TitleKind.MOVIE,
        "Name",
        synopsis="Long story",
        genres=("drama", "crime"),
        tags=("slow",),
        people=(Person("Somebody"),),
    )
    assert title_text(title) == "Name. movie. drama, crime. slow. Long story. Somebody"
    assert title_text(Title("t", TitleKind.LIVE, "Bare")) == "Bare. live"


def test_the_packaged_encoder_puts_like_texts_together_without_a_network() -> None:
    encode = load_encoder(threads=1)
    detective, police, baking = encode(
        ["A detective hunts a killer", "The police search for a murderer", "Friends bake bread"]
    )
    assert np.linalg.norm(detective) == pytest.approx(1, abs=1e-5)
    assert detective @ police > detective @ baking + 0.2
