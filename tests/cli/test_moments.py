import pytest
import typer

from cli.moments import moment_text, parse_moment


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("0", 0),
        ("978131551", 978_131_551_000),
        ("2026-11-21", 1_795_219_200_000),
        ("2026-11-21T20:00:00Z", 1_795_291_200_000),
        ("2026-11-21T21:00:00+01:00", 1_795_291_200_000),
        ("2026-11-21T20:00:00", 1_795_291_200_000),
    ],
)
def test_reads_times_as_people_type_them(text: str, at_ms: int) -> None:
    assert parse_moment(text) == at_ms


@pytest.mark.parametrize("text", ["", "yesterday", "-5", "2026-13-01", "999999999999"])
def test_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_moment(text)


def test_writes_the_time_in_utc() -> None:
    assert moment_text(1_795_291_200_000) == "2026-11-21 20:00:00 UTC"
