import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

DEFAULT_MESSAGES = 250
DEFAULT_KILLS = 3
DEFAULT_STATES = 300
DEFAULT_PROMPT_PROFILES = 60
DEFAULT_QUIZ_SEQUENCES = 100
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
        "--prompt-profiles",
        type=int,
        default=DEFAULT_PROMPT_PROFILES,
        help="profiles of a simulated year of prompts",
    )
    parser.addoption(
        "--quiz-sequences",
        type=int,
        default=DEFAULT_QUIZ_SEQUENCES,
        help="random sequences of answers",
    )
    parser.addoption(
        "--profiles", type=int, default=DEFAULT_PROFILES, help="profiles whose recaps are recounted"
    )


@pytest.fixture(scope="session")
def provider_key() -> rsa.RSAPrivateKey:
    """The key of whoever else signs tokens."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def quiz_sequence_count(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("quiz_sequences", DEFAULT_QUIZ_SEQUENCES))


@pytest.fixture
def prompt_profile_count(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("prompt_profiles", DEFAULT_PROMPT_PROFILES))


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
