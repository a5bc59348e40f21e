"""What a password must be: long enough, and not one that is tried first (ASVS 6.2.1, 6.2.4, 6.2.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.i18n import N_

if TYPE_CHECKING:
    from portal.core.forms import Form

LEAST, MOST = 10, 200
# zxcvbn (Wheeler, USENIX Security 2016): from 2 on it outlives an attacker who asks the server.
ENOUGH = 2
# Its time grows with the square of the length; what is longer than this is not in any list.
LOOKED_AT = 64


def require_strong(form: Form, field: str, password: str, *own_words: str) -> None:
    """Note at `field` what is wrong with a new password; `own_words` (login, name) count as guessed."""
    if not LEAST <= len(password) <= MOST:
        form.miss(field, N_("At least {least} characters; a sentence is easier to remember."), least=LEAST)
    elif is_guessed(password, own_words):
        form.miss(
            field, N_("This one is guessed soon: a common word, a row of keys or your own name. Take a sentence.")
        )


def is_guessed(password: str, own_words: tuple[str, ...]) -> bool:
    """Whether it is among what is tried first."""
    # Read when it is needed: its lists of words take a tenth of a second, and few change a password.
    from zxcvbn import zxcvbn

    known = [part for word in own_words for part in (word, *word.split()) if part]
    return zxcvbn(password[:LOOKED_AT], user_inputs=known)["score"] < ENOUGH
