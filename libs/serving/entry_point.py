"""How a service starts: settings of the environment, logs, who may call, and then it serves."""

import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias, TypeVar

import structlog

from libs.faults import StartFault
from libs.serving.application import Application, Readiness
from libs.serving.identity_settings import Identity, IdentitySettings, open_identity
from libs.serving.process import serve
from libs.serving.settings import SuiteSettings, read_settings
from libs.telemetry.logs import configure_logs
from libs.telemetry.metrics import ServiceMetrics

SettingsT = TypeVar("SettingsT", bound=SuiteSettings)

# A composition root: chooses every part and opens it, on the server's loop.
BuildOf: TypeAlias = Callable[
    [SettingsT, ServiceMetrics, Identity, Readiness], Awaitable[Application]
]


def run(name: str, kind: type[SettingsT], build: BuildOf[SettingsT]) -> int:
    """Serve until told to stop what `build` makes; returns the exit code.

    A StartFault is one line on standard error and exit code 1.
    """
    try:
        settings = read_settings(kind)
        configure_logs(name, level=settings.log_level)
        structlog.get_logger().info("settings", **settings.shown())
        identity = open_identity(read_settings(IdentitySettings), name=name, host=settings.host)
    except StartFault as fault:
        sys.stderr.write(f"{name}: {fault}\n")
        return 1
    metrics = ServiceMetrics()
    return serve(
        partial(build, settings, metrics, identity),
        settings.plan(name),
        metrics,
        tls=identity.server_tls,
    )
