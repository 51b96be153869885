"""Random sequences of calls to quizzes, good and bad, beside a model of what must come of them."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import pytest

from libs.domain.viewing import UNKNOWN_CONTEXT
from libs.faults import InvalidField
from services.recap.quiz.quiz_step import Said, Step
from services.recap.quiz.quizzes import Quizzes

TENANT: Final = "default"
HOUR_MS: Final = 3_600_000


def always() -> float:
    return 10.0


@dataclass
class Clock:
    now_ms: int = 1_760_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Quiz:
    """What is known of one quiz: every step, and the answer that led away from it."""

    quiz_id: str
    profile_id: str
    steps: list[Step] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.steps[-1].question is None

    def said(self, place: int, **change: Any) -> Said:
        """The answer that was given to the step at `place`, or what a change makes of one."""
        place %= len(self.steps)
        step = self.steps[place]
        if place < len(self.answers):
            question_id, option_id = self.answers[place]
        elif step.question is None:
            question_id, option_id = "genre", "dont_care"
        else:
            question_id, option_id = step.question.question_id, step.question.options[0].option_id
        fields = {
            "quiz_id": self.quiz_id,
            "profile_id": self.profile_id,
            "token": step.token,
            "question_id": question_id,
            "option_id": option_id,
        }
        return Said(**{**fields, **change})


class Sequence:
    """One random sequence over a few quizzes; every wrong call names its field."""

    def __init__(self, quizzes: Quizzes, clock: Clock, seed: int) -> None:
        self._quizzes = quizzes
        self._clock = clock
        self._random = Random(seed)
        self._name = f"s{seed}"
        self._live: list[Quiz] = []
        self.counts: Counter[str] = Counter()

    async def run(self, length: int) -> None:
        for number, owner in enumerate((f"{self._name}-p", f"{self._name}-q", "")):
            await self._start(Quiz(f"{self._name}-{number}", owner))
        moves = (
            self._answer,
            self._answer,
            self._answer,
            self._repeat,
            self._restart,
            self._wrong_question,
            self._wrong_option,
            self._tampered,
            self._somebody_else,
            self._answered_before,
            self._out_of_order,
            self._another_tenant,
        )
        for _ in range(length):
            move = self._random.choice(moves)
            await move(self._random.choice(self._live))
            self.counts[move.__name__] += 1
        for quiz in self._live:
            await self._unchanged(quiz)
        await self._expire(self._random.choice(self._live))

    @property
    def named_answer_count(self) -> int:
        return sum(len(quiz.answers) for quiz in self._live if quiz.profile_id)

    async def _start(self, quiz: Quiz) -> None:
        quiz.steps.append(await self._begin(quiz))
        self._live.append(quiz)

    async def _begin(self, quiz: Quiz) -> Step:
        return await self._quizzes.start(
            TENANT, quiz.quiz_id, quiz.profile_id, "", UNKNOWN_CONTEXT, always
        )

    async def _answer(self, quiz: Quiz) -> None:
        question = quiz.steps[-1].question
        if question is None:
            return
        options = [option.option_id for option in question.options]
        option_id = self._random.choice([*options, *options, "dont_care", "skip"])
        said = quiz.said(-1, question_id=question.question_id, option_id=option_id)
        step = await self._quizzes.answer(TENANT, said, always)
        assert (step.question is None) == (step.result is not None)
        quiz.answers.append((question.question_id, option_id))
        quiz.steps.append(step)
        assert [
            (one.asked.question_id, one.option_id) for one in step.state.answers
        ] == quiz.answers

    async def _repeat(self, quiz: Quiz) -> None:
        """An answer sent again, at any time after it, gets what it got."""
        if not quiz.answers:
            return
        place = self._random.randrange(len(quiz.answers))
        step = await self._quizzes.answer(TENANT, quiz.said(place), always)
        assert shown(step) == shown(quiz.steps[place + 1])

    async def _restart(self, quiz: Quiz) -> None:
        """Starting a named quiz again goes on with it."""
        if quiz.profile_id:
            assert shown(await self._begin(quiz)) == shown(quiz.steps[-1])

    async def _unchanged(self, quiz: Quiz) -> None:
        await self._restart(quiz)
        if not quiz.is_over:
            await self._answer(quiz)

    async def _wrong_question(self, quiz: Quiz) -> None:
        wanted = self._random.choice(("", "nothing", "genre:none", "x" * 500))
        await self._refused("question_id", quiz.said(-1, question_id=wanted))

    async def _wrong_option(self, quiz: Quiz) -> None:
        if not quiz.is_over:
            wanted = self._random.choice(("", "nothing", "o99", "DONT_CARE"))
            await self._refused("option_id", quiz.said(-1, option_id=wanted))

    async def _tampered(self, quiz: Quiz) -> None:
        token = bytearray(quiz.steps[-1].token)
        match self._random.randrange(3):
            case 0:
                token[self._random.randrange(len(token))] ^= 1 << self._random.randrange(8)
            case 1:
                del token[self._random.randrange(len(token)) :]
            case _:
                token += b"\0"
        await self._refused("state", quiz.said(-1, token=bytes(token)))

    async def _somebody_else(self, quiz: Quiz) -> None:
        if quiz.profile_id:
            wanted = self._random.choice(("", "stranger", f"{self._name}-r"))
            await self._refused("profile_id", quiz.said(-1, profile_id=wanted))
        await self._refused("quiz_id", quiz.said(-1, quiz_id="another"))

    async def _answered_before(self, quiz: Quiz) -> None:
        """A question that was answered, with the newest state."""
        if quiz.answers:
            question_id, option_id = self._random.choice(quiz.answers)
            said = quiz.said(-1, question_id=question_id, option_id=option_id)
            await self._refused("question_id", said)

    async def _out_of_order(self, quiz: Quiz) -> None:
        """An old state, with another answer than the one that was given: a named quiz went on."""
        if quiz.profile_id and quiz.answers:
            place = self._random.randrange(len(quiz.answers))
            question = quiz.steps[place].question
            assert question is not None
            others = {"dont_care", *(option.option_id for option in question.options)}
            others.discard(quiz.answers[place][1])
            said = quiz.said(place, option_id=self._random.choice(sorted(others)))
            await self._refused("option_id", said)
            await self._refused("question_id", quiz.said(place, question_id="nothing"))

    async def _another_tenant(self, quiz: Quiz) -> None:
        await self._refused("state", quiz.said(-1), tenant="acme")

    async def _expire(self, quiz: Quiz) -> None:
        self._clock.now_ms += 5 * HOUR_MS
        await self._refused("state", quiz.said(-1))
        if quiz.profile_id:
            fresh = await self._begin(quiz)
            assert fresh.state.answers == (), "what has expired begins anew"

    async def _refused(self, field_name: str, said: Said, tenant: str = TENANT) -> None:
        with pytest.raises(InvalidField) as caught:
            await self._quizzes.answer(tenant, said, always)
        assert caught.value.field == field_name, said
        assert len(caught.value.problem) < 200


def shown(step: Step) -> tuple[Any, ...]:
    """What a viewer sees of a step."""
    question = step.question
    asked = None if question is None else (question.question_id, question.text, question.options)
    return asked, step.result, step.token
