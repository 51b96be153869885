"""Data becomes rows, rows become the messages that they say, in turn."""

import dataclasses
import json

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cli.load.method import Method, known_method, split_call
from cli.load.requests import Requests, check_rows, parse_rows
from libs.faults import StartFault


def method(*, is_client_streaming: bool = False) -> Method:
    """A method that takes a Timestamp."""
    known = known_method("a.B/C", Timestamp)
    return dataclasses.replace(known, is_client_streaming=is_client_streaming)


def moments(text: str, count: int) -> list[int]:
    """The seconds of the first requests."""
    requests = Requests(method(), parse_rows(text, method()), seed=1)
    return [Timestamp.FromString(requests.encode(number)[0]).seconds for number in range(count)]


ROWS = ['"1970-01-01T00:00:01Z"', '"1970-01-01T00:00:02Z"', '"1970-01-01T00:00:03Z"']


@pytest.mark.parametrize("text", ["[" + ",".join(ROWS) + "]", "[" + ",\n ".join(ROWS) + "]\n"])
def test_an_array_is_used_row_by_row_and_again(text: str) -> None:
    assert moments(text, 5) == [1, 2, 3, 1, 2]


def test_json_lines_are_rows_of_their_own() -> None:
    assert parse_rows('{"a": 1}\n\n{"b": {{.RequestNumber}}}\n', method()) == (
        ('{"a": 1}',),
        ('{"b": {{.RequestNumber}}}',),
    )


def test_a_template_is_one_row_however_many_lines_it_has() -> None:
    text = '{\n  "a": {{.RequestNumber}}\n}'
    assert parse_rows(text, method()) == ((text,),)


def test_a_template_is_rendered_for_each_request() -> None:
    assert moments('"1970-01-01T00:00:0{{.RequestNumber}}Z"', 4) == [0, 1, 2, 3]


def test_requests_encoded_ahead_are_those_encoded_late() -> None:
    rows = parse_rows('["{{randomInt 1990 2020}}-01-01T00:00:00Z"]', method())
    ahead, late = Requests(method(), rows, seed=3), Requests(method(), rows, seed=3)
    ahead.encode_ahead(range(10))
    assert [ahead.encode(number) for number in range(20)] == [
        late.encode(number) for number in range(20)
    ]


def test_a_client_stream_is_the_whole_array_or_each_array_in_it() -> None:
    stream = method(is_client_streaming=True)
    assert parse_rows(json.dumps([1, 2]), stream) == (("1", "2"),)
    assert parse_rows(json.dumps([[1, 2], [3]]), stream) == (("1", "2"), ("3",))
    assert parse_rows("1", stream) == (("1",),)


def test_the_first_row_that_is_no_request_is_named() -> None:
    rows = parse_rows(json.dumps(["1970-01-01T00:00:01Z", "yesterday"]), method())
    with pytest.raises(StartFault, match=r"row 2 of the data is no google.protobuf.Timestamp"):
        check_rows(method(), rows, seed=1)


@pytest.mark.parametrize("text", ["[]", "", "\n"])
def test_data_without_a_request_is_refused(text: str) -> None:
    with pytest.raises(StartFault):
        check_rows(method(), parse_rows(text, method()), seed=1)


def test_calls_are_written_both_ways() -> None:
    assert (
        split_call("a.b.C/D") == split_call("a.b.C.D") == split_call("/a.b.C/D") == ("a.b.C", "D")
    )
    for wrong in ("D", "", "/D"):
        with pytest.raises(StartFault, match="no method"):
            split_call(wrong)
