"""Who is calling: the tenant comes from the caller's identity, never from a message."""

from typing import Any

import grpc.aio

from libs.domain.identifiers import DEFAULT_TENANT


def tenant_of(context: "grpc.aio.ServicerContext[Any, Any]") -> str:
    """The caller's tenant; "default" as long as callers carry no identity."""
    return DEFAULT_TENANT
