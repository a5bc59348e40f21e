"""The worker is a process of its own: what a page promises as a file, it must know how to write."""

from __future__ import annotations

import json
import subprocess
import sys

KNOWN = "import json, {module}\nfrom portal.core.files.exports import EXPORTS\nprint(json.dumps(sorted(EXPORTS)))"


def known_to(module: str) -> list[str]:
    """Codes of the lists that a process knows which loads no more than this."""
    told = subprocess.run(
        [sys.executable, "-c", KNOWN.format(module=module)], capture_output=True, text=True, check=True
    )
    return json.loads(told.stdout.splitlines()[-1])


def test_the_worker_writes_each_list_that_a_page_offers() -> None:
    offered = known_to("portal.features.routes")
    assert {"verdicts", "attached", "kpi"} <= set(offered)
    assert known_to("portal.features.work") == offered
