"""Who is calling: the tenant comes from the caller's identity, never from a message."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol, TypeAlias

import grpc.aio

from libs.domain.identifiers import DEFAULT_TENANT, check_tenant
from libs.faults import Unauthenticated

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Metadata: TypeAlias = Sequence[tuple[str, str]]


class Role(StrEnum):
    """What a caller is to the suite; a caller may be several."""

    VIEWER = "viewer"  # the back end of an app: speaks for viewers
    OPERATOR = "operator"  # people and their tools: catalogue, profiles, imports
    SERVICE = "service"  # the suite's own services


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was identified; `name` is for people and logs."""

    tenant: str
    roles: frozenset[Role]
    name: str = ""

    def __post_init__(self) -> None:
        check_tenant("tenant", self.tenant)


# Whom everybody is taken for in development mode.
EVERYBODY: Final = Caller(DEFAULT_TENANT, frozenset(Role), "development")

# The caller of the call that runs; gRPC runs each call in a task, and so a context, of its own.
_CALLER: Final[ContextVar[Caller]] = ContextVar("reprise_caller")

Authorize: TypeAlias = Callable[[str, Context], Caller]


def as_everybody(method: str, context: Context) -> Caller:
    """Let every call of every method in, as the development caller."""
    return EVERYBODY


def enter(caller: Caller) -> None:
    """Say who makes the call that runs."""
    _CALLER.set(caller)


def caller_of(context: Context) -> Caller:
    """Who makes the call; raises Unauthenticated where nobody has asked."""
    caller = _CALLER.get(None)
    if caller is None:
        raise Unauthenticated("the caller was not identified")
    return caller


def tenant_of(context: Context) -> str:
    """The caller's tenant; raises Unauthenticated where nobody has asked who calls."""
    return caller_of(context).tenant


class Credentials(Protocol):
    """What a service shows another one to act for a tenant."""

    def metadata(self, tenant: str) -> Metadata:
        """Metadata to send with one call."""
        ...


class _NoCredentials:
    def metadata(self, tenant: str) -> Metadata:
        return ()


# Shows nothing: in development mode nobody looks.
NO_CREDENTIALS: Final[Credentials] = _NoCredentials()
