"""The table of who may call what, held against the contracts themselves."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, cast

import pytest
from grpc_reflection.v1alpha import reflection

import reprise
from libs.faults import PermissionDenied, Unauthenticated
from libs.serving.authorization import ALLOWED, Gate
from libs.serving.identity import EVERYBODY, Caller, Context, Role, tenant_of

CONTEXT = cast("Context", None)


def contract_methods() -> Iterator[str]:
    """Every method of every service that the generated code describes."""
    for module in pkgutil.walk_packages(reprise.__path__, "reprise."):
        if module.name.endswith("_pb2"):
            file: Any = importlib.import_module(module.name).DESCRIPTOR
            for service in file.services_by_name.values():
                for method in service.methods:
                    yield f"/{service.full_name}/{method.name}"


def test_every_method_of_every_contract_has_an_entry_and_no_other_has() -> None:
    methods = set(contract_methods())
    assert len(methods) > 10
    known = {method for method in ALLOWED if method.startswith("/reprise.")}
    assert known == methods, "say who may call it in libs/serving/authorization.py"


def test_reflection_has_an_entry() -> None:
    assert f"/{reflection.SERVICE_NAME}/ServerReflectionInfo" in ALLOWED


def test_every_entry_lets_somebody_in() -> None:
    assert all(roles for roles in ALLOWED.values())


@pytest.mark.parametrize("method", sorted(ALLOWED))
@pytest.mark.parametrize("role", list(Role))
def test_only_the_roles_of_the_entry_are_let_in(method: str, role: Role) -> None:
    caller = Caller("acme", frozenset({role}))
    gate = Gate(lambda context: caller)
    if role in ALLOWED[method]:
        assert gate.authorize(method, CONTEXT) is caller
    else:
        with pytest.raises(PermissionDenied) as caught:
            gate.authorize(method, CONTEXT)
        assert caught.value.metadata["method"] == method
        assert role.value not in caught.value.metadata["roles"].split(",")


def test_a_method_that_the_table_does_not_know_is_refused_to_everybody() -> None:
    gate = Gate(lambda context: EVERYBODY)
    with pytest.raises(PermissionDenied):
        gate.authorize("/reprise.events.v1.EventsService/DropEverything", CONTEXT)


def test_a_caller_without_roles_may_call_nothing() -> None:
    gate = Gate(lambda context: Caller("acme", frozenset()))
    for method in ALLOWED:
        with pytest.raises(PermissionDenied):
            gate.authorize(method, CONTEXT)


def test_where_nobody_has_asked_there_is_no_tenant() -> None:
    with pytest.raises(Unauthenticated):
        tenant_of(CONTEXT)
