"""The rooms of the portal: one folder a feature. A feature imports portal.core and no other feature; here they meet."""

from __future__ import annotations

from portal.features.account import routes as account
from portal.features.home import routes as home
from portal.features.sittings import routes as sittings

ROUTES = [*account.ROUTES, *home.ROUTES, *sittings.ROUTES]
