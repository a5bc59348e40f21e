"""What a list page reads from its address: filters, order, page; whatever a person typed there, it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection

    from portal.core.accounts.structs import StaffRequest

ROWS = 25
LAST_PAGE = 100_000


class Listing(msgspec.Struct, frozen=True):
    """Order and page of a list."""

    sort: str
    at: int
    rows: int = ROWS

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return self.rows * (self.at - 1)

    def pages(self, total: int) -> int:
        """How many pages there are."""
        return max(1, -(-total // self.rows))


def listing(request: StaffRequest, sorts: Collection[str], default: str, rows: int = ROWS) -> Listing:
    """Read `sort` and `page`; what is unknown becomes the default."""
    sort, at = request.query_params.get("sort", default), request.query_params.get("page", "1")
    number = int(at) if at.isascii() and at.isdigit() and len(at) < 7 else 1
    return Listing(sort if sort in sorts else default, min(max(1, number), LAST_PAGE), rows)


def picked(request: StaffRequest, name: str, allowed: Collection[str], default: str = "") -> str:
    """A filter with a list of values."""
    value = request.query_params.get(name, default)
    return value if value in allowed else default


def words(request: StaffRequest, name: str = "q") -> str:
    """A free text of the address, bounded."""
    return request.query_params.get(name, "").strip().replace("\0", "")[:100]
