import dataclasses

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from libs.domain.title import Title, TitleKind
from libs.faults import InvalidField
from libs.serving.title_codec import title, title_message, titles
from reprise.candidates.v1 import candidates_pb2
from tests.made_titles import FULL_TITLE


def test_a_message_gives_back_the_title_that_it_was_made_of() -> None:
    assert all(getattr(FULL_TITLE, field.name) for field in dataclasses.fields(FULL_TITLE))
    for value in (FULL_TITLE, Title("t1", TitleKind.MOVIE, "A film")):
        assert title(title_message(value)) == value


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title_id": ""}, "title_id"),
        ({"kind": 0}, "kind"),
        ({"kind": 99}, "kind"),
        ({"name": ""}, "name"),
        ({"duration_ms": -1}, "duration_ms"),
        ({"country": "fr"}, "country"),
        ({"maturity_years": 99}, "maturity_years"),
        ({"people": [candidates_pb2.Person()]}, "people[0].name"),
        ({"release_time": Timestamp(seconds=2**62)}, "release_time"),
        (
            {"licence_windows": [candidates_pb2.LicenceWindow(end_time=Timestamp())]},
            "licence_windows[0].end_time",
        ),
        (
            {"licence_windows": [candidates_pb2.LicenceWindow(country="x")]},
            "licence_windows[0].country",
        ),
    ],
)
def test_a_bad_field_is_named_with_its_place(change: dict[str, object], field: str) -> None:
    good = candidates_pb2.Title(title_id="t1", kind=candidates_pb2.TITLE_KIND_MOVIE, name="A film")
    bad = candidates_pb2.Title()
    bad.CopyFrom(good)
    for name in change:
        bad.ClearField(name)  # type: ignore[arg-type]  # a name known only at run time
    bad.MergeFrom(candidates_pb2.Title(**change))  # type: ignore[arg-type]
    with pytest.raises(InvalidField) as caught:
        titles([good, bad], "titles")
    assert caught.value.field == f"titles[1].{field}"
