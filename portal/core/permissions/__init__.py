"""Permissions: declared beside each route, given to roles as data, held within a territory."""

from __future__ import annotations

from portal.core.permissions.guards import Allows, Public, allows, public, require_country

__all__ = ["Allows", "Public", "allows", "public", "require_country"]
