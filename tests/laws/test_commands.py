"""Every parameter of every command says what it is: `--help` is all that a person at a terminal has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.cli import commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    import cyclopts


def unexplained(app: cyclopts.App, name: str) -> Iterator[str]:
    """`COMMAND PARAMETER` of each one without a word."""
    for word in app:
        if not word.startswith("-"):
            yield from unexplained(app[word], f"{name} {word}")
    if app.default_command:
        for argument in app.assemble_argument_collection(parse_docstring=True):
            if argument.show and not argument.parameter.help:
                yield f"{name} {argument.name}"


def test_each_parameter_of_a_command_is_explained() -> None:
    assert list(unexplained(commands(), "elumiti")) == []
