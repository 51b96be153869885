"""What commands show the services."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.calling import CallingSettings, authorization
from libs.faults import Fault, StartFault
from libs.serving.identity_settings import IdentityMode
from libs.serving.token_keys import read_secrets
from libs.serving.tokens import TokenRules, TokenVerifier
from tests.made_tokens import SECRET

JWT = IdentityMode.JWT


def test_in_development_nothing_is_shown() -> None:
    assert authorization(CallingSettings()) == ()


def test_a_given_token_is_shown_as_it_is() -> None:
    settings = CallingSettings(identity=JWT, token=SecretStr("a.b.c"))
    assert authorization(settings) == (("authorization", "Bearer a.b.c"),)
    assert "a.b.c" not in repr(settings)


def test_where_the_secret_can_be_read_a_token_is_minted(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(SECRET)
    settings = CallingSettings(identity=JWT, jwt_secret_file=file, tenant="acme")
    [(_, value)] = authorization(settings)
    verifier = TokenVerifier(read_secrets(file), TokenRules("reprise", "reprise", 0), lambda: 0.0)
    assert verifier.caller(value.removeprefix("Bearer ")).tenant == "acme"
    with pytest.raises(Fault, match="tenant"):
        authorization(settings.model_copy(update={"tenant": "../acme"}))


def test_without_either_it_is_one_line() -> None:
    with pytest.raises(StartFault, match="REPRISE_TOKEN"):
        authorization(CallingSettings(identity=JWT))
