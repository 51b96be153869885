"""The quiz part of a bundle: what answers about a taste tell of what somebody would watch.

Everything in it is a mean or a covariance over all profiles of training: no profile's history,
vector or id can be read from it.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from libs.artifacts.manifest import BundleRejected, Manifest
from libs.models.taste_question import Facet, TasteQuestion

QUIZ_PART: Final = "quiz"

_IDS: Final = "title_ids.json"
_QUESTIONS: Final = "questions.json"
_ARRAYS: Final = ("option_means", "covariance", "cross", "title_means")

# Keeps the solution bounded where two questions ask the same.
_RIDGE: Final = 1e-2
_LEAST: Final = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class TastePosterior:
    """What is expected of somebody who gave some answers."""

    watches: NDArray[np.float32]  # (n,) the expectation of watching each title, above 0
    options: NDArray[np.float32]  # (o,) P(option), of each question summing to 1
    likelihood: NDArray[np.float32]  # (o, n) P(option | watches the title), likewise


@dataclass(frozen=True, slots=True, eq=False)
class TasteModel:
    """Joint second moments of answers (o options, one-hot by question) and of watching n titles.

    Given answers, the rest follows by linear regression of everything on these: the best linear
    guess, and for a single answer the exact conditional mean. As the belief is Gaussian, which
    answers were given does not change what the other ones can tell, but the means do.
    """

    version: str
    trained_until_ms: int
    title_ids: tuple[str, ...]  # (n,)
    questions: tuple[TasteQuestion, ...]
    option_means: NDArray[np.float32]  # (o,)
    covariance: NDArray[np.float32]  # (o, o)
    cross: NDArray[np.float32]  # (n, o) covariance of watching and answering
    title_means: NDArray[np.float32]  # (n,)

    @property
    def starts(self) -> NDArray[np.int64]:
        """The first option (q,) of each question."""
        counts = [len(question.option_ids) for question in self.questions]
        return np.cumsum(counts) - np.array(counts, dtype=np.int64)

    def with_noise(self, noise: float) -> "TasteModel":
        """The same where a share of the answers is given at random."""
        counts = np.array([len(question.option_ids) for question in self.questions])
        means = (1.0 - noise) * self.option_means + noise / np.repeat(counts, counts)
        covariance = (1.0 - noise) ** 2 * self.covariance
        for start, count in zip(self.starts.tolist(), counts.tolist(), strict=True):
            own = means[start : start + count]
            covariance[start : start + count, start : start + count] = np.diag(own) - np.outer(
                own, own
            )
        return dataclasses.replace(
            self,
            option_means=means.astype(np.float32),
            covariance=covariance.astype(np.float32),
            cross=((1.0 - noise) * self.cross).astype(np.float32),
        )

    def of_titles(self, rows: NDArray[np.int64]) -> "TasteModel":
        """The same of some titles only."""
        return dataclasses.replace(
            self,
            title_ids=tuple(self.title_ids[row] for row in rows.tolist()),
            cross=self.cross[rows],
            title_means=self.title_means[rows],
        )

    def posterior(self, answers: Sequence[tuple[int, int]]) -> TastePosterior:
        """What is expected after `answers`: pairs of the places of a question and its option."""
        watches, options, cross = self._regressed(answers)
        watches = np.maximum(watches, _LEAST)
        likelihood = np.maximum(options[:, None] + cross.T / watches, _LEAST)
        starts = self.starts
        counts = np.diff(np.append(starts, len(options)))
        sums = np.add.reduceat(likelihood, starts, axis=0)
        return TastePosterior(
            watches=watches,
            options=options,
            likelihood=np.asarray(likelihood / np.repeat(sums, counts, axis=0), dtype=np.float32),
        )

    def watches(self, answers: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
        """`posterior(answers).watches` alone, for when nothing more is asked."""
        return np.maximum(self._regressed(answers)[0], _LEAST)

    def _regressed(
        self, answers: Sequence[tuple[int, int]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Means (n,) and (o,) given the answers, and the covariance (n, o) that is left."""
        if not answers:
            return self.title_means, self.option_means, self.cross
        starts = self.starts
        given = [
            np.arange(starts[place], starts[place] + len(self.questions[place].option_ids))
            for place, _ in answers
        ]
        columns = np.concatenate(given)
        said = np.concatenate(
            [
                own == starts[place] + option
                for own, (place, option) in zip(given, answers, strict=True)
            ]
        )
        surprise = (said - self.option_means[columns]).astype(np.float64)
        known = self.covariance[np.ix_(columns, columns)].astype(np.float64)
        known += _RIDGE * np.eye(len(columns))
        gain = np.linalg.solve(known, self.covariance[columns].astype(np.float64))  # (s, o)
        told = self.cross[:, columns].astype(np.float32)
        weights = np.linalg.solve(known, surprise).astype(np.float32)
        watches = self.title_means + told @ weights
        options = np.clip(self.option_means + surprise @ gain, _LEAST, 1.0).astype(np.float32)
        return watches, options, self.cross - told @ gain.astype(np.float32)

    @classmethod
    def read(cls, folder: Path, manifest: Manifest) -> "TasteModel":
        """The model in a verified folder; raises BundleRejected if files do not belong together."""
        found = json.loads((folder / _QUESTIONS).read_text())
        questions = tuple(
            TasteQuestion(
                **{**question, "facets": tuple(Facet(**facet) for facet in question["facets"])}
            )
            for question in found
        )
        arrays: dict[str, NDArray[Any]] = {
            name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
            for name in _ARRAYS
        }
        title_ids = tuple(json.loads((folder / _IDS).read_text()))
        options, titles = sum(len(one.option_ids) for one in questions), len(title_ids)
        for name, wanted in zip(
            _ARRAYS, ((options,), (options, options), (titles, options), (titles,)), strict=True
        ):
            if arrays[name].shape != wanted:
                raise BundleRejected(
                    folder / f"{name}.npy", f"has shape {arrays[name].shape} instead of {wanted}"
                )
        return cls(
            version=manifest.version,
            trained_until_ms=manifest.trained_until_ms,
            title_ids=title_ids,
            questions=questions,
            **arrays,
        )

    def write(self, folder: Path) -> Mapping[str, tuple[int, ...]]:
        """Write all files into the folder; returns the shapes of those that hold arrays."""
        arrays: dict[str, NDArray[np.float32]] = {name: getattr(self, name) for name in _ARRAYS}
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        (folder / _IDS).write_text(json.dumps(self.title_ids))
        (folder / _QUESTIONS).write_text(
            json.dumps([dataclasses.asdict(question) for question in self.questions])
        )
        return {
            _IDS: (len(self.title_ids),),
            **{f"{name}.npy": array.shape for name, array in arrays.items()},
        }
