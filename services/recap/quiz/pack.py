"""Curated packs: quizzes that somebody wrote, such as "Which detective are you?".

The same engine plays them. A pack is a TOML file; what is wrong with one is told with its place
in the file.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from libs.domain.identifiers import check_id, check_text
from libs.domain.title import Title
from libs.faults import InvalidField
from services.recap.quiz.belief import Belief
from services.recap.quiz.pool import Pool
from services.recap.quiz.question import DONT_CARE, MOST_OPTIONS, SKIP, Question, QuestionOption
from services.recap.quiz.questions_of_labels import question_of
from services.recap.quiz.selection import StopRules
from services.recap.quiz.title_traits import watchable

KIND: Final = "pack"
_MOST_TEXT: Final = 600
_MOST_QUESTIONS: Final = 10
_MOST_OUTCOMES: Final = 12
# Of a pack that names none.
DEFAULT_LANGUAGE: Final = "en"
_LANGUAGE: Final = re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")


class PackRejected(Exception):
    """A pack that cannot be played; the text is "file:line: field: problem"."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Titles that carry any of these."""

    genres: frozenset[str]
    tags: frozenset[str]

    def fit(self, titles: Sequence[Title]) -> NDArray[np.bool_]:
        """Which of the titles (n,) carry one."""
        return np.array(
            [
                not self.tags.isdisjoint(title.tags) or not self.genres.isdisjoint(title.genres)
                for title in titles
            ],
            dtype=np.bool_,
        )


@dataclass(frozen=True, slots=True)
class PackOption:
    """An answer, and the titles that it speaks for."""

    option_id: str
    text: str
    reason: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class PackQuestion:
    """A question with its answers."""

    question_id: str
    text: str
    options: tuple[PackOption, ...]


@dataclass(frozen=True, slots=True)
class PackResult:
    """What a pack may say of a viewer, and the titles that say it."""

    outcome_id: str
    name: str
    text: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class Pack:
    """One curated quiz; `source` and `lines` are where its parts are in which file."""

    pack_id: str
    name: str
    language: str  # BCP 47, of all of its texts
    questions: tuple[PackQuestion, ...]
    outcomes: tuple[PackResult, ...]
    source: str
    lines: Mapping[str, int]

    @property
    def rules(self) -> StopRules:
        """All of its questions are asked: the outcome is what people came for."""
        return StopRules(most_answers=len(self.questions), sure_mass=2.0, least_gain_bits=-1.0)

    def ask(self, pool: Pool) -> tuple[Question, ...]:
        """Its questions over a pool."""
        return tuple(
            question_of(
                question.question_id,
                KIND,
                question.text,
                [QuestionOption(one.option_id, one.text, one.reason) for one in question.options],
                [one.labels.fit(pool.titles) for one in question.options],
                0.0,
            )
            for question in self.questions
        )

    def outcome(self, pool: Pool, belief: Belief) -> PackResult:
        """What the answers have made likelier than anything else of it; the first of equals."""
        after = belief.probabilities
        lifts = [
            float(after[fits].sum() / before) if (before := float(pool.prior[fits].sum())) else 0.0
            for fits in (one.labels.fit(pool.titles) for one in self.outcomes)
        ]
        return self.outcomes[int(np.argmax(lifts))]

    def check(self, catalogue: Sequence[Title]) -> None:
        """Raise PackRejected unless a catalogue carries its labels and every question tells.

        What a quiz cannot answer with, such as episodes, does not count.
        """
        titles = watchable(catalogue)
        known_tags = frozenset(tag for title in titles for tag in title.tags)
        known_genres = frozenset(genre for title in titles for genre in title.genres)
        for place, labels in self._labels():
            for field, used, known in (
                ("tags", labels.tags, known_tags),
                ("genres", labels.genres, known_genres),
            ):
                for name in sorted(used - known):
                    raise self.rejected(f"{place}.{field}", f"no title carries {name!r}")
        for number, question in enumerate(self.questions):
            fits = np.stack([one.labels.fit(titles) for one in question.options])
            if (fits == fits[0]).all():
                raise self.rejected(
                    f"questions[{number}]", "has no effect: every answer fits the same titles"
                )

    def _labels(self) -> Iterable[tuple[str, Labels]]:
        for number, question in enumerate(self.questions):
            for place, option in enumerate(question.options):
                yield f"questions[{number}].options[{place}]", option.labels
        for number, outcome in enumerate(self.outcomes):
            yield f"outcomes[{number}]", outcome.labels

    def rejected(self, field: str, problem: str) -> PackRejected:
        """The rejection of a field, with its line."""
        return _rejected(self.source, self.lines, field, problem)


