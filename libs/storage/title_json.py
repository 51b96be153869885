"""Titles as the JSON text in which the catalogue keeps them."""

import datetime as dt
import json
from typing import Any

from libs.domain.title import LicenceWindow, Person, Title, TitleKind


def encode_title(title: Title) -> str:
    """The text of a title, without the fields that are empty."""
    released = title.release_date
    fields: dict[str, Any] = {
        "title_id": title.title_id,
        "kind": int(title.kind),
        "name": title.name,
        "synopsis": title.synopsis,
        "parent_id": title.parent_id,
        "season_number": title.season_number,
        "episode_number": title.episode_number,
        "duration_ms": title.duration_ms,
        "release_date": released.isoformat() if released else "",
        "language": title.language,
        "country": title.country,
        "people": [[person.name, person.role] for person in title.people],
        "maturity_years": title.maturity_years,
        "genres": title.genres,
        "tags": title.tags,
        "licence_windows": [
            [window.country, window.start_ms, window.end_ms] for window in title.licence_windows
        ],
    }
    return json.dumps({name: value for name, value in fields.items() if value}, ensure_ascii=False)


def decode_title(text: str) -> Title:
    """The title of a text."""
    fields = json.loads(text)
    released = fields.get("release_date")
    return Title(
        title_id=fields["title_id"],
        kind=TitleKind(fields["kind"]),
        name=fields["name"],
        synopsis=fields.get("synopsis", ""),
        parent_id=fields.get("parent_id", ""),
        season_number=fields.get("season_number", 0),
        episode_number=fields.get("episode_number", 0),
        duration_ms=fields.get("duration_ms", 0),
        release_date=dt.date.fromisoformat(released) if released else None,
        language=fields.get("language", ""),
        country=fields.get("country", ""),
        people=tuple(Person(name, role) for name, role in fields.get("people", ())),
        maturity_years=fields.get("maturity_years", 0),
        genres=tuple(fields.get("genres", ())),
        tags=tuple(fields.get("tags", ())),
        licence_windows=tuple(
            LicenceWindow(country, start_ms, end_ms)
            for country, start_ms, end_ms in fields.get("licence_windows", ())
        ),
    )
