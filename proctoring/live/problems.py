"""What the forwarder answers when it says no: RFC 9457, texts in English; the pages translate by `code`."""

from __future__ import annotations

TEXTS: dict[str, tuple[int, str, str]] = {
    "body-invalid": (400, "The body is not what this route takes.", "Send JSON as docs/live.md says."),
    "offer-invalid": (400, "The offer is not one video in VP8.", "Offer one video in VP8, and nothing else."),
    "sound-refused": (400, "There is sound in the offer.", "Offer no sound: none is ever taken."),
    "ticket-rejected": (401, "The ticket is missing or altered.", "Ask for the view anew."),
    "ticket-expired": (403, "The ticket is too old to begin with.", "Ask for the view anew."),
    "camera-consent-needed": (403, "There is no consent to the camera.", "Send nothing; the test goes on."),
    "ticket-used": (409, "This ticket has begun already.", "Ask for the view anew."),
    "live-over": (410, "This view has ended.", "Ask for it anew where it is needed."),
    "body-too-large": (413, "The offer is too large.", "Send at most 16 KB."),
    "too-many": (503, "This process passes on as many views as it may.", "Try again after Retry-After."),
    "try-later": (503, "Not just now.", "Try again after Retry-After."),
}


class Problem(Exception):  # noqa: N818 (the RFC's word)
    """An answer that says no."""

    def __init__(self, code: str, *, retry_after_s: int | None = None, **data: object) -> None:
        super().__init__(code)
        self.code, self.retry_after_s = code, retry_after_s
        self.status, title, detail = TEXTS[code]
        told = {"type": f"https://elumiti.kz/problems/{code}", "title": title, "status": self.status, "detail": detail}
        self.body: dict[str, object] = told | {"code": code} | data
