"""The options of `reprise evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from cli import evaluate as evaluate_command
from cli import evaluate_quiz as quiz_command
from cli.judging import Question
from cli.moments import Moment
from cli.present import check_recorded
from libs.domain.event import DAY_MS
from libs.serving.settings import SuiteSettings, read_settings

evaluating = typer.Typer(invoke_without_command=True)


@evaluating.callback()
def evaluate(
    context: typer.Context,
    at: Moment = None,
    days: Annotated[
        float, typer.Option(min=0.01, max=3650, help="How far to look after --at.")
    ] = 7,
    most: Annotated[int, typer.Option(min=1, help="At most so many profiles.")] = 2000,
    least_known: Annotated[
        int, typer.Option(min=0, help="Only profiles that knew so many titles by then.")
    ] = 0,
    served: Annotated[
        bool, typer.Option("--served", help="Compare with what the running services answer.")
    ] = False,
) -> None:
    """Measure lists of one time against what happened after it."""
    if context.invoked_subcommand:
        return
    settings = read_settings(SuiteSettings)
    check_recorded(settings)
    horizon_ms = round(days * DAY_MS)
    at_ms = evaluate_command.default_at_ms(settings, horizon_ms) if at is None else at
    question = Question(
        at_ms=at_ms, horizon_ms=horizon_ms, most_profiles=most, least_known=least_known
    )
    evaluation = evaluate_command.evaluate(settings, question, context.obj, is_served=served)
    evaluate_command.show(evaluation, context.obj)


@evaluating.command("quiz")
def evaluate_the_quiz(
    context: typer.Context,
    hidden_users: Annotated[
        Path, typer.Option(help="A profile id a line: training never sees them.")
    ],
    answers: Annotated[int, typer.Option(min=1, max=20, help="Questions to each of them.")] = 10,
    wrong: Annotated[
        float, typer.Option(min=0, max=1, help="The share of answers given at random.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Halves histories another way.")] = 1,
) -> None:
    """Measure lists after few answers of people whom training has never seen."""
    settings = read_settings(SuiteSettings)
    check_recorded(settings)
    quizzing = quiz_command.Quizzing(hidden_users, answers, wrong, seed)
    evaluation = quiz_command.evaluate_quiz(settings, quizzing, context.obj)
    quiz_command.show(evaluation, context.obj)
