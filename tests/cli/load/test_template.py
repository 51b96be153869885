"""Placeholders become what they say; what is no placeholder is refused before anything is sent."""

import datetime as dt
import random
import uuid

import pytest

from cli.load.template import Moment, parse_template
from libs.faults import StartFault

NOW = dt.datetime(2026, 11, 1, 20, 0, tzinfo=dt.UTC)


def render(text: str, number: int = 7, seed: int = 1) -> str:
    return parse_template(text).render(Moment(number, NOW, random.Random(seed)))


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("p{{.RequestNumber}}", "p7"),
        ("{{ .RequestNumber }}{{.RequestNumber}}", "77"),
        ("{{.Timestamp}}", "2026-11-01T20:00:00+00:00"),
        ("{{.TimestampUnix}}", "1793563200"),
        ("{{.TimestampUnixMilli}}", "1793563200000"),
        ("{{randomInt 5 6}}", "5"),
        ("nothing", "nothing"),
        ('{"a":{"b":{}}}', '{"a":{"b":{}}}'),
    ],
)
def test_a_placeholder_becomes_its_value(text: str, rendered: str) -> None:
    assert render(text) == rendered


def test_random_values_follow_the_seed_but_ids_never_repeat() -> None:
    text = "{{randomInt}} {{randomInt 0 1000}} {{randomString 12}}"
    assert render(text, seed=1) == render(text, seed=1) != render(text, seed=2)
    assert len(render("{{randomString 12}}")) == 12
    first, second = render("{{uuid}}"), render("{{newUUID}}")
    assert uuid.UUID(first) != uuid.UUID(second)


@pytest.mark.parametrize(
    "text", ["{{nothing}}", "{{}}", "{{randomInt 5 5}}", "{{randomInt x}}", "{{randomString 0}}"]
)
def test_an_unknown_placeholder_is_refused(text: str) -> None:
    with pytest.raises(StartFault, match="no placeholder"):
        parse_template(text)


def test_only_text_without_placeholders_is_constant() -> None:
    assert parse_template("{}").is_constant
    assert not parse_template('{"n": {{.RequestNumber}}}').is_constant
