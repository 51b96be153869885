from pathlib import Path

from libs.artifacts.bundle import publish, tenant_root
from libs.domain.erasure import Erasure
from services.events.retraining import Retraining, retraining_from

DAY_MS = 86_400_000


def erasure(oldest_event_ms: int | None) -> Erasure:
    return Erasure(100 * DAY_MS, 1, 0, 0, False, oldest_event_ms, ())


def write_file(folder: Path) -> dict[str, tuple[int, ...]]:
    (folder / "file").write_text("x")
    return {}


def make_bundle(root: Path, created_ms: int, trained_until_ms: int) -> str:
    return publish(
        tenant_root(root, "acme"),
        {"part": lambda folder: ((folder / "file").write_text("x") and {}) or {}},
        now_ms=created_ms,
        trained_until_ms=trained_until_ms,
        feature_schema_version=1,
    )


def test_names_the_bundles_that_have_read_it_and_when_the_next_is_due(tmp_path: Path) -> None:
    make_bundle(tmp_path, 10 * DAY_MS, 9 * DAY_MS)
    touched = make_bundle(tmp_path, 90 * DAY_MS, 89 * DAY_MS)
    find = retraining_from(tmp_path, DAY_MS)
    assert find("acme", erasure(50 * DAY_MS)) == Retraining((touched,), 91 * DAY_MS)
    assert find("acme", erasure(95 * DAY_MS)) == Retraining()
    assert find("acme", erasure(None)) == Retraining()
    assert find("other", erasure(50 * DAY_MS)) == Retraining()


def test_a_bundle_of_after_the_erasure_has_not_read_it(tmp_path: Path) -> None:
    old = make_bundle(tmp_path, 90 * DAY_MS, 89 * DAY_MS)
    make_bundle(tmp_path, 101 * DAY_MS, 100 * DAY_MS)
    found = retraining_from(tmp_path, DAY_MS)("acme", erasure(50 * DAY_MS))
    assert found == Retraining((old,), None)
