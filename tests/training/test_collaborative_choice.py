from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from libs.models.retrieval import Retrieved
from training.collaborative_choice import choose
from training.config import CollaborativeConfig

CONFIGS = tuple(CollaborativeConfig(regularization=value) for value in (1.0, 2.0, 3.0))


@dataclass(frozen=True)
class Asked:
    """A query to which only `relevant` matters."""

    relevant: NDArray[np.int32]


@dataclass(frozen=True)
class Moment:
    """Answers every query with the rows of the model."""

    rows: NDArray[np.int32]

    def retrieved(self, asked: object, limit: int) -> Retrieved:
        none = np.zeros((len(self.rows), 0))
        return Retrieved(self.rows, (), none.astype(np.int32), none.astype(np.float32))


def rows(*values: int) -> NDArray[np.int32]:
    return np.array(values, np.int32)


@pytest.mark.parametrize(("relevant", "best"), [(5, 1), (7, 2), (9, 0)])
def test_takes_the_settings_that_answer_a_past_cut_best(relevant: int, best: int) -> None:
    answers = {1.0: rows(1, 2, 3), 2.0: rows(5, 1, 7), 3.0: rows(1, 7, 5)}
    chosen = choose(
        CONFIGS,
        lambda config: answers[config.regularization],  # type: ignore[arg-type,return-value]  # a model is only passed on
        Moment,  # type: ignore[arg-type]  # a fake that answers with the model's rows
        [Asked(rows(relevant))],  # type: ignore[list-item]  # as above
    )
    assert chosen is CONFIGS[best]


def test_without_queries_nothing_is_fitted() -> None:
    def fail(config: CollaborativeConfig) -> object:
        raise AssertionError("fitted")

    assert choose(CONFIGS, fail, Moment, []) is CONFIGS[0]  # type: ignore[arg-type]  # never called
