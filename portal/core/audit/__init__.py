"""The audit trail: every act beside its change, in the same transaction; the chain is made by the database.

Acts are codes `area.thing.verb`; `ACTS` gives each its sentence, and a law test finds a code without one.
"""

from __future__ import annotations

from portal.core.audit.acts import ACTS, KINDS
from portal.core.audit.record import record, record_for

__all__ = ["ACTS", "KINDS", "record", "record_for"]
