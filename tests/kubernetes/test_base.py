from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.suite import SERVICES, ServiceSpec
from libs.serving.settings import HEALTH_OFFSET, SuiteSettings
from tests.setting_names import setting_names

FOLDER = Path(__file__).parents[2] / "kubernetes"
BASE = FOLDER / "base"
SERVER = FOLDER / "overlays" / "server"


def manifests(name: str) -> dict[str, Any]:
    """The manifests of a service, by their kind."""
    documents = yaml.safe_load_all((BASE / f"{name}.yaml").read_text("utf-8"))
    return {document["kind"]: document for document in documents}


def workload(name: str) -> dict[str, Any]:
    """What starts its pods."""
    kinds = manifests(name)
    found: dict[str, Any] = kinds.get("Deployment") or kinds["StatefulSet"]
    return found


def container(name: str) -> dict[str, Any]:
    (one,) = workload(name)["spec"]["template"]["spec"]["containers"]
    return dict(one)


def expected_ports(name: str) -> dict[str, int]:
    settings = SuiteSettings(port_base=7400)
    port = getattr(settings, f"{name}_port")
    return {
        "grpc": port,
        "metrics": getattr(settings, f"{name}_metrics_port"),
        "health": port + HEALTH_OFFSET,
    }


def test_every_variable_is_a_setting() -> None:
    given: set[str] = set()
    for folder in (BASE, SERVER):
        made = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
        (settings,) = made["configMapGenerator"]
        given.update(literal.partition("=")[0] for literal in settings["literals"])

    assert given <= setting_names()


@pytest.mark.parametrize("spec", SERVICES, ids=lambda spec: spec.name)
def test_ready_is_what_the_service_says_of_itself(spec: ServiceSpec) -> None:
    probe = container(spec.name)["readinessProbe"]["grpc"]

    assert probe == {"port": expected_ports(spec.name)["health"], "service": spec.grpc_name}


@pytest.mark.parametrize("kind", ["startupProbe", "livenessProbe"])
@pytest.mark.parametrize("spec", SERVICES, ids=lambda spec: spec.name)
def test_alive_is_the_process_whatever_it_has_loaded(spec: ServiceSpec, kind: str) -> None:
    assert container(spec.name)[kind]["grpc"] == {"port": expected_ports(spec.name)["health"]}


@pytest.mark.parametrize("spec", SERVICES, ids=lambda spec: spec.name)
def test_ports_are_the_defaults(spec: ServiceSpec) -> None:
    expected = expected_ports(spec.name)
    opened = {port["name"]: port["containerPort"] for port in container(spec.name)["ports"]}
    named = {
        port["name"]: port["port"] for port in manifests(spec.name)["Service"]["spec"]["ports"]
    }
    scraped = workload(spec.name)["spec"]["template"]["metadata"]["annotations"]

    assert opened == expected
    assert named == {name: expected[name] for name in ("grpc", "metrics")}
    assert scraped["prometheus.io/port"] == str(expected["metrics"])


@pytest.mark.parametrize("spec", SERVICES, ids=lambda spec: spec.name)
def test_clients_see_every_pod(spec: ServiceSpec) -> None:
    assert manifests(spec.name)["Service"]["spec"]["clusterIP"] == "None"


@pytest.mark.parametrize("name", ["events", "candidates", "recap"])
def test_a_file_has_one_writer_also_while_it_is_replaced(name: str) -> None:
    found = workload(name)

    assert found["spec"]["replicas"] == 1
    assert found["kind"] == "StatefulSet" or found["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("spec", SERVICES, ids=lambda spec: spec.name)
def test_a_pod_may_drain_before_it_is_killed(spec: ServiceSpec) -> None:
    grace_s = workload(spec.name)["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]

    # Calls, and after them what the service still has to hand on.
    assert grace_s * 1000 > 2 * SuiteSettings().drain_ms
