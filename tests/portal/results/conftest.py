"""A published run and persons, as the talents' tests have them."""

from __future__ import annotations

from tests.portal.persons.conftest import add  # noqa: F401 (a fixture)
from tests.portal.talents.conftest import scene, section  # noqa: F401 (fixtures)
