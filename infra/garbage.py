"""The cycle collector in processes whose hot path makes no cycles.

Of itself it looks through all that lives again and again: with a roster of 300 000 pupils that is a pause of some
hundred milliseconds, and in a save it is 5 % of the CPU (docs/performance.md). It is not switched off: a library may
make cycles.
"""

from __future__ import annotations

import gc

YOUNG, MIDDLE, OLD = 50_000, 20, 50


def settle() -> None:
    """What lives now lives on; look through the rest rarely. To be called when the tables are read."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
