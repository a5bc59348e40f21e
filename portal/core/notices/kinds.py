"""What a person can be told; each kind can come by mail too, as he wishes."""

from __future__ import annotations

import msgspec

from portal.core import post
from portal.core.i18n import N_


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of notice. `mail`: comes by mail too unless its person says no."""

    code: str
    name: str
    text: str
    icon: str
    mail: bool

    @property
    def letter(self) -> str:
        """The kind of its letter."""
        return f"notice.{self.code}"


KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            code="act.waits",
            name=N_("An act waits for you as the second person"),
            text=N_("«{act}» waits for a second person. Asked by: {asker}."),
            icon="user-check",
            mail=False,
        ),
        Kind(
            code="job.done",
            name=N_("Your work is done"),
            text=N_("Done: «{job}»."),
            icon="circle-check",
            mail=False,
        ),
        Kind(
            code="job.failed",
            name=N_("Your work was not done"),
            text=N_("Not done: «{job}». Its page says why."),
            icon="circle-alert",
            mail=False,
        ),
        Kind(
            code="grant.ends",
            name=N_("A role of yours ends soon"),
            text=N_("Your role «{role}» ends: {day}. If you need it longer, write to who gave it."),
            icon="calendar-clock",
            mail=True,
        ),
        Kind(
            code="sign-in.new",
            name=N_("A sign-in from a new address"),
            text=N_(
                "Your login was used at a new address: {address}, {moment}. "
                "It was not you? Change the password and end the other sessions at once."
            ),
            icon="triangle-alert",
            mail=True,
        ),
        Kind(
            code="identity.linked",
            name=N_("Another account opens your login"),
            text=N_(
                "An account of «{provider}» was linked to your login, {moment}. "
                "It was not you? Change the password at once: that takes it off."
            ),
            icon="key-round",
            mail=True,
        ),
        Kind(
            code="identity.unlinked",
            name=N_("A linked account was taken off"),
            text=N_("The account of «{provider}» no longer opens your login, {moment}."),
            icon="key-round",
            mail=False,
        ),
    )
}
for _kind in KINDS.values():
    post.register(
        post.Letter(
            kind=_kind.letter,
            name=_kind.name,
            subject=_kind.name,
            lines=(_kind.text,),
            button=N_("Open the portal"),
        )
    )
