"""Between the catalogue's messages and the domain's titles."""

import calendar
import datetime as dt
from collections.abc import Sequence
from typing import Final

from libs.domain.identifiers import MAX_ID_LENGTH, check_country, check_id, check_text
from libs.domain.title import LicenceWindow, Person, Title, TitleKind
from libs.faults import InvalidField
from libs.serving.decoding import enum_value, time_ms, timestamp
from reprise.candidates.v1 import candidates_pb2

_EPOCH: Final = dt.date(1970, 1, 1)
_DAY_S: Final = 86_400


def title(message: candidates_pb2.Title) -> Title:
    """The domain's value; raises InvalidField naming the field of the message."""
    return Title(
        title_id=message.title_id,
        kind=_kind(message.kind),
        name=message.name,
        synopsis=message.synopsis,
        parent_id=message.parent_id,
        season_number=message.season_number,
        episode_number=message.episode_number,
        duration_ms=message.duration_ms,
        release_date=_release_date(message),
        language=message.language,
        country=message.country,
        people=tuple(_person(person, i) for i, person in enumerate(message.people)),
        maturity_years=message.maturity_years,
        genres=tuple(message.genres),
        tags=tuple(message.tags),
        licence_windows=tuple(_window(w, i) for i, w in enumerate(message.licence_windows)),
    )


def titles(messages: Sequence[candidates_pb2.Title], field: str) -> list[Title]:
    """All of them; an InvalidField names the place, such as "titles[3].name"."""
    decoded = []
    for place, message in enumerate(messages):
        try:
            decoded.append(title(message))
        except InvalidField as fault:
            raise fault.within(f"{field}[{place}]") from None
    return decoded


def title_message(value: Title) -> candidates_pb2.Title:
    """The message of the domain's value."""
    released = value.release_date
    return candidates_pb2.Title(
        title_id=value.title_id,
        kind=candidates_pb2.TitleKind.ValueType(value.kind),
        name=value.name,
        synopsis=value.synopsis,
        parent_id=value.parent_id,
        season_number=value.season_number,
        episode_number=value.episode_number,
        duration_ms=value.duration_ms,
        release_time=timestamp(release_ms(released)) if released else None,
        language=value.language,
        country=value.country,
        people=[candidates_pb2.Person(name=who.name, role=who.role) for who in value.people],
        maturity_years=value.maturity_years,
        genres=value.genres,
        tags=value.tags,
        licence_windows=[_window_message(window) for window in value.licence_windows],
    )


def release_ms(date: dt.date) -> int:
    """The first moment of a day, Unix milliseconds UTC."""
    return calendar.timegm(date.timetuple()) * 1000


def _kind(number: int) -> TitleKind:
    if number == candidates_pb2.TITLE_KIND_UNSPECIFIED:
        raise InvalidField("kind", "must be given")
    return enum_value(TitleKind, number, "kind")


def _release_date(message: candidates_pb2.Title) -> dt.date | None:
    # Films are older than 1970, so this is the one time that may be before.
    if not message.HasField("release_time"):
        return None
    try:
        return _EPOCH + dt.timedelta(days=message.release_time.seconds // _DAY_S)
    except OverflowError:
        raise InvalidField("release_time", "must be a time from year 1 to 9999") from None


def _person(message: candidates_pb2.Person, place: int) -> Person:
    field = f"people[{place}]"
    return Person(
        check_id(f"{field}.name", message.name),
        check_text(f"{field}.role", message.role, MAX_ID_LENGTH),
    )


def _window(message: candidates_pb2.LicenceWindow, place: int) -> LicenceWindow:
    field = f"licence_windows[{place}]"
    start_ms = time_ms(message.start_time, f"{field}.start_time")
    end_ms = time_ms(message.end_time, f"{field}.end_time")
    if message.HasField("end_time") and end_ms <= start_ms:
        raise InvalidField(f"{field}.end_time", "must be after start_time")
    check_country(f"{field}.country", message.country)
    return LicenceWindow(message.country, start_ms, end_ms)


def _window_message(window: LicenceWindow) -> candidates_pb2.LicenceWindow:
    return candidates_pb2.LicenceWindow(
        country=window.country,
        start_time=timestamp(window.start_ms) if window.start_ms else None,
        end_time=timestamp(window.end_ms) if window.end_ms else None,
    )
