"""Which identity a service starts with, and when it does not start at all."""

from pathlib import Path

import pytest
import structlog

from libs.faults import StartFault
from libs.serving.identity_settings import IdentityMode, IdentitySettings, open_identity
from libs.serving.settings import read_settings
from tests.made_tokens import SECRET


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_development_is_the_default_on_loopback_and_says_so(host: str) -> None:
    with structlog.testing.capture_logs() as lines:
        identity = open_identity(IdentitySettings(), name="events", host=host)
    assert identity.credentials.metadata("default") == ()
    [line] = lines
    assert line["log_level"] == "warning"
    assert "'default'" in line["event"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "127.0.0.1.org", ""])
def test_development_does_not_start_where_others_can_call(host: str) -> None:
    with pytest.raises(StartFault, match="REPRISE_IDENTITY=jwt"):
        open_identity(IdentitySettings(), name="events", host=host)


def test_tokens_start_anywhere_and_no_secret_is_logged(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(SECRET)
    settings = IdentitySettings(identity=IdentityMode.JWT, jwt_secret_file=file)
    with structlog.testing.capture_logs() as lines:
        identity = open_identity(settings, name="events", host="0.0.0.0")
    [(key, value)] = identity.credentials.metadata("acme")
    assert key == "authorization"
    assert value.startswith("Bearer ")
    assert SECRET.decode() not in str(lines)


def test_tokens_need_the_secret_of_the_services(tmp_path: Path) -> None:
    settings = IdentitySettings(identity=IdentityMode.JWT)
    with pytest.raises(StartFault, match="REPRISE_JWT_SECRET_FILE"):
        open_identity(settings, name="events", host="127.0.0.1")


def test_an_unknown_identity_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRISE_IDENTITY", "none")
    with pytest.raises(StartFault, match="REPRISE_IDENTITY"):
        read_settings(IdentitySettings)
