"""Real processes that ask who calls, and one that must not start."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from cli.calling import open_channel
from cli.suite import running, target
from reprise.candidates.v1 import candidates_pb2, candidates_pb2_grpc
from tests.end_to_end.conftest import home_at

pytestmark = pytest.mark.end_to_end

LISTING = "reprise.candidates.v1.CandidatesService/ListTitles"


def code_of(call: Callable[..., object], request: object) -> object:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=10)
    return caught.value.code()


def test_commands_act_for_their_tenant_and_nobody_else_gets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a-secret-of-thirty-two-characters\n")
    monkeypatch.setenv("REPRISE_IDENTITY", "jwt")
    monkeypatch.setenv("REPRISE_JWT_SECRET_FILE", str(secret))
    monkeypatch.setenv("REPRISE_TENANT", "acme")
    home = home_at(tmp_path / "home")
    listing = candidates_pb2.ListTitlesRequest(page_size=1)
    with running(home.settings, is_trained=False):
        home.reprise("simulate", "--profiles", "20", "--titles", "40", "--days", "3")
        shown = home.json("recommend", "--profile", "p000001", "--limit", "3")
        assert len(shown["titles"]) == 3
        assert all(title["name"] for title in shown["titles"])
        assert home.json("status", expect=1)["identity"] == "jwt"
        with open_channel(home.settings, "candidates") as channel:
            stub = candidates_pb2_grpc.CandidatesServiceStub(channel)
            assert stub.ListTitles(listing, timeout=10).titles
        loaded = home.json("load", LISTING, "-n", "5", "-c", "1")
        assert loaded["statusCodeDistribution"] == {"OK": 5}
        monkeypatch.setenv("REPRISE_TENANT", "bravo")
        with open_channel(home.settings, "candidates") as channel:
            stub = candidates_pb2_grpc.CandidatesServiceStub(channel)
            assert not stub.ListTitles(listing, timeout=10).titles
        with grpc.insecure_channel(target(home.settings, "candidates")) as channel:
            stub = candidates_pb2_grpc.CandidatesServiceStub(channel)
            assert code_of(stub.ListTitles, listing) is grpc.StatusCode.UNAUTHENTICATED
        monkeypatch.setenv("REPRISE_TOKEN", "not.a.token")
        refused = home.reprise("recommend", "--profile", "p000001", expect=1)
        assert "UNAUTHENTICATED" in refused.stderr
        assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["events", "candidates", "ranking", "recap"])
def test_development_identity_does_not_start_where_others_can_call(
    tmp_path: Path, name: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"services.{name}"],
        env={
            **os.environ,
            "REPRISE_HOME": str(tmp_path),
            "REPRISE_PORT_BASE": "0",
            "REPRISE_HOST": "0.0.0.0",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name}: REPRISE_HOST=0.0.0.0 ")
    assert done.stderr.count("\n") == 1
