import pytest

DEFAULT_MESSAGES = 250


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--messages", type=int, default=DEFAULT_MESSAGES, help="mutated messages for each service"
    )


@pytest.fixture
def message_count(request: pytest.FixtureRequest) -> int:
    # Not registered when this folder is collected with all others.
    return int(request.config.getoption("messages", DEFAULT_MESSAGES))
