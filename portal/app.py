"""What granian serves: `granian --interface asgi portal.app:app`."""

from __future__ import annotations

from infra import log
from infra.local import adopt
from infra.settings import PortalSettings, read
from portal.application import create_app

log.configure()
adopt("portal")
app = create_app(read(PortalSettings))
