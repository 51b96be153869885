import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from libs.telemetry.logs import configure_logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_line_is_one_json_object_with_service_level_and_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("candidates", is_terminal=False)
    structlog.get_logger().info("loaded", version="v1")
    line = json.loads(capsys.readouterr().out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "loaded", "level": "info", "service": "candidates", "version": "v1"}


def test_a_trace_is_part_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("candidates", is_terminal=False)
    structlog.get_logger().error("broken", exc_info=ZeroDivisionError("by nothing"))
    [text] = capsys.readouterr().out.splitlines()
    assert "ZeroDivisionError: by nothing" in json.loads(text)["exception"]


def test_other_libraries_speak_in_the_same_form_from_warnings_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("candidates", is_terminal=False)
    logging.getLogger("grpc").info("chatter")
    logging.getLogger("grpc").warning("late by %d ms", 5)
    [text] = capsys.readouterr().out.splitlines()
    assert json.loads(text)["event"] == "late by 5 ms"
