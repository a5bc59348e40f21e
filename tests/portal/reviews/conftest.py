"""Persons of a test's own region."""

from __future__ import annotations

from tests.portal.persons.conftest import add  # noqa: F401 (a fixture)
