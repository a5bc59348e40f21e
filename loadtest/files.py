"""Open files: each connection is one, and a shell allows 1 024 of them unless it is asked."""

from __future__ import annotations

import math
import resource

from infra.errors import PlainError
from loadtest.asked import require

# Of the process itself: logs, the loop, Postgres, Valkey.
SPARE = 200


def make_room(connections: int) -> None:
    """Let this process, and those it starts from now on, hold so many; a PlainError if there can't be."""
    require("connections", connections, 1, math.inf)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and connections + SPARE > hard:
        what = f"{connections} connections are more than a process may hold here ({hard} open files)."
        raise PlainError(what, f"At most {hard - SPARE} with --connections, or raise the limit: ulimit -Hn.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
