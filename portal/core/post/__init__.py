"""Mail and SMS: put into the outbox beside the change that causes them, sent by the worker, seen on a page.

A feature registers its letters (`letters.register`) and calls `put` in its transaction; nothing is sent before the commit.
"""

from __future__ import annotations

from portal.core.post.letters import LETTERS, Letter, register
from portal.core.post.outbox import put

__all__ = ["LETTERS", "Letter", "put", "register"]
