"""The ranker part of a bundle: gradient-boosted trees (LightGBM) over the ranking matrix."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import lightgbm
import numpy as np
from numpy.typing import NDArray

from libs.artifacts.manifest import BundleRejected, Manifest
from libs.features.feature import Feature
from libs.features.ranking_matrix import FEATURE_NAMES, FEATURES
from libs.features.schema import FEATURE_SCHEMA_VERSION

RANKER_PART: Final = "ranker"

_TREES: Final = "trees.txt"
_FEATURES: Final = "features.json"


class Reason(NamedTuple):
    """A feature and how much it raised a score."""

    feature: Feature
    added: float


@dataclass(frozen=True, slots=True, eq=False)
class Ranker:
    """Trees that score rows of FEATURE_NAMES; a larger score is better."""

    version: str
    trained_until_ms: int
    booster: lightgbm.Booster

    @classmethod
    def read(cls, folder: Path, manifest: Manifest) -> "Ranker":
        """The ranker in a verified folder.

        Raises BundleRejected if it was trained on other features than this release computes.
        """
        if manifest.feature_schema_version != FEATURE_SCHEMA_VERSION:
            raise BundleRejected(
                folder / _FEATURES,
                f"is of feature schema {manifest.feature_schema_version}; "
                f"this release computes {FEATURE_SCHEMA_VERSION}",
            )
        names = tuple(json.loads((folder / _FEATURES).read_text()))
        if names != FEATURE_NAMES:
            other = sorted(set(names) ^ set(FEATURE_NAMES))
            raise BundleRejected(
                folder / _FEATURES,
                f"names other features than this release computes: {', '.join(other) or 'order'}",
            )
        try:
            booster = lightgbm.Booster(model_str=(folder / _TREES).read_text())
        except lightgbm.basic.LightGBMError as error:
            raise BundleRejected(folder / _TREES, f"LightGBM cannot read it: {error}") from None
        if tuple(booster.feature_name()) != FEATURE_NAMES:
            raise BundleRejected(folder / _TREES, "names other features than features.json")
        return cls(manifest.version, manifest.trained_until_ms, booster)

    def write(self, folder: Path) -> Mapping[str, tuple[int, ...]]:
        """Write all files into the folder; none holds an array."""
        (folder / _TREES).write_text(self.booster.model_to_string())
        (folder / _FEATURES).write_text(json.dumps(FEATURE_NAMES))
        return {}

    def explain(self, matrix: NDArray[np.float32], most: int) -> list[list[Reason]]:
        """For each row of `matrix` (n, f), the `most` features that raised its score most.

        What a feature adds is its Shapley value over the trees (Lundberg et al. 2020), so all of
        a row's add up to its score. Some 100 times as dear as a score: for few rows.
        """
        if len(matrix) == 0:
            return []
        added = np.asarray(
            self.booster.predict(matrix, pred_contrib=True, num_threads=1, validate_features=False)
        )[:, :-1]
        best = np.argsort(-added, axis=1, kind="stable")[:, :most]
        return [
            [Reason(FEATURES[column], row[column]) for column in columns if row[column] > 0]
            for row, columns in zip(added.tolist(), best.tolist(), strict=True)
        ]

    def score(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (n,) of `matrix` (n, f); one thread, no checks that the matrix is built with."""
        if len(matrix) == 0:
            return np.zeros(0, dtype=np.float32)
        scores = self.booster.predict(
            matrix, raw_score=True, num_threads=1, validate_features=False
        )
        return np.asarray(scores).astype(np.float32)
