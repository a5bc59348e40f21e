"""What is deployed is read by the linters of its own kind, and asks for the settings that the processes really have."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml  # PyYAML comes with yamllint

from infra.cluster.front import engines_config, postgres_config
from infra.cluster.plan import Plan
from infra.settings import PREFIX, PROCESSES

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "infra" / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
BIN = Path(sys.executable).parent
# Figures that other programs give.
OTHERS = {"node_filesystem_avail_bytes", "node_filesystem_size_bytes", "patroni_sync_standby"}
# Whose figures are whose, and where they are read (docs/operations/metrics.md).
DOORS = {"engine": 8100, "flusher": 8110, "pictures": 8120, "live": 8122}
MANIFESTS = sorted(path for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml")
# Where a process's settings come from, by workload.
PROCESS_OF = {"engine": "engine", "flusher": "flusher", "portal": "portal", "work": "portal", "score-work": "scoring"}
PROCESS_OF |= {"room-codes": "release", "pictures": "proctoring", "proctoring": "proctoring", "live": "live"}


def run(*words: str | Path, cwd: Path = ROOT) -> None:
    """A linter; what it says is the failure."""
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def tool(name: str, package: str) -> str:
    """A program of Debian's; without it the test is left out, and says what would bring it."""
    found = shutil.which(name, path="/usr/local/bin:/usr/bin:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return found


def objects() -> list[dict[str, Any]]:
    return [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text())]


def pods() -> dict[str, dict[str, Any]]:
    kinds = {"Deployment", "StatefulSet", "Job"}
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in objects() if one["kind"] in kinds}


def test_every_yaml_is_tidy() -> None:
    run(BIN / "yamllint", "--strict", "-c", DEPLOY / ".yamllint", DEPLOY)


def test_the_containerfile_is_what_hadolint_likes() -> None:
    run(BIN / "hadolint", DEPLOY / "Containerfile")
    text = (DEPLOY / "Containerfile").read_text()
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert re.search(r"^ARG PYTHON=.*:3\.11\.\d+-slim-bookworm$", text, re.MULTILINE)
    # Every part that the wheel has is in the image.
    parts = re.findall(r"packages = \[(.*)\]", (ROOT / "pyproject.toml").read_text())[0]
    for part in re.findall(r'"(\w+)"', parts):
        assert f"COPY {part} {part}\n" in text
        assert f"!{part}\n" in (ROOT / ".dockerignore").read_text()
    # And what `elumiti plan` reckons with.
    assert "COPY docs/figures docs/figures\n" in text
    assert "!docs/figures\n" in (ROOT / ".dockerignore").read_text()


def test_kubernetes_knows_every_field() -> None:
    run(BIN / "kubernetes-validate", "--strict", "--quiet", *MANIFESTS)


def test_kustomize_takes_every_file() -> None:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    assert sorted(listed["resources"]) == [path.name for path in MANIFESTS]
    for generator in listed["configMapGenerator"]:
        assert all((KUBERNETES / name).exists() for name in generator["files"])


