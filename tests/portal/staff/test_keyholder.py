"""The way into a house where nobody can give roles."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from infra.local import environment

if TYPE_CHECKING:
    from infra.parts.supervisor import Stack
    from tests.portal.conftest import House

COMMAND = "import sys; from portal.cli import keyholder; keyholder(*sys.argv[1:])"


def test_a_command_makes_the_first_keyholder(house: House, stack: Stack) -> None:
    """With a password that is printed once; he signs in, is asked for a second proof, and all of it is on record."""
    environ = {**os.environ, **environment(stack.home, "portal")}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-c", COMMAND, *words]
        return subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=60, check=False)

    assert "FULL NAME" in run("first-of-house").stderr
    said = run("first-of-house", "Бірінші Адам").stdout
    password = said.split("only now: ")[1].strip()
    visitor = house.visitor()
    assert visitor.post("/sign-in", {"login": "first-of-house", "password": password}).status_code == 303
    assert visitor.get("/staff").headers["location"].startswith("/second-factor")
    row = house.sql(
        """
        select g.role, g.project, a.acting_as
        from staff_grant g
        join staff s on s.id = g.staff_id
        join audit a on a.object_kind = 'staff' and a.object_id = s.id::text and a.act = 'staff.role.given'
        where s.login = 'first-of-house'
        """
    )
    assert [tuple(one) for one in row] == [("super-admin", None, "command")]
    login = house.person("proctor")
    assert "Password" not in run(login).stdout
    assert house.visitor(login).get("/staff").status_code == 200
