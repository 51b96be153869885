"""One load of one method: what is sent, and how."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

SECONDS: Final = 3.0


@dataclass(frozen=True)
class Shot:
    """Requests (JSON values; strings may hold placeholders) and the options of their plan."""

    call: str
    requests: Sequence[Any]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> str:
        """What `reprise load -D` would read."""
        return json.dumps(self.requests)


def request(message: Message) -> dict[str, Any]:
    """A message as the JSON of a request."""
    return MessageToDict(message, preserving_proto_field_name=True)
