"""Notices: what concerns a person, in the portal and, if he wishes, by mail. Written in the transaction that causes it."""

from __future__ import annotations

from portal.core.notices.kinds import KINDS, Kind
from portal.core.notices.tell import done_with, erase_old, tell, there

__all__ = ["KINDS", "Kind", "done_with", "erase_old", "tell", "there"]
