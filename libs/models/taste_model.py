"""The quiz part of a bundle: what answers about a taste tell of what somebody would watch.

Everything in it is a mean or a covariance over all profiles of training: no profile's history,
vector or id can be read from it.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from libs.artifacts.manifest import BundleRejected, Manifest
from libs.models.array_files import map_array
from libs.models.taste_question import Facet, TasteQuestion

QUIZ_PART: Final = "quiz"

_IDS: Final = "title_ids.json"
_QUESTIONS: Final = "questions.json"
_ARRAYS: Final = ("option_means", "covariance", "cross", "title_means")

# Keeps the solution bounded where two questions ask nearly the same.
_RIDGE: Final = 3e-2
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

    def of_titles(self, rows: NDArray[np.int64]) -> "TasteModel":
        """The same of some titles only."""
        return dataclasses.replace(
            self,
            title_ids=tuple(self.title_ids[row] for row in rows.tolist()),
            cross=self.cross[rows],
            title_means=self.title_means[rows],
        )

    def of_questions(self, places: Sequence[int]) -> "TasteModel":
        """The same of some questions only."""
        kept = [self.questions[place] for place in places]
        columns = self.columns_of(places)
        return dataclasses.replace(
            self,
            questions=tuple(kept),
            option_means=self.option_means[columns],
            covariance=self.covariance[np.ix_(columns, columns)],
            cross=self.cross[:, columns],
        )

    def columns_of(self, places: Sequence[int]) -> NDArray[np.int64]:
        """The options (s,) of the questions at `places`."""
        starts = self.starts
        taken = [
            np.arange(starts[place], starts[place] + len(self.questions[place].option_ids))
            for place in places
        ]
        return np.concatenate(taken) if taken else np.empty(0, dtype=np.int64)

    def weights_of(self, columns: NDArray[np.int64]) -> NDArray[np.float32]:
        """What the answers (s,) to some options, less their means, add to each title: (n, s)."""
        solved = np.linalg.solve(self._known(columns), self.cross[:, columns].T)
        return np.asarray(solved.T, dtype=np.float32)

    def posterior(self, answers: Sequence[tuple[int, int]]) -> TastePosterior:
        """What is expected after `answers`: pairs of the places of a question and its option."""
        watches = self.watches(answers)
        options, cross = self.option_means, self.cross
        if answers:
            columns, surprise = self._said(answers)
            shared = self.covariance[columns].astype(np.float64)
            gain = np.linalg.solve(self._known(columns), shared)  # (s, o)
            options = np.clip(options + surprise @ gain, _LEAST, 1.0).astype(np.float32)
            cross = cross - cross[:, columns] @ gain.astype(np.float32)
        likelihood = np.divide(cross.T, watches)
        likelihood += options[:, None]
        np.maximum(likelihood, _LEAST, out=likelihood)
        starts = self.starts
        if len(starts):
            counts = np.diff(np.append(starts, len(options)))
            likelihood /= np.repeat(np.add.reduceat(likelihood, starts, axis=0), counts, axis=0)
        return TastePosterior(watches=watches, options=options, likelihood=likelihood)

    def watches(self, answers: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
        """`posterior(answers).watches` alone, for when nothing more is asked."""
        expected = self.title_means
        if answers:
            columns, surprise = self._said(answers)
            weights = np.linalg.solve(self._known(columns), surprise).astype(np.float32)
            expected = expected + self.cross[:, columns] @ weights
        return np.maximum(expected, _LEAST)

    def _said(
        self, answers: Sequence[tuple[int, int]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The options (s,) of all questions answered, and how unexpected each one's value is."""
        starts = self.starts
        chosen = [starts[place] + option for place, option in answers]
        columns = self.columns_of([place for place, _ in answers])
        surprise: NDArray[np.float64] = np.isin(columns, chosen) - self.option_means[
            columns
        ].astype(np.float64)
        return columns, surprise

    def _known(self, columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """The covariance (s, s) of some options, bounded from below."""
        own = self.covariance[np.ix_(columns, columns)].astype(np.float64)
        return own + _RIDGE * np.eye(len(columns))

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
        arrays = {name: map_array(folder / f"{name}.npy") for name in _ARRAYS}
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
