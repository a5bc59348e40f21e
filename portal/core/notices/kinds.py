"""What a person can be told; each kind can come by mail too, as he wishes."""

from __future__ import annotations

import msgspec

from portal.core import post
from portal.core.i18n import N_


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of notice. `mail`: comes by mail too unless its person says no; `guards`: the login's safety, no consent is asked."""

    code: str
    name: str
    text: str
    icon: str
    mail: bool
    guards: bool = False

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
            code="watch.handed-over",
            name=N_("A colleague hands you children of the wall"),
            text=N_(
                "{colleague} handed you children of the wall: {count}. Open the wall within two minutes, or they go to others."
            ),
            icon="users",
            mail=False,
        ),
        Kind(
            code="watch.pause-ended",
            name=N_("A pause of yours ended by rule"),
            text=N_("The clock of a child in your hands goes on: your pause had lasted {minutes} minutes."),
            icon="timer",
            mail=False,
        ),
        Kind(
            code="watch.sealed",
            name=N_("A picture that should not be seen was sealed"),
            text=N_("A picture was sealed. Nobody sees it; please decide about it."),
            icon="lock",
            mail=True,
        ),
        Kind(
            code="machine.stopped",
            name=N_("A joined system was stopped"),
            text=N_("«{system}» changed more persons in an hour than it may. It waits until a person lets it go on."),
            icon="triangle-alert",
            mail=True,
        ),
        Kind(
            code="hook.given-up",
            name=N_("A webhook does not answer"),
            text=N_("«{system}» did not take an event for a day. Its page says what it answered."),
            icon="circle-alert",
            mail=True,
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
            guards=True,
        ),
        Kind(
            code="consent.sitting",
            name=N_("A pupil no longer takes part in a sitting"),
            text=N_("The consent to take part was withdrawn: a code of «{sitting}» is locked. School: {school}."),
            icon="ban",
            mail=True,
        ),
        Kind(
            code="registration.waits",
            name=N_("Requests of your class wait"),
            text=N_("A pupil asks to be registered in the class {class_name}. Please compare and confirm."),
            icon="user-check",
            mail=True,
        ),
        Kind(
            code="registration.confirmed",
            name=N_("Your teacher has confirmed you"),
            text=N_("Your teacher has confirmed you. Open the page «About me»: it says what comes next."),
            icon="circle-check",
            mail=False,
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