@pytest.mark.parametrize("name", sorted(pods()))
def test_a_pod_is_nobody_and_writes_nowhere(name: str) -> None:
    pod = pods()[name]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    for container in pod["containers"]:
        inside = container["securityContext"]
        assert inside["readOnlyRootFilesystem"]
        assert not inside["allowPrivilegeEscalation"]
        assert inside["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert not container["image"].endswith(":latest")


def test_what_must_not_stop_has_a_budget_and_only_named_ways_are_open() -> None:
    found = objects()
    many = {one["metadata"]["name"] for one in found if one["kind"] in {"Deployment", "StatefulSet"}} - {
        "work",
        "score-work",
        "room-codes",
    }
    assert {one["metadata"]["name"] for one in found if one["kind"] == "PodDisruptionBudget"} == many
    policies = {one["metadata"]["name"] for one in found if one["kind"] == "NetworkPolicy"}
    assert policies == {"nobody", "names", *pods()} - {"migrate-0-1-0"} | {"migrate"}


def test_kubernetes_gives_each_process_only_settings_that_it_reads() -> None:
    maps = {one["metadata"]["name"]: one["data"] for one in objects() if one["kind"] == "ConfigMap"}
    for name, process in PROCESS_OF.items():
        known = {PREFIX + field.upper() for field in PROCESSES[process].__struct_fields__}
        (container,) = pods()[name]["containers"]
        sources = container["envFrom"]
        assert {"secretRef": {"name": process}} in sources
        for source in sources:
            if "configMapRef" in source:
                assert set(maps[source["configMapRef"]["name"]]) <= known


def test_on_a_full_machine_answers_come_before_pictures_in_compose() -> None:
    """By shares: `nice` is not heard from one container to the other."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    share = {name: service["cpu_shares"] for name, service in services.items()}
    assert min(share["engine"], share["valkey"]) > share["postgres"] > share["flusher"]
    assert share["pictures"] == share["proctoring"] < share["portal"] / 4


def test_compose_gives_each_process_what_it_needs_and_no_more() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for name, process in {**PROCESS_OF, "migrate": "owner"}.items():
        kind = PROCESSES[process]
        given = set(services[name]["environment"])
        fields = {PREFIX + field.upper() for field in kind.__struct_fields__}
        required = {PREFIX + field.name.upper() for field in msgspec.structs.fields(kind) if field.required}
        # The image itself says where the engine's snapshot lies.
        assert required - {"ELUMITI_SNAPSHOT_DIR"} <= given
        assert given <= fields
    assert all(not service["image"].endswith(":latest") for service in services.values())


def test_the_fronts_are_what_haproxy_reads(tmp_path: Path) -> None:
    haproxy = tool("haproxy", "haproxy")
    plan = Plan(tmp_path)
    for name, text in {"front": engines_config(plan), "database": postgres_config(plan)}.items():
        path = tmp_path / f"{name}.cfg"
        path.write_text(text)
        run(haproxy, "-c", "-f", path)


def test_the_cache_of_bundles_is_what_nginx_reads(tmp_path: Path) -> None:
    nginx = tool("nginx", "nginx-light")
    text = (KUBERNETES / "bundles.conf").read_text()
    # Names of a cluster can't be looked up here, and its folder is not there.
    text = text.replace("server engine:8100", "server 127.0.0.1:8100").replace("/var/cache/nginx", str(tmp_path))
    whole = f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {text} }}"
    path = tmp_path / "nginx.conf"
    path.write_text(whole)
    run(nginx, "-t", "-q", "-e", "stderr", "-p", tmp_path, "-c", path)


def test_prometheus_rules_fire_when_they_should() -> None:
    promtool = tool("promtool", "prometheus")
    folder = DEPLOY / "prometheus"
    run(promtool, "check", "config", "prometheus.yml", cwd=folder)
    run(promtool, "test", "rules", "rules_test.yml", cwd=folder)


def test_rules_and_board_name_only_figures_that_there_are() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    recorded = {rule["record"] for group in rules["groups"] for rule in group["rules"] if "record" in rule}
    board = json.loads((DEPLOY / "grafana" / "the-day.json").read_text())
    expressions += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    named = {name for text in expressions for name in re.findall(r"\b((?:elumiti|node|patroni)[a-z_0-9:]*)", text)}
    # The page is held together with what the processes serve by tests/engine/test_metrics.py and others.
    told = set(re.findall(r"`(elumiti_\w+)`", (ROOT / "docs" / "operations" / "metrics.md").read_text()))
    assert named - recorded <= told | OTHERS


def test_whose_figures_are_named_is_asked_for_them() -> None:
    """On machines and in Kubernetes: an alarm over a figure that nobody fetches stays silent for ever."""
    jobs = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    found = objects()
    policies = {one["metadata"]["name"]: one["spec"] for one in found if one["kind"] == "NetworkPolicy"}
    annotations = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"].get("annotations", {})
        for one in found
        if one["kind"] in {"Deployment", "StatefulSet"}
    }
    for name, port in DOORS.items():
        assert any(target.endswith(f":{port}") for target in targets[name]), name
        assert annotations[name]["prometheus.io/port"] == str(port)
        assert annotations[name]["prometheus.io/scrape"] == "true"
        monitoring = [way for way in policies[name]["ingress"] if "monitoring" in str(way["from"])]
        assert {"port": port} in monitoring[0]["ports"], name
    maps = {one["metadata"]["name"]: one["data"] for one in found if one["kind"] == "ConfigMap"}
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["flusher"]["environment"]
    for given in (maps["flusher"], compose):
        assert (given["ELUMITI_METRICS_HOST"], given["ELUMITI_METRICS_PORT"]) == ("0.0.0.0", str(DOORS["flusher"]))


def test_each_alarm_names_a_chapter_of_the_runbook() -> None:
    text = (ROOT / "docs" / "operations" / "runbook.md").read_text()
    chapters = {
        re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                page, _, chapter = rule["annotations"]["runbook"].partition("#")
                assert page == "docs/operations/runbook.md"
                assert chapter in chapters, rule["alert"]


def test_panels_of_the_board_do_not_lie_on_each_other() -> None:
    board = json.loads((DEPLOY / "grafana" / "the-day.json").read_text())
    cells: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not own & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        cells |= own
