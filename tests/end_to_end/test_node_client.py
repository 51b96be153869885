"""A client that shares nothing with the suite but the contracts, in another language."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import google.rpc  # type: ignore[import-untyped]  # published without stubs
import pytest

from cli.suite import Suite, target

pytestmark = pytest.mark.end_to_end

ROOT = Path(__file__).parents[2]
# The wheel of google.rpc carries its .proto files beside its stubs.
GOOGLE_PROTOS = Path(next(iter(google.rpc.__path__))).parents[1]
PROFILE_ID = "p000001"


@pytest.fixture(scope="module")
def said(suite: Suite) -> dict[str, Any]:
    """What the client has printed about one answer and one error."""
    node = shutil.which("node")
    assert node is not None, "`make test` installs Node where the machine has none"
    done = subprocess.run(
        [
            node,
            str(ROOT / "tests/clients/node/recommend.mjs"),
            target(suite.settings, "ranking"),
            PROFILE_ID,
            str(ROOT / "protos"),
            str(GOOGLE_PROTOS),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def test_node_gets_a_whole_slate(said: dict[str, Any]) -> None:
    answer = said["answer"]
    assert len(answer["title_ids"]) == len(set(answer["title_ids"])) == 10
    assert len(answer["scores"]) == len(answer["sources"]) == 10
    assert answer["page_id"]
    assert answer["model_version"] == answer["index_version"] != ""
    assert answer["degraded"] == []


def test_node_gets_a_well_formed_error(said: dict[str, Any]) -> None:
    failure = said["failure"]
    assert failure["code"] == "INVALID_ARGUMENT"
    assert failure["status"]["code"] == 3
    details = failure["status"]["details"]
    assert len(details["google.rpc.ErrorInfo"]["metadata"].pop("trace_id")) == 32
    assert details["google.rpc.ErrorInfo"] == {
        "reason": "ERROR_REASON_INVALID_FIELD",
        "domain": "reprise",
        "metadata": {"field": "profile_id", "problem": "must not be empty"},
    }
    violations = details["google.rpc.BadRequest"]["field_violations"]
    assert [violation["field"] for violation in violations] == ["profile_id"]
