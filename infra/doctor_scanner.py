"""What `elumiti doctor` asks of the virus scanner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.clamd import ScannerAwayError, version
from infra.doctor_parts import Finding

if TYPE_CHECKING:
    from infra.settings import PortalSettings


async def scanner(settings: PortalSettings) -> Finding:
    """Whether it answers; «off» is no fault, and is said."""
    if not settings.clamd_address:
        return Finding("scanner", "no virus scanner is set: documents of portfolios are «not checked»", None)
    try:
        told = await version(settings.clamd_address)
    except ScannerAwayError as error:
        words = " ".join(str(error).split())[:200].rstrip(".")
        remedy = "Start clamd, or mend ELUMITI_CLAMD_ADDRESS; documents wait and are closed meanwhile."
        return Finding("scanner", f"clamd does not answer ({words})", remedy)
    return Finding("scanner", told[:200], None)
