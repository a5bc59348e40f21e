"""`python -m infra.settings_page` writes docs/operations/settings.md from the settings' own structs."""

from __future__ import annotations

from pathlib import Path
from typing import get_args, get_origin

import msgspec

from infra.settings import PREFIX, PROCESSES, Doc, ObjectStore

PAGE = Path(__file__).parent.parent / "docs" / "operations" / "settings.md"
HEAD = f"""\
# Settings

Every process reads its settings from the environment, and only those of its own table below.
A process on a machine of its own gets exactly these variables, no others: what it does not hold it cannot leak.
`elumiti up` makes them all for one machine; commands run by hand find them in its home folder (`var/` or `ELUMITI_HOME`).
Replacing an embedded part by an external one is a change of its URL here and nothing else; `elumiti doctor` checks each.

- Values that are not plain text are JSON: `{PREFIX}NEXT_SAVE_S=30`, `{PREFIX}TRUSTED_PROXIES=["10.0.0.1"]`.
- Keys are 32 random bytes in base64url without padding.
- Where secrets lie, who reads them, and what their loss means: [secrets](secrets.md).

Rendered by `python -m infra.settings_page`; do not edit.
"""


def page() -> str:
    """The whole page."""
    tables = [_table(name, kind) for name, kind in PROCESSES.items()]
    store = "\n".join(
        f"- `{field.name}`: {_kind(field.type)}{_default(field)}" for field in msgspec.structs.fields(ObjectStore)
    )
    objects = f"## The object store\n`{PREFIX}OBJECTS` is a JSON object:\n\n{store}\n"
    return "\n".join([HEAD, *tables, objects])


def _table(name: str, kind: type[msgspec.Struct]) -> str:
    rows = "\n".join(
        f"| `{PREFIX}{field.name.upper()}` | {_kind(field.type)} |{_default(field) or ' required'} | {doc(field)} |"
        for field in msgspec.structs.fields(kind)
    )
    told = " ".join((kind.__doc__ or "").split())
    return f"## {name}\n{told}\n\n| variable | kind | default | meaning |\n| --- | --- | --- | --- |\n{rows}\n"


def doc(field: msgspec.structs.FieldInfo) -> str:
    """What a setting is for; empty if its author did not say."""
    notes = getattr(field.type, "__metadata__", ())
    return next((note.text for note in notes if isinstance(note, Doc)), "")


def _kind(kind: object) -> str:
    base = getattr(kind, "__origin__", kind) if getattr(kind, "__metadata__", None) else kind
    if base is ObjectStore:
        return "[object store](#the-object-store)"
    if get_origin(base) is None:
        return {str: "text", int: "whole number", float: "number", bool: "true or false"}[base]  # type: ignore[index]
    inner = ", ".join(_kind(part) for part in get_args(base))
    return f"{'list' if get_origin(base) is list else 'map'} of {inner}"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return ""
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return f" `{msgspec.json.encode(value).decode()}`"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
