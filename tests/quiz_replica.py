"""A replica of the quiz as a process that a test talks to in lines, and may kill."""

import asyncio
import base64
import json
import sys
from contextlib import closing
from typing import Any

from libs.domain.viewing import UNKNOWN_CONTEXT
from libs.storage.recap.database import open_server
from services.recap.quiz.quiz_step import Said, Step
from services.recap.quiz.quizzes import Quizzes
from tests.made_quizzes import made_quizzes

NOW_MS = 1_760_000_000_000


def main(url: str) -> None:
    with closing(open_server(url)) as database:
        quizzes, _, _ = made_quizzes(database, lambda: NOW_MS)
        tell({})
        for line in sys.stdin:
            step = asyncio.run(answered(quizzes, *json.loads(line)))
            question = step.question
            tell(
                {
                    "token": base64.b64encode(step.token).decode(),
                    "question": "" if question is None else question.question_id,
                    "options": []
                    if question is None
                    else [option.option_id for option in question.options],
                }
            )


async def answered(quizzes: Quizzes, quiz_id: str, profile_id: str, *answer: str) -> Step:
    """The step after an answer, or the first one."""
    if not answer:
        return await quizzes.start(
            "default", quiz_id, profile_id, "", UNKNOWN_CONTEXT, lambda: 10.0
        )
    token, question_id, option_id = answer
    said = Said(quiz_id, profile_id, base64.b64decode(token), question_id, option_id)
    return await quizzes.answer("default", said, lambda: 10.0)


def tell(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
