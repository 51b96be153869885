import urllib.request

import pytest

from libs.faults import StartFault
from libs.telemetry.metrics import ServiceMetrics, start_metrics_server


def test_counts_are_read_from_the_port() -> None:
    metrics = ServiceMetrics()
    metrics.count_degraded(("TITLE_FEATURES",))
    server = start_metrics_server("127.0.0.1", 0, metrics.registry)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
            text = answer.read().decode()
    finally:
        server.close()
    assert 'reprise_degraded_total{part="TITLE_FEATURES"} 1.0' in text


def test_a_taken_port_is_a_start_fault() -> None:
    server = start_metrics_server("127.0.0.1", 0, ServiceMetrics().registry)
    try:
        with pytest.raises(StartFault, match=str(server.port)):
            start_metrics_server("127.0.0.1", server.port, ServiceMetrics().registry)
    finally:
        server.close()


def test_two_services_in_one_process_count_apart() -> None:
    first, second = ServiceMetrics(), ServiceMetrics()
    first.count_degraded(("RANKER",))
    assert second.registry.get_sample_value("reprise_degraded_total", {"part": "RANKER"}) is None
