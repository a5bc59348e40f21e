"""What staff order players to do: a control with an absolute value, done at once or by two persons (SAFETY J5)."""

from __future__ import annotations

from portal.core.controls.doing import ask, order_of, target_of, write

__all__ = ["ask", "order_of", "target_of", "write"]
