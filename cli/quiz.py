"""`reprise quiz`: play the mood quiz, or a curated pack, in the terminal."""

import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from cli.calling import open_channel
from cli.console import Output
from cli.recommend import DeviceName, titles_by_id
from cli.share import Wanted, write_quiz_images
from libs.faults import StartFault
from libs.serving.settings import SuiteSettings
from reprise.candidates.v1 import candidates_pb2
from reprise.common.v1 import purpose_pb2, viewing_pb2
from reprise.recap.v1 import quiz_pb2, quiz_pb2_grpc

CALL_S: Final = 10.0
SHOWN_TITLES: Final = 10

_DONT_CARE: Final = "dont_care"
_SKIP: Final = "skip"
# What people type beside the number of an option.
_WORDS: Final = {"0": _DONT_CARE, "-": _DONT_CARE, "q": _SKIP}

_STOPS: Final = {
    quiz_pb2.STOP_REASON_SURE: "the ten likeliest titles hold half of the belief",
    quiz_pb2.STOP_REASON_NO_GAIN: "no other question would tell enough",
    quiz_pb2.STOP_REASON_ENOUGH: "that was as much as a quiz may ask",
    quiz_pb2.STOP_REASON_SKIPPED: "you had enough",
}

Titles = dict[str, candidates_pb2.Title]


@dataclass(frozen=True, slots=True)
class Ask:
    """Whom the quiz is for and how it is played; `answers` None asks the person at the keyboard."""

    profile_id: str = ""
    pack_id: str = ""
    quiz_id: str = ""
    device: DeviceName = DeviceName.UNSPECIFIED
    explain: bool = False
    answers: tuple[str, ...] | None = None


@dataclass(slots=True)
class Played:
    """A quiz that is over: questions, answers, beliefs before each question, and the result."""

    quiz_id: str
    questions: list[quiz_pb2.Question] = field(default_factory=list)
    option_ids: list[str] = field(default_factory=list)
    beliefs: list[quiz_pb2.Belief] = field(default_factory=list)
    result: quiz_pb2.QuizResult = field(default_factory=quiz_pb2.QuizResult)


Choose = Callable[[int, quiz_pb2.Question], str]


def quiz(settings: SuiteSettings, ask: Ask, output: Output, images: Wanted | None = None) -> None:
    """Play a quiz with the running services and show its slate; `images` of it to share.

    Raises StartFault, before anything is asked, where there would be nothing to share.
    """
    if images is not None and not (ask.profile_id and ask.pack_id):
        raise StartFault("--out needs --profile and --pack: nothing else is kept to be shared")
    if ask.answers is None and (output.as_json or not sys.stdin.isatty()):
        raise StartFault("nobody is at the keyboard: give --answers, such as --answers 1,2,0,q")
    played = Played(ask.quiz_id or uuid.uuid4().hex)
    known: Titles = {}

    def note(belief: quiz_pb2.Belief) -> None:
        played.beliefs.append(belief)
        if ask.explain:
            missing = [one for one in belief.top_title_ids if one not in known]
            known.update(titles_by_id(settings, missing))
            output.say(_belief_text(belief, known))

    def choose(number: int, question: quiz_pb2.Question) -> str:
        output.say(_question_text(number, question))
        if ask.answers is None:
            return _typed(question, output)
        given = ask.answers[number] if number < len(ask.answers) else "0"
        option_id = option_of(question, given)
        output.say(f"[cyan]> {escape(_option_text(question, option_id))}[/]")
        return option_id

    with open_channel(settings, "recap") as channel:
        play(quiz_pb2_grpc.QuizServiceStub(channel), ask, played, choose, note)
    known.update(titles_by_id(settings, [one.title_id for one in played.result.titles]))
    output.result(_value(ask, played, known), _table(played.result, known))
    if not output.as_json:
        output.say(_footer(ask, played, is_written=images is not None))
    if images is not None:
        write_quiz_images(settings, ask.profile_id, played.quiz_id, images, output)


def play(
    stub: quiz_pb2_grpc.QuizServiceStub,
    ask: Ask,
    played: Played,
    choose: Choose,
    note: Callable[[quiz_pb2.Belief], None],
) -> None:
    """Ask `choose` until the quiz is over; raises grpc.RpcError."""
    step: Any = stub.StartQuiz(
        quiz_pb2.StartQuizRequest(
            quiz_id=played.quiz_id,
            profile_id=ask.profile_id,
            pack_id=ask.pack_id,
            explain=True,
            context=viewing_pb2.ViewingContext(
                device=viewing_pb2.Device.Value(f"DEVICE_{ask.device.name}"),
                surface=viewing_pb2.SURFACE_HOME,
            ),
        ),
        timeout=CALL_S,
    )
    note(step.belief)
    while not step.HasField("result"):
        question = step.question
        option_id = choose(len(played.questions), question)
        played.questions.append(question)
        played.option_ids.append(option_id)
        step = stub.AnswerQuizQuestion(
            quiz_pb2.AnswerQuizQuestionRequest(
                quiz_id=played.quiz_id,
                profile_id=ask.profile_id,
                state=step.state,
                question_id=question.question_id,
                option_id=option_id,
                explain=True,
            ),
            timeout=CALL_S,
        )
        note(step.belief)
    played.result.CopyFrom(step.result)


def option_of(question: quiz_pb2.Question, given: str) -> str:
    """The option that was typed: its number, its id, 0 for "I don't care" or q for enough.

    Raises StartFault for anything else.
    """
    word = given.strip()
    option_ids = [option.option_id for option in question.options]
    if word in _WORDS:
        return _WORDS[word]
    if word in (_DONT_CARE, _SKIP, *option_ids):
        return word
    if word.isascii() and word.isdigit() and 1 <= int(word) <= len(option_ids):
        return option_ids[int(word) - 1]
    raise StartFault(f"{word!r} is no answer: a number up to {len(option_ids)}, 0 or q")


