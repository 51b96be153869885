"""Settings of the recap service, from the environment."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from libs.serving.settings import SuiteSettings
from services.recap.quiz.selection import LEAST_GAIN_BITS, MOST_ANSWERS, SURE_MASS


class RecapSettings(SuiteSettings):
    """Those of the suite, and what only recap has; each is read from REPRISE_<NAME>."""

    # How many tenants' catalogues are held in memory at once.
    most_tenants: int = Field(default=32, ge=1, le=10_000)
    # How much of beats is held in memory, in MiB: 2,400 of 22 words take 3.
    most_beats_mib: int = Field(default=128, ge=1, le=65_536)
    # The share of profiles that are never offered the quiz, to be compared with the others.
    quiz_hold_out_ratio: float = Field(default=0.05, ge=0, le=1)
    # While this file is there, nobody is offered the quiz: the kill switch, seen within a second.
    quiz_off_path: Path = Field(default_factory=lambda known: known["home"] / "recap" / "quiz.off")
    # Packs that somebody has written, beside those that come with Reprise.
    quiz_packs_path: Path = Field(default_factory=lambda known: known["home"] / "recap" / "packs")
    # When to ask no more; a sure ratio above 1 and a gain below 0 never end a quiz early.
    quiz_most_answers: int = Field(default=MOST_ANSWERS, ge=1, le=20)
    quiz_sure_ratio: float = Field(default=SURE_MASS, ge=0)
    quiz_least_gain_bits: float = LEAST_GAIN_BITS
    # Boards of quizzes under way that are held in memory, of about 2 MB each.
    quiz_most_boards: int = Field(default=64, ge=1)

    @model_validator(mode="after")
    def _check_workers(self) -> Self:
        if self.workers > 1 and not self.recap_url.get_secret_value():
            raise ValueError("REPRISE_WORKERS must be 1 where recap writes a file of its own")
        return self
