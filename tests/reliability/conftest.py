import pytest

DEFAULT_MESSAGES = 250
DEFAULT_KILLS = 3
DEFAULT_STATES = 300
DEFAULT_PROFILES = 150


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--messages", type=int, default=DEFAULT_MESSAGES, help="mutated messages for each service"
    )
    parser.addoption(
        "--kills", type=int, default=DEFAULT_KILLS, help="kills of each service that is written to"
    )
    parser.addoption(
        "--states", type=int, default=DEFAULT_STATES, help="ways to watch a series for its story"
    )
    parser.addoption(
        "--profiles", type=int, default=DEFAULT_PROFILES, help="profiles whose recaps are recounted"
    )


@pytest.fixture
def message_count(request: pytest.FixtureRequest) -> int:
    # Not registered when this folder is collected with all others.
    return int(request.config.getoption("messages", DEFAULT_MESSAGES))


@pytest.fixture
def kill_count(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("kills", DEFAULT_KILLS))


@pytest.fixture
def state_count(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("states", DEFAULT_STATES))


@pytest.fixture
def profile_count(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("profiles", DEFAULT_PROFILES))
