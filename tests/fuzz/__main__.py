"""`make fuzz`: a million inputs, led by coverage (atheris), from the corpus beside this file. Ends with how many and how fast.

Arguments are libFuzzer's, as `-runs=5000000` or `-max_total_time=600`; an input that fails is kept in build/fuzz.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["engine", "infra"]):
    from tests.fuzz.targets import one_input

HERE = Path(__file__).parent
FINDS = HERE.parents[1] / "build" / "fuzz"


def main() -> None:
    """Run libFuzzer, which leaves the process by itself."""
    FINDS.mkdir(parents=True, exist_ok=True)
    asked = sys.argv[1:] or ["-runs=1000000"]
    # New inputs go to a folder that goes away: the kept corpus changes by a person's hand only.
    grown = tempfile.mkdtemp(prefix="fuzz-")
    usual = ["-max_len=8192", "-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1", f"-artifact_prefix={FINDS}/"]
    print(f"fuzz: {', '.join(asked)}, began {time.strftime('%H:%M:%S')}", flush=True)
    atheris.Setup([sys.argv[0], *usual, *asked, grown, str(HERE / "corpus")], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
