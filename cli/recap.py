"""`reprise recap`: the cards of one profile, as the recap service tells them."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from cli.calling import open_channel
from cli.console import Output
from cli.moments import moment_text
from cli.title_names import NO_NAMES, TitleNames, title_names
from libs.faults import StartFault
from libs.serving.clock import now_ms
from libs.serving.decoding import time_ms
from libs.serving.settings import SuiteSettings
from reprise.common.v1 import purpose_pb2
from reprise.recap.v1 import recap_pb2, recap_pb2_grpc

CALL_S: Final = 20.0

_PROBLEMS: Final = {
    recap_pb2.NO_RECAP_REASON_NO_PLAYS: "nothing was played in that time",
    recap_pb2.NO_RECAP_REASON_UNKNOWN_PROFILE: "nobody of that id was ever seen",
    recap_pb2.NO_RECAP_REASON_NOT_PERSONALIZED: "the profile does not allow it",
    recap_pb2.NO_RECAP_REASON_FACTS_DISAGREE: "its facts did not survive verification",
    recap_pb2.NO_RECAP_REASON_COMPACTED: "who watched what is no longer known of all that time",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One question for `recap`; without a year, dates or lifetime it is this year."""

    profile_id: str
    year: int | None = None
    is_lifetime: bool = False
    first_date: str = ""
    last_date: str = ""
    person_id: str = ""
    language: str = ""
    next_limit: int = 5

    def message(self) -> recap_pb2.GetRecapRequest:
        """The request of the contract; raises StartFault for two periods at once."""
        return recap_pb2.GetRecapRequest(
            profile_id=self.profile_id,
            period=self._period(),
            person_id=self.person_id,
            language=self.language,
            next_limit=self.next_limit,
        )

    def _period(self) -> recap_pb2.Period:
        has_dates = bool(self.first_date or self.last_date)
        if (self.year is not None) + self.is_lifetime + has_dates > 1:
            raise StartFault("name one of --year, --lifetime and --from with --to")
        if self.is_lifetime:
            return recap_pb2.Period(lifetime=True)
        if has_dates:
            return recap_pb2.Period(
                range=recap_pb2.DateRange(first_date=self.first_date, last_date=self.last_date)
            )
        this_year = dt.datetime.fromtimestamp(now_ms() / 1000, dt.UTC).year
        return recap_pb2.Period(year=this_year if self.year is None else self.year)


def recap(settings: SuiteSettings, ask: Ask, output: Output) -> recap_pb2.GetRecapResponse:
    """Ask the running service, and show the cards."""
    message = ask.message()
    with open_channel(settings, "recap") as channel:
        answer: recap_pb2.GetRecapResponse = recap_pb2_grpc.RecapServiceStub(channel).GetRecap(
            message, timeout=CALL_S
        )
    show(ask, answer, output, title_names(settings, answer.next_title_ids))
    return answer


def show(
    ask: Ask,
    answer: recap_pb2.GetRecapResponse,
    output: Output,
    names: TitleNames = NO_NAMES,
) -> None:
    """Show the cards, or the people to choose from."""
    output.result(_value(ask, answer), _table(ask, answer, names))
    if not output.as_json:
        output.say(f"[dim]{_footer(answer)}[/]")


def _value(ask: Ask, answer: recap_pb2.GetRecapResponse) -> dict[str, Any]:
    return {
        "profile_id": ask.profile_id,
        "level": recap_pb2.RecapLevel.Name(answer.level).removeprefix("RECAP_LEVEL_"),
        "problem": recap_pb2.NoRecapReason.Name(answer.problem).removeprefix("NO_RECAP_REASON_")
        if answer.problem
        else None,
        "first_date": answer.first_date,
        "last_date": answer.last_date,
        "run_id": answer.run_id,
        "is_precomputed": answer.is_precomputed,
        "cards": [
            {
                "card_id": card.card_id,
                "headline": card.headline,
                "text": card.text,
                "title_ids": list(card.title_ids),
                "is_shareable": card.is_shareable,
                "facts": [
                    {
                        "fact_id": fact.fact_id,
                        "value": getattr(fact, fact.WhichOneof("value") or "text"),
                        "unit": fact.unit,
                        "query": fact.query,
                    }
                    for fact in card.facts
                ],
            }
            for card in answer.cards
        ],
        "people": [
            {
                "person_id": person.person_id,
                "description": person.description,
                "share_ratio": person.share_ratio,
                "is_kids": person.is_kids,
            }
            for person in answer.people
        ],
        "next_title_ids": list(answer.next_title_ids),
        "degraded": _missing(answer),
    }


def _table(ask: Ask, answer: recap_pb2.GetRecapResponse, names: TitleNames) -> Table:
    if answer.people:
        return _question(ask, answer)
    days = f" ({answer.first_date} to {answer.last_date})" if answer.first_date else ""
    table = Table(title=f"{escape(ask.profile_id)}{days}", show_header=False, show_lines=True)
    table.add_column(style="bold")
    table.add_column()
    for card in answer.cards:
        table.add_row(escape(card.headline), escape(card.text))
    if answer.level == recap_pb2.RECAP_LEVEL_NONE:
        table.add_row("No recap", _problem(ask, answer))
    if answer.next_title_ids:
        table.add_row("Next from here", escape("\n".join(map(names.of, answer.next_title_ids))))
    return table


def _problem(ask: Ask, answer: recap_pb2.GetRecapResponse) -> str:
    known = _PROBLEMS.get(answer.problem, "for no reason that is known here")
    is_quiet = answer.problem == recap_pb2.NO_RECAP_REASON_NO_PLAYS and not ask.is_lifetime
    return f"{known}; --lifetime tells of all of it" if is_quiet else known


def _question(ask: Ask, answer: recap_pb2.GetRecapResponse) -> Table:
    table = Table(title=f"{escape(ask.profile_id)}: which is you?")
    table.add_column("--person", style="bold")
    table.add_column("who")
    table.add_column("of the minutes", justify="right")
    for person in answer.people:
        table.add_row(
            escape(person.person_id), escape(person.description), f"{person.share_ratio:.0%}"
        )
    return table


def _footer(answer: recap_pb2.GetRecapResponse) -> str:
    level = recap_pb2.RecapLevel.Name(answer.level).removeprefix("RECAP_LEVEL_").lower()
    made = f"of run {answer.run_id}" if answer.is_precomputed else "counted now"
    until = (
        f", up to {moment_text(time_ms(answer.cutoff_time, 'cutoff_time'))}"
        if answer.HasField("cutoff_time")
        else ""
    )
    without = f", without {' and '.join(_missing(answer))}" if answer.degraded else ""
    return f"{level}, {made}{until}, every number verified{without}"


def _missing(answer: recap_pb2.GetRecapResponse) -> list[str]:
    return [purpose_pb2.Part.Name(part).removeprefix("PART_") for part in answer.degraded]
