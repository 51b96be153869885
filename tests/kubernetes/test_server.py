"""The overlay for several nodes."""

from typing import Any

import yaml

from cli.suite import SERVICES
from tests.kubernetes.test_base import FOLDER, SERVER


def pod(file: str) -> dict[str, Any]:
    path = FOLDER / "overlays" / file
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))["spec"]["template"]["spec"]
    return found


def test_the_secret_of_the_log_is_where_it_is_looked_for() -> None:
    settings = yaml.safe_load((SERVER / "kustomization.yaml").read_text("utf-8"))
    (generated,) = settings["configMapGenerator"]
    values = dict(literal.split("=", 1) for literal in generated["literals"])
    events, job = pod("server/events.yaml"), pod("server-training/job.yaml")

    (told,) = job["containers"][0]["env"]
    assert told == {"name": "REPRISE_SECRET_FILE", "value": values["REPRISE_SECRET_FILE"]}
    for found in (events, job):
        mounts = {one["name"]: one["mountPath"] for one in found["containers"][0]["volumeMounts"]}
        volumes = {one["name"]: one for one in found["volumes"]}
        assert values["REPRISE_SECRET_FILE"].startswith(mounts["log-secret"] + "/")
        assert volumes["log-secret"]["secret"] == {"secretName": "reprise-log"}


def test_every_service_has_an_image_and_every_store_a_url() -> None:
    text = (SERVER / "kustomization.yaml").read_text("utf-8")
    named = {image["name"] for image in yaml.safe_load(text)["images"]}
    assert named == {f"reprise/{spec.name}" for spec in SERVICES}
    # The embedded files of those that are not told are on a volume that many nodes mount.
    for store in ("EVENTS", "KEYS", "FEATURES", "RECAP"):
        assert f"--from-literal=REPRISE_{store}_URL=" in text


def test_the_catalogue_has_one_volume_on_one_node() -> None:
    claim = yaml.safe_load((SERVER / "catalogue.yaml").read_text("utf-8"))
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    for file in ("server/candidates.yaml", "server-training/job.yaml"):
        volumes = {one["name"]: one for one in pod(file)["volumes"]}
        held = volumes["catalogue"]["persistentVolumeClaim"]
        assert held == {"claimName": claim["metadata"]["name"]}
