"""Cards: verified facts as a person reads them, without a number that is not a fact."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.recap.year.fact import TOLD_STORIES, Card, Fact, FactKind, Level, Value, fact
from services.recap.year.recap import EMPTY, Recap
from services.recap.year.texts import Words

# There is more to say of few plays than to compare.
_LITE_STORIES: Final = frozenset({"minutes", "titles", "edges"})
# Times and places are the viewer's own.
_PRIVATE_STORIES: Final = frozenset({"edges", "throwbacks", "country"})
_LISTS: Final = frozenset({"titles", "genres", "people", "series", "discoveries", "throwbacks"})
# In the order to show them: a day is told once, for the first of its reasons.
_REASONS: Final[Mapping[str, str]] = {
    "longest": "minutes",
    "widest": "titles",
    "devoted": "episodes",
    "comeback": "away_days",
    "streak": "days",
}
_LEAST_NIGHT_PERCENT: Final = 1
_PLACEHOLDER: Final = re.compile(r"\{([a-z0-9_.]+)\}")


@dataclass(frozen=True, slots=True)
class _Untold(Exception):
    """A template names what is not there; the card is not told."""

    name: str


def cards(
    recap: Recap,
    names: Mapping[str, str],
    words: Words,
    person_id: str = "",
    again: Mapping[str, str] | None = None,
) -> tuple[Card, ...]:
    """The cards of a recap in the order to show them; `names` is by title id.

    What has no name there is not told of, and a card that is about it is left out; so is what is
    to be watched again and not in `again` (None: all that has a name).
    """
    level, _ = recap.level()
    if level is Level.NONE:
        return ()
    told = [name for name in TOLD_STORIES if level is Level.FULL or name in _LITE_STORIES]
    found = (
        _card(
            name,
            recap.stories.get(name) or EMPTY,
            names if again is None or name != "throwbacks" else again,
            words,
            person_id,
        )
        for name in told
    )
    return tuple(card for card in found if card is not None)


def _card(
    story: str,
    values: Mapping[str, Value],
    names: Mapping[str, str],
    words: Words,
    person_id: str,
) -> Card | None:
    if story == "days":
        values = _days_once(values)
    if not _is_worth_telling(story, values):
        return None
    facts = _told(
        [fact(story, fact_id, value, person_id) for fact_id, value in sorted(values.items())], names
    )
    shown = {one.fact_id: _shown(one, names) for one in facts}
    shown |= _extra(story, shown, words)
    try:
        headline = _filled(words.headlines[story], shown)
        text = _filled(words.texts[story], shown)
    except _Untold:
        return None
    titles = [str(one.value) for one in facts if one.kind is FactKind.TITLE]
    return Card(
        story, headline, text, facts, tuple(dict.fromkeys(titles)), story not in _PRIVATE_STORIES
    )


def _told(facts: list[Fact], names: Mapping[str, str]) -> tuple[Fact, ...]:
    """But for titles without a name, and for what is said of them."""
    unnamed = [f"{one.fact_id}." for one in facts if _is_unnamed(one, names)]
    return tuple(one for one in facts if not f"{one.fact_id}.".startswith(tuple(unnamed)))


def _is_unnamed(one: Fact, names: Mapping[str, str]) -> bool:
    return one.kind is FactKind.TITLE and one.value not in names


def _is_worth_telling(story: str, values: Mapping[str, Value]) -> bool:
    if story == "night":
        percent = values.get("night.percent", 0)
        return isinstance(percent, int) and percent >= _LEAST_NIGHT_PERCENT
    if story == "release":
        return values.get("release.oldest") != values.get("release.newest")
    return bool(values)


def _days_once(values: Mapping[str, Value]) -> dict[str, Value]:
    kept: dict[str, Value] = {}
    dates: set[Value] = set()
    for reason in _REASONS:
        name = f"days.{reason}"
        if name not in values or values[name] in dates:
            continue
        dates.add(values[name])
        of_reason = (key for key in values if key == name or key.startswith(f"{name}."))
        kept |= {key: values[key] for key in of_reason}
    return kept


def _shown(one: Fact, names: Mapping[str, str]) -> str:
    return names[str(one.value)] if one.kind is FactKind.TITLE else str(one.value)


def _extra(story: str, shown: Mapping[str, str], words: Words) -> dict[str, str]:
    if story in _LISTS:
        lines = list(_items(story, shown, words))
    elif story == "days":
        lines = list(_day_lines(shown, words))
    elif story == "archetype":
        named = {
            "name": words.archetypes.get(shown.get("archetype.name", "")),
            "first": words.axes.get(shown.get("archetype.first", "")),
            "second": words.axes.get(shown.get("archetype.second", "")),
        }
        return {name: word for name, word in named.items() if word is not None}
    elif story == "country":
        return {"own_genre": _filled(words.own_genre, shown) if "country.genre" in shown else ""}
    else:
        return {}
    return {"items": "\n".join(lines)} if lines else {}


def _items(story: str, shown: Mapping[str, str], words: Words) -> Iterator[str]:
    for place in range(1, 10):
        name = shown.get(f"{story}.{place}")
        minutes = shown.get(f"{story}.{place}.minutes")
        if name is not None:
            yield (
                name if minutes is None else _filled(words.item, {"name": name, "minutes": minutes})
            )


def _day_lines(shown: Mapping[str, str], words: Words) -> Iterator[str]:
    for reason, number in _REASONS.items():
        values = {
            "date": shown.get(f"days.{reason}"),
            "number": shown.get(f"days.{reason}.{number}"),
            "series": shown.get(f"days.{reason}.series"),
        }
        template = words.reasons[reason]
        known = {name: value for name, value in values.items() if value is not None}
        if all(name in known for name in _PLACEHOLDER.findall(template)):
            yield _filled(template, known)


def _filled(template: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        try:
            return values[found[1]]
        except KeyError:
            raise _Untold(found[1]) from None

    return _PLACEHOLDER.sub(value, template)
