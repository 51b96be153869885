"""The overlay for several nodes."""

from typing import Any

import yaml

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


def test_the_catalogue_has_one_volume_on_one_node() -> None:
    claim = yaml.safe_load((SERVER / "catalogue.yaml").read_text("utf-8"))
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    for file in ("server/candidates.yaml", "server-training/job.yaml"):
        volumes = {one["name"]: one for one in pod(file)["volumes"]}
        held = volumes["catalogue"]["persistentVolumeClaim"]
        assert held == {"claimName": claim["metadata"]["name"]}
