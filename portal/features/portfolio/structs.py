"""Documents of a portfolio: rows and words."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from portal.core.i18n import N_

KINDS: dict[str, str] = {
    "diploma": N_("Diploma of education"),
    "school-certificate": N_("School certificate"),
    "course": N_("Certificate of a course"),
    "award": N_("Diploma of a competition"),
    "language": N_("Language certificate"),
    "thanks": N_("Letter of thanks"),
    "reference": N_("Reference"),
    "other": N_("Another document"),
}
LANGUAGES: dict[str, str] = {
    "kk": N_("Kazakh"),
    "ru": N_("Russian"),
    "en": N_("English"),
    "other": N_("another language"),
}
STATES: dict[str, str] = {
    "waits": N_("waits for the check"),
    "clean": N_("no virus found"),
    "unchecked": N_("not checked for viruses"),
    "refused": N_("refused: a virus was found"),
}
TONES = {"waits": "sky", "clean": "leaf", "unchecked": "sun", "refused": "clay"}
ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class NewDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What the form says of it."""

    kind: str
    title: str
    issuer: str
    issued_on: date | None
    language: str


class Document(NewDocument, frozen=True, kw_only=True):
    """A row."""

    id: int
    person_id: int
    media: str
    size_bytes: int
    object_key: str | None
    preview_key: str | None
    state: str
    note: str
    added_by: str
    added_by_id: int
    added_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None

    @property
    def opens(self) -> bool:
        """Whether anybody may open it: the worker has looked at it and refused nothing."""
        return self.state in {"clean", "unchecked"}

    @property
    def file_name(self) -> str:
        """For a person's folder."""
        return f"{self.title[:80]}.{ENDINGS[self.media]}".replace("/", " ")
