"""Where the suite keeps its state and where its services listen, from the environment."""

import json
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.faults import StartFault

# The place of each service, counted from the port base; metrics are 20 above.
PORT_OFFSETS: Final = {"events": 0, "candidates": 1, "ranking": 2}
METRICS_OFFSET: Final = 20


def _port(service: str, offset: int = 0) -> Any:
    """A field that defaults to the port base plus the service's offset; base 0 gives 0, "any"."""
    return Field(
        default_factory=lambda known: (
            known["port_base"] and known["port_base"] + PORT_OFFSETS[service] + offset
        ),
        ge=0,
        le=65535,
    )


def _target(service: str) -> Any:
    """A field that defaults to where the service listens on this machine."""
    return Field(default_factory=lambda known: f"{known['host']}:{_known_port(known, service)}")


def _known_port(known: dict[str, Any], service: str) -> int:
    """The port that was set, or the one `reprise up` wrote down where ports are free ones."""
    port = int(known[f"{service}_port"])
    written = known["home"] / "run" / "ports.json"
    if port == 0 and written.is_file():
        return int(json.loads(written.read_text()).get(service, 0))
    return port


class SuiteSettings(BaseSettings):
    """Settings that all services share; each is read from REPRISE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="REPRISE_", frozen=True)

    home: Path = Path("var")
    host: str = "127.0.0.1"
    port_base: int = Field(default=7400, ge=0, le=65000)
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    drain_ms: int = Field(default=5_000, ge=0, le=600_000)
    events_port: int = _port("events")
    candidates_port: int = _port("candidates")
    ranking_port: int = _port("ranking")
    events_metrics_port: int = _port("events", METRICS_OFFSET)
    candidates_metrics_port: int = _port("candidates", METRICS_OFFSET)
    ranking_metrics_port: int = _port("ranking", METRICS_OFFSET)
    events_target: str = _target("events")
    candidates_target: str = _target("candidates")
    ranking_target: str = _target("ranking")

    @property
    def events_path(self) -> Path:
        """The file of log, features, profiles and decisions."""
        return self.home / "events" / "events.sqlite"

    @property
    def catalogue_path(self) -> Path:
        """The file of the catalogue."""
        return self.home / "candidates" / "catalogue.sqlite"

    @property
    def bundles_path(self) -> Path:
        """The folder of published bundles."""
        return self.home / "bundles"


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def read_settings(kind: type[SettingsT]) -> SettingsT:
    """The settings of the environment; raises StartFault with one line naming the variables."""
    try:
        return kind()
    except ValidationError as error:
        prefix = str(kind.model_config.get("env_prefix", ""))
        problems = "; ".join(
            f"{prefix}{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors()
            # What follows from a bad value is no second problem.
            if problem["type"] != "default_factory_not_called"
        )
        raise StartFault(f"bad settings: {problems}") from error
