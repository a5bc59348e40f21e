"""Ready sentences to a child, in its own language: a proctor's own words are the exception (SAFETY R4)."""

from __future__ import annotations

from portal.core.i18n import LANGUAGES, N_, in_language, t

SENTENCES: dict[str, str] = {
    "stay": N_("Please stay on the page of the test. Your answers are kept."),
    "face": N_("Please sit so that the camera sees your face."),
    "light": N_("It is dark at your place. If you can, switch a light on; there is no hurry."),
    "alone": N_("You sit the test by yourself. Please ask whoever is beside you to leave the room."),
    "things": N_("Please put phone, notes and books away."),
    "one-screen": N_("Please switch the second screen off."),
    "calm": N_("All is well. Take your time: it is enough."),
}


def in_all_languages(code: str) -> dict[str, str]:
    """As a message carries it."""
    said: dict[str, str] = {}
    for language in LANGUAGES:
        with in_language(language):
            said[language] = t(SENTENCES[code])
    return said
