"""Pages that were not built: who starts the platform reads it where he reads the addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra import pages
from infra.local import Home
from infra.parts.unused import free_ports
from infra.up import tell

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_checkout_without_pages_says_so_beside_its_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built = tmp_path / "built"
    built.touch()
    monkeypatch.setattr(pages, "PAGES", {"player": tmp_path / "nowhere", "portal": built})
    tell(Home(tmp_path, free_ports()), None)
    told = capsys.readouterr().out
    assert "The pages of the player are not built: nobody can use it. Run `make pages`." in told
    assert "pages of the portal" not in told
    built.rename(tmp_path / "nowhere")
    monkeypatch.setattr(pages, "PAGES", {"player": tmp_path / "nowhere"})
    tell(Home(tmp_path, free_ports()), None)
    assert "not built" not in capsys.readouterr().out