def parse(text: str, source: str) -> Pack:
    """The pack of a TOML text; raises PackRejected naming `source` and the line."""
    try:
        value = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Beside what is no TOML: numbers too long for Python, and tables in tables without end.
        raise PackRejected(f"{source}: {error}") from None
    lines = _lines(text)
    try:
        return _pack(value, source, lines)
    except InvalidField as fault:
        raise _rejected(source, lines, fault.field, fault.problem) from None


def _pack(value: dict[str, Any], source: str, lines: Mapping[str, int]) -> Pack:
    questions = _each(value, "questions", _question, 1, _MOST_QUESTIONS)
    outcomes = _each(value, "outcomes", _outcome, 2, _MOST_OUTCOMES)
    _refuse_twice("questions", [one.question_id for one in questions])
    _refuse_twice("outcomes", [one.outcome_id for one in outcomes])
    pack_id = _id(value, "pack_id")
    name, language = _text(value, "name"), _language(value)
    return Pack(pack_id, name, language, questions, outcomes, source, lines)


def _question(value: Any) -> PackQuestion:
    options = _each(value, "options", _option, 2, MOST_OPTIONS)
    _refuse_twice("options", [one.option_id for one in options])
    return PackQuestion(_id(value, "question_id"), _text(value, "text"), options)


def _option(value: Any) -> PackOption:
    option_id, text = _id(value, "option_id"), _text(value, "text")
    if option_id in (DONT_CARE, SKIP):
        raise InvalidField("option_id", f"{option_id!r} fits every question already")
    return PackOption(option_id, text, _text(value, "reason"), _labels_of(value))


def _outcome(value: Any) -> PackResult:
    return PackResult(
        _id(value, "outcome_id"), _text(value, "name"), _text(value, "text"), _labels_of(value)
    )


def _labels_of(value: dict[str, Any]) -> Labels:
    found = {}
    for field in ("genres", "tags"):
        names = value.get(field, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InvalidField(field, "must be a list of texts")
        found[field] = frozenset(names)
    if not found["genres"] and not found["tags"]:
        raise InvalidField("tags", "must name a tag, unless genres does")
    return Labels(**found)


def _each(value: Any, field: str, read: Callable[[Any], Any], least: int, most: int) -> Any:
    found = value.get(field, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InvalidField(field, "must be tables")
    if not least <= len(found) <= most:
        raise InvalidField(field, f"must be {least} to {most}, are {len(found)}")
    made = []
    for place, one in enumerate(found):
        try:
            made.append(read(one))
        except InvalidField as fault:
            raise fault.within(f"{field}[{place}]") from None
    return tuple(made)


def _refuse_twice(field: str, ids: list[str]) -> None:
    for place, name in enumerate(ids):
        if name in ids[:place]:
            raise InvalidField(f"{field}[{place}]", f"{name!r} is there twice")


def _id(value: dict[str, Any], field: str) -> str:
    found = value.get(field, "")
    if not isinstance(found, str):
        raise InvalidField(field, "must be a text")
    return check_id(field, found)


def _language(value: dict[str, Any]) -> str:
    found = value.get("language", DEFAULT_LANGUAGE)
    if not isinstance(found, str) or not _LANGUAGE.fullmatch(found):
        raise InvalidField("language", "must be a BCP 47 tag, such as en or ar-EG")
    return found


def _text(value: dict[str, Any], field: str) -> str:
    found = value.get(field, "")
    if not isinstance(found, str) or not found:
        raise InvalidField(field, "must be a text")
    return check_text(field, found, _MOST_TEXT)


def _lines(text: str) -> dict[str, int]:
    """The line of each table of a pack, by its path: TOML's parser keeps none."""
    lines: dict[str, int] = {}
    counts = {"questions": -1, "outcomes": -1, "options": -1}
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\[\s*(questions|outcomes)(\s*\.\s*options)?\s*\]\]", line)
        if header is None:
            continue
        name, is_option = header.group(1), header.group(2) is not None
        if is_option:
            counts["options"] += 1
            lines[f"questions[{counts['questions']}].options[{counts['options']}]"] = number
        else:
            counts[name] += 1
            counts["options"] = -1
            lines[f"{name}[{counts[name]}]"] = number
    return lines


def _rejected(source: str, lines: Mapping[str, int], field: str, problem: str) -> PackRejected:
    inside = [path for path in lines if field == path or field.startswith(f"{path}.")]
    line = lines[max(inside, key=len)] if inside else 1
    return PackRejected(f"{source}:{line}: {field}: {problem}")
