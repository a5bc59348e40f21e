"""The house's own rules: features stand side by side, joined only through the core."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import portal

FEATURES = Path(portal.__file__).parent / "features"
NAMES = sorted(folder.name for folder in FEATURES.iterdir() if folder.is_dir() and not folder.name.startswith("_"))
LONGEST = 400


@pytest.mark.parametrize("name", NAMES)
def test_a_feature_uses_no_other_feature(name: str) -> None:
    """Neither its code nor its templates."""
    for file in (FEATURES / name).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("portal.features."):
                assert node.module is not None
                assert node.module.split(".")[2] == name, (file, node.module)
    for file in (FEATURES / name).rglob("*.html"):
        for used in re.findall(r'{%-?\s*(?:include|extends|import|from)\s+"([^"]+)"', file.read_text()):
            assert "/" not in used or used.startswith(f"{name}/"), (file, used)


def test_no_file_is_longer_than_a_person_reads_at_once() -> None:
    """400 lines."""
    root = Path(portal.__file__).parent
    for file in [*(root / "core").rglob("*.py"), *FEATURES.rglob("*.py")]:
        assert len(file.read_text().splitlines()) <= LONGEST, file


def test_templates_hold_no_inline_style_or_script() -> None:
    """The page's policy refuses them."""
    for file in Path(portal.__file__).parent.rglob("templates/**/*.html"):
        source = file.read_text()
        assert not re.search(r'\sstyle="|<style|\son\w+="|<script(?![^>]*\ssrc=)|javascript:', source), file
