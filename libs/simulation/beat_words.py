"""The words of invented stories."""

from typing import Final

# What can happen: a and b are full names, phrase is the theme of the episode.
BEAT_SENTENCES: Final = {
    "meet": (
        "In {place} we meet {a}, {hero}.",
        "{a}, {hero}, comes to {place}.",
        "Nobody in {place} expected {a}, {hero}.",
    ),
    "alone": (
        "{a} {conflict}.",
        "{a} looks for {phrase}.",
        "{a} cannot forget {phrase}.",
    ),
    "together": (
        "{a} and {b} face {phrase}.",
        "{a} tells {b} about {phrase}.",
        "{a} saves {b} from {phrase}.",
    ),
    "reveal": (
        "{a} turns out to be the {kind} of {b}.",
        "A letter proves that {a} is the {kind} of {b}.",
    ),
    "turn": (
        "{a} turns against {b} over {phrase}.",
        "{a} betrays {b}, and all because of {phrase}.",
    ),
    "lose": (
        "{a} does not survive {phrase}.",
        "{a} leaves for good after {phrase}.",
    ),
    "hint": (
        "At the end {a} hears of {phrase}.",
        "In the last moment {a} sees a sign of {phrase}.",
    ),
}
RELATIONS: Final = (
    "sister", "brother", "mother", "father", "teacher", "partner", "rival", "friend", "heir",
)  # fmt: skip
