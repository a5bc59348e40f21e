"""What granian serves: `granian --interface asgi portal.app:app`."""

from __future__ import annotations

from infra import log
from infra.local import adopt
from infra.parts.process import die_with_parent
from infra.settings import PortalSettings, read
from portal.application import create_app

die_with_parent()
log.configure()
adopt("portal")
app = create_app(read(PortalSettings))
