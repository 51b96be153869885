"""Between the messages of RecapService and the core's values."""

from collections.abc import Sequence
from typing import Final

from libs.domain.identifiers import check_id, check_word
from libs.faults import BatchTooLarge, InvalidField
from libs.serving.decision_codec import part_messages
from libs.serving.decoding import page_size, time_ms, timestamp
from libs.storage.recap.recap_table import RecapRow, RecapRun
from reprise.recap.v1 import recap_pb2
from services.recap.year.cohort import Cohorts
from services.recap.year.fact import Card, Fact, FactKind, Level, Problem
from services.recap.year.period import LIFETIME, Period
from services.recap.year.person import SharedPerson
from services.recap.year.recap import Recap
from services.recap.year.recaps import RecapAnswer, RecapQuery

_MOST_NEXT: Final = 50
_MOST_ROWS: Final = 1_000

_LEVELS: Final = {
    Level.FULL: recap_pb2.RECAP_LEVEL_FULL,
    Level.LITE: recap_pb2.RECAP_LEVEL_LITE,
    Level.NONE: recap_pb2.RECAP_LEVEL_NONE,
}
_PROBLEMS: Final = {
    None: recap_pb2.NO_RECAP_REASON_UNSPECIFIED,
    Problem.NO_PLAYS: recap_pb2.NO_RECAP_REASON_NO_PLAYS,
    Problem.UNKNOWN_PROFILE: recap_pb2.NO_RECAP_REASON_UNKNOWN_PROFILE,
    Problem.NOT_PERSONALIZED: recap_pb2.NO_RECAP_REASON_NOT_PERSONALIZED,
    Problem.FACTS_DISAGREE: recap_pb2.NO_RECAP_REASON_FACTS_DISAGREE,
    Problem.COMPACTED: recap_pb2.NO_RECAP_REASON_COMPACTED,
}


def query(request: recap_pb2.GetRecapRequest, tenant: str, *, now_ms: int) -> RecapQuery:
    """The question; raises InvalidField."""
    return RecapQuery(
        tenant=tenant,
        profile_id=check_id("profile_id", request.profile_id),
        period=_period(request.period),
        person_id=check_id("person_id", request.person_id) if request.person_id else "",
        language=check_word("language", request.language, 35),
        next_limit=page_size(request.next_limit, "next_limit", default=0, most=_MOST_NEXT),
        now_ms=now_ms,
    )


def _period(message: recap_pb2.Period) -> Period:
    which = message.WhichOneof("span")
    if which == "year":
        return Period.of_year(message.year)
    if which == "range":
        return Period.of_dates(message.range.first_date, message.range.last_date)
    if which == "lifetime" and message.lifetime:
        return LIFETIME
    raise InvalidField("period", "must name a year, a range or lifetime")


def answer_message(answer: RecapAnswer) -> recap_pb2.GetRecapResponse:
    """The message of an answer."""
    return recap_pb2.GetRecapResponse(
        level=_LEVELS[answer.level],
        problem=_PROBLEMS[answer.problem],
        cards=[_card(card) for card in answer.cards],
        people=[_person(person) for person in answer.people],
        run_id=answer.run_id,
        cutoff_time=timestamp(answer.cutoff_ms) if answer.cutoff_ms else None,
        is_precomputed=answer.is_precomputed,
        next_title_ids=answer.next_title_ids,
        next_page_id=answer.next_page_id,
        degraded=part_messages(answer.degraded),
        first_date=answer.first_date,
        last_date=answer.last_date,
    )


def _person(person: SharedPerson) -> recap_pb2.SharedPerson:
    return recap_pb2.SharedPerson(
        person_id=person.person_id,
        description=person.description,
        share_ratio=person.share_ratio,
        is_kids=person.is_kids,
    )


def _card(card: Card) -> recap_pb2.Card:
    return recap_pb2.Card(
        card_id=card.card_id,
        headline=card.headline,
        text=card.text,
        facts=[_fact(fact) for fact in card.facts],
        title_ids=card.title_ids,
        is_shareable=card.is_shareable,
    )


def _fact(fact: Fact) -> recap_pb2.Fact:
    message = recap_pb2.Fact(fact_id=fact.fact_id, unit=fact.unit, query=fact.query)
    if isinstance(fact.value, int):
        message.number = fact.value
    elif fact.kind is FactKind.TITLE:
        message.title_id = fact.value
    elif fact.kind is FactKind.DATE:
        message.date = fact.value
    else:
        message.text = fact.value
    return message


def run(first: recap_pb2.RecordRecapsRequest) -> RecapRun:
    """The run that the first message of a call names; raises InvalidField."""
    if not first.HasField("cutoff_time"):
        raise InvalidField("cutoff_time", "must be given")
    try:
        Cohorts.of_json(first.cohorts_json)
    except ValueError as error:
        raise InvalidField("cohorts_json", str(error)) from None
    return RecapRun(
        run_id=check_id("run_id", first.run_id),
        period=Period.of_key(first.period).key,
        cutoff_ms=time_ms(first.cutoff_time, "cutoff_time"),
        cohorts_json=first.cohorts_json,
    )


def rows(messages: Sequence[recap_pb2.RecapRow]) -> list[RecapRow]:
    """The rows of one message; raises InvalidField or BatchTooLarge."""
    if len(messages) > _MOST_ROWS:
        raise BatchTooLarge("rows", most=_MOST_ROWS, given=len(messages))
    return [_row(message, f"rows[{place}]") for place, message in enumerate(messages)]


def _row(message: recap_pb2.RecapRow, field: str) -> RecapRow:
    try:
        profile_id = check_id("profile_id", message.profile_id)
        person_id = check_id("person_id", message.person_id) if message.person_id else ""
        Recap.of_json(message.stories_json)
    except InvalidField as fault:
        raise fault.within(field) from None
    except ValueError as error:
        raise InvalidField(f"{field}.stories_json", str(error)) from None
    return RecapRow(profile_id, person_id, message.stories_json)
