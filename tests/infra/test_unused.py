"""A port that was chosen for a part is still free when the part opens it, minutes later."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from infra.cluster.plan import BUS, PORTS, Plan
from infra.parts.unused import ALL, FOR_CLUSTERS, unused_ports

if TYPE_CHECKING:
    from pathlib import Path


def test_no_port_of_a_cluster_is_given_to_others(tmp_path: Path) -> None:
    for first in FOR_CLUSTERS[::PORTS]:
        assert not set(Plan(tmp_path, first).all_ports().values()) & set(ALL)
    assert all(port + BUS < 32_768 for port in FOR_CLUSTERS)


def test_a_process_that_a_test_starts_chooses_none_of_its_ports() -> None:
    ours = set(unused_ports(500))
    words = "from infra.parts.unused import unused_ports; print(*unused_ports(500))"
    theirs = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout.split()
    assert len(theirs) == 500
    assert not ours & {int(port) for port in theirs}
