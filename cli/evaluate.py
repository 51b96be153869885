"""`reprise evaluate`: how good the lists are, against popularity and, if simulated, the truth."""

import dataclasses
from typing import Final

import numpy as np

from cli.console import Output
from cli.judged_table import INTERVALS, judged_table
from cli.judging import Exam, Lists, Question
from cli.moments import moment_text
from cli.offline import Bundle, OfflineSuite, current_bundle, read_bundle
from cli.present import newest_event_ms
from cli.served import served_lists
from cli.simulated import remembered_world
from cli.suite import is_up
from cli.train import run_training
from libs.artifacts.bundle import BundleStore
from libs.domain.event import DAY_MS
from libs.domain.identifiers import DEFAULT_TENANT
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from training.config import TrainingConfig
from training.judge import Judged

LIMIT: Final = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Evaluation:
    """The answer to a Question; `served_equal` counts equal lists where services were asked."""

    question: Question
    bundle_version: str
    trained_until_ms: int
    profile_count: int
    judged: tuple[Judged, ...]
    served_equal: int | None
    served_count: int | None


def default_at_ms(settings: SuiteSettings, horizon_ms: int) -> int:
    """The midnight (UTC) that ends the recorded events, less the horizon."""
    newest_ms = newest_event_ms(settings)
    if newest_ms == 0:
        raise StartFault("no events are recorded; `reprise simulate` makes some")
    return max(0, (newest_ms + DAY_MS) // DAY_MS * DAY_MS - horizon_ms)


def evaluate(
    settings: SuiteSettings, question: Question, output: Output, *, is_served: bool
) -> Evaluation:
    """Rank for every profile that did something relevant within the horizon, and judge."""
    if is_served and not is_up(settings):
        raise StartFault("--served asks the running services: start them with `reprise up`")
    bundle = bundle_before(settings, question.at_ms, output, is_served=is_served)
    offline = OfflineSuite(settings, DEFAULT_TENANT, bundle)
    columns = offline.log.columns(DEFAULT_TENANT, question.cut.end_ms)
    exam = Exam(question, offline.shelf.columns, columns, offline.log.profiles(DEFAULT_TENANT))
    profile_ids = exam.profile_ids
    if not profile_ids:
        raise StartFault(
            f"nobody{_who(question)} did anything relevant in the"
            f" {question.horizon_ms / DAY_MS:g} days after {moment_text(question.at_ms)}:"
            " nothing can be judged"
        )
    with output.progress() as progress:
        task = progress.add_task("ranking offline", total=len(profile_ids))
        answers = offline.lists(
            profile_ids,
            at_ms=question.at_ms,
            limit=LIMIT,
            on_done=lambda: progress.advance(task),
        )
    offline_ids = {profile_id: answer.title_ids for profile_id, answer in answers.items()}
    row_of = bundle.retrieval.row_of
    lists: dict[str, Lists] = {
        "reprise": {
            profile_id: np.array([row_of[title_id] for title_id in title_ids], np.int32)
            for profile_id, title_ids in offline_ids.items()
        }
    }
    world = remembered_world(settings)
    if world is not None:
        lists["oracle (simulated)"] = exam.oracle(world)
    equal = None
    if is_served:
        served = served_lists(settings, profile_ids, question.at_ms, LIMIT, output)
        equal = sum(served[one] == offline_ids[one] for one in profile_ids)
    return Evaluation(
        question=question,
        bundle_version=bundle.retrieval.version,
        trained_until_ms=bundle.retrieval.trained_until_ms,
        profile_count=len(profile_ids),
        judged=exam.judged(lists),
        served_equal=equal,
        served_count=len(profile_ids) if is_served else None,
    )


def show(evaluation: Evaluation, output: Output) -> None:
    """Show the figures with their intervals."""
    question = evaluation.question
    table = judged_table(
        evaluation.judged,
        title=f"Lists of {moment_text(question.at_ms)} against the"
        f" {question.horizon_ms / DAY_MS:g} days after it"
        f" ({evaluation.profile_count:,} profiles{_who(question)})",
    )
    output.result(dataclasses.asdict(evaluation), table)
    if output.as_json:
        return
    output.say(
        f"[dim]bundle {evaluation.bundle_version}, trained until"
        f" {moment_text(evaluation.trained_until_ms)}; binary relevance over all titles new to"
        f" the profile; {INTERVALS}[/]"
    )
    if evaluation.served_count is not None:
        output.say(
            f"Served lists equal to the offline ones: {evaluation.served_equal:,}"
            f" of {evaluation.served_count:,}"
        )


def _who(question: Question) -> str:
    return f" that knew {question.least_known} titles or more" if question.least_known else ""


def bundle_before(
    settings: SuiteSettings, at_ms: int, output: Output, *, is_served: bool = False
) -> Bundle:
    """The published bundle if it has seen nothing after `at_ms`, or else one made for this."""
    bundle = current_bundle(settings)
    if bundle.retrieval.trained_until_ms <= at_ms + 1:
        return bundle
    seen = moment_text(bundle.retrieval.trained_until_ms)
    if is_served:
        raise StartFault(
            f"the served bundle has seen events until {seen}; first train one until"
            f" {moment_text(at_ms)}, or ask for a later --at"
        )
    output.say(f"The published bundle has seen events until {seen}: training one that has not.")
    bundles = settings.home / "evaluation" / "bundles"
    config = TrainingConfig.of_home(
        settings.home, until_ms=at_ms + 1, log_server=settings.log_server
    )
    run_training(dataclasses.replace(config, bundles=bundles), output)
    made = read_bundle(BundleStore(bundles))
    if made is None:
        raise StartFault(f"training has published nothing in {bundles}")
    return made