def _typed(question: quiz_pb2.Question, output: Output) -> str:
    while True:
        try:
            given = output.console.input("[cyan]> [/]")
        except EOFError:
            return _SKIP
        try:
            return option_of(question, given)
        except StartFault as fault:
            output.say(f"[yellow]{escape(str(fault))}[/]")


def _question_text(number: int, question: quiz_pb2.Question) -> str:
    lines = ["", f"[bold]{number + 1}. {escape(question.text)}[/]"]
    lines += [f"  {place}  {escape(one.text)}" for place, one in enumerate(question.options, 1)]
    lines.append("[dim]  0  I don't care    q  That is enough[/]")
    return "\n".join(lines)


def _option_text(question: quiz_pb2.Question, option_id: str) -> str:
    texts = {option.option_id: option.text for option in question.options}
    return {_DONT_CARE: "I don't care", _SKIP: "That is enough", **texts}[option_id]


def _belief_text(belief: quiz_pb2.Belief, known: Titles) -> str:
    top = zip(belief.top_title_ids, belief.top_probabilities, strict=True)
    likeliest = ", ".join(f"{_name(one, known)} {share:.1%}" for one, share in list(top)[:3])
    lines = ["", f"[dim]belief: {belief.entropy_bits:.2f} bits; likeliest {likeliest}[/]"]
    if belief.considered:
        weighed = "; ".join(
            f"{one.kind} “{escape(one.text)}” {one.gain_bits:.2f} − {one.cost_bits:.2f}"
            for one in belief.considered[:3]
        )
        lines.append(f"[dim]expected gain − cost of asking, in bits: {weighed}[/]")
    return "\n".join(lines)


def _table(result: quiz_pb2.QuizResult, known: Titles) -> Table:
    table = Table(title="For tonight")
    table.add_column("#", justify="right", style="dim")
    table.add_column("title", style="bold")
    table.add_column("genres")
    table.add_column("belief", justify="right")
    table.add_column("why it fits")
    for place, one in enumerate(result.titles[:SHOWN_TITLES], start=1):
        title = known.get(one.title_id)
        table.add_row(
            str(place),
            _name(one.title_id, known),
            ", ".join(title.genres) if title else "",
            f"{one.probability_ratio:.1%}",
            escape(", ".join(one.reasons)),
        )
    return table


def _footer(ask: Ask, played: Played, *, is_written: bool) -> str:
    result = played.result
    lines = [f"[yellow]could not be kept: {escape(one)}[/]" for one in result.relaxed]
    if not result.titles:
        lines.append("[yellow]No titles: nothing in the catalogue may be shown.[/]")
    if result.degraded:
        lines.append(f"[yellow]degraded: {', '.join(_degraded(result))}[/]")
    if result.HasField("outcome"):
        told = result.outcome
        lines += ["", f"[bold]You are {escape(told.name)}.[/] {escape(told.text)}"]
        lines.append(f"[dim]To share: “I am {escape(told.name)}: {escape(told.text)}”[/]")
        if ask.profile_id and not is_written:
            again = f"--profile {ask.profile_id} --pack {ask.pack_id} --quiz-id {played.quiz_id}"
            lines.append(f"[dim]or as images: reprise quiz {escape(again)} --out DIR[/]")
    page = f"; page {result.page_id}" if result.page_id else "; nobody is named: nothing was kept"
    lines.append(f"[dim]{len(played.questions)} asked: {_STOPS[result.stopped_by]}{page}[/]")
    return "\n".join(lines)


def _value(ask: Ask, played: Played, known: Titles) -> dict[str, Any]:
    result = played.result
    value: dict[str, Any] = {
        "quiz_id": played.quiz_id,
        "profile_id": ask.profile_id,
        "pack_id": ask.pack_id,
        "questions": [
            {
                "question_id": question.question_id,
                "kind": question.kind,
                "text": question.text,
                "options": {one.option_id: one.text for one in question.options},
                "answer": option_id,
            }
            for question, option_id in zip(played.questions, played.option_ids, strict=True)
        ],
        "stopped_by": quiz_pb2.StopReason.Name(result.stopped_by).removeprefix("STOP_REASON_"),
        "page_id": result.page_id,
        "degraded": _degraded(result),
        "relaxed": list(result.relaxed),
        "titles": [
            {
                "title_id": one.title_id,
                "name": known[one.title_id].name if one.title_id in known else None,
                "probability": one.probability_ratio,
                "reasons": list(one.reasons),
            }
            for one in result.titles
        ],
    }
    if result.HasField("outcome"):
        told = result.outcome
        value["outcome"] = {"id": told.outcome_id, "name": told.name, "text": told.text}
    if ask.explain:
        value["beliefs"] = [_belief_value(belief) for belief in played.beliefs]
    return value


def _belief_value(belief: quiz_pb2.Belief) -> dict[str, Any]:
    return {
        "entropy_bits": belief.entropy_bits,
        "top": dict(zip(belief.top_title_ids, belief.top_probabilities, strict=True)),
        "considered": [
            {
                "kind": one.kind,
                "text": one.text,
                "gain_bits": one.gain_bits,
                "cost_bits": one.cost_bits,
            }
            for one in belief.considered
        ],
    }


def _degraded(result: quiz_pb2.QuizResult) -> Sequence[str]:
    return [purpose_pb2.Part.Name(part).removeprefix("PART_") for part in result.degraded]


def _name(title_id: str, known: Titles) -> str:
    return escape(known[title_id].name) if title_id in known else title_id
