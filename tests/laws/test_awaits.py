"""`self.news += await work()` reads the sum before it waits: what others add meanwhile is lost. Nowhere, then."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("engine", "portal", "proctoring", "scoring", "loadtest", "infra")


def sums_over_a_wait(tree: ast.AST) -> list[int]:
    """Lines where something that others can reach is added to over an await."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.AugAssign)
        and isinstance(node.target, ast.Attribute | ast.Subscript)
        and any(waits(part) for part in ast.walk(node.value))
    ]


def waits(part: ast.AST) -> bool:
    """Whether others may run meanwhile."""
    return isinstance(part, ast.Await) or (isinstance(part, ast.comprehension) and bool(part.is_async))


@pytest.mark.parametrize(
    "words",
    ["self.news += await work()", "of[1] |= dict.fromkeys(await work())", "self.news += [one async for one in of]"],
)
def test_the_law_sees_one(words: str) -> None:
    assert sums_over_a_wait(ast.parse(f"async def f(self, of):\n    {words}"))


def parsed(text: str) -> ast.Module:
    """CPython 3.11 before 3.11.8 stumbles where another thread compiles at the same moment."""
    try:
        return ast.parse(text)
    except SystemError:
        return ast.parse(text)


def test_nothing_is_added_to_over_an_await() -> None:
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts]
    found = [
        f"{path.relative_to(ROOT)}:{line}" for path in paths for line in sums_over_a_wait(parsed(path.read_text()))
    ]
    assert len(paths) > 100
    assert not found
