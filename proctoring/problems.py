"""What the ingest answers when it says no: RFC 9457, texts in English; the player translates by `code`."""

from __future__ import annotations

import random

import msgspec

encode = msgspec.json.Encoder().encode
KIND = ("content-type", "application/problem+json")
NO_STORE = ("cache-control", "no-store")
# Statuses after which the body may still be on its way: that connection serves no other request.
ENDS_CONNECTION = {408, 413}
RETRY_S = (15, 60)

TEXTS: dict[str, tuple[int, str, str]] = {
    "query-invalid": (400, "n, at or kind is missing or wrong.", "Send ?n=NUMBER&at=MILLISECONDS&kind=snapshot."),
    "body-invalid": (400, "The body is not what this route takes.", "See `field` and docs/pictures.md."),
    "body-truncated": (400, "The body ended too early.", "Send the same again."),
    "token-rejected": (401, "The token is missing or altered.", "Sign in again."),
    "not-open-yet": (403, "Pictures of this sitting are not taken yet.", "Come back at `opens_s`."),
    "token-expired": (403, "Pictures of this sitting are not taken any more.", "Forget them."),
    "not-watched": (403, "This sitting is not proctored.", "Send no pictures, and forget those you have."),
    "kind-not-wanted": (403, "This sitting takes no pictures of this kind.", "Send none of them."),
    "device-replaced": (403, "Another device has this attempt now.", "Keep them and ask again in a minute."),
    "camera-consent-needed": (403, "There is no consent to the camera.", "Send no pictures; the test goes on."),
    "not-found": (404, "There is nothing at this address.", "See docs/pictures.md."),
    "method-not-allowed": (405, "This route does not take this method.", "See docs/pictures.md."),
    "body-slow": (408, "The body did not come in time.", "Send the same again."),
    "body-too-large": (413, "The picture is too large.", "Make it smaller: at most `limit` bytes."),
    "not-a-picture": (415, "This is no WebP or JPEG that we can show.", "Take the picture anew."),
    "slow-down": (429, "Too many pictures of one candidate.", "Keep them and wait as Retry-After says."),
    "internal": (500, "Something failed on our side.", "Send the same again."),
    "try-later": (503, "Not kept just now.", "Keep the picture and send the same again after Retry-After."),
}


class Problem(Exception):  # noqa: N818 (the RFC's word)
    """An answer that says no: code, status, and what the phone is to do."""

    def __init__(self, code: str, *, retry_after_s: int | None = None, **data: object) -> None:
        super().__init__(code)
        self.code = code
        self.status, title, detail = TEXTS[code]
        self.headers = [KIND, NO_STORE]
        if retry_after_s is None and self.status == 503:
            # At random, so that those sent away do not come back together.
            retry_after_s = random.randint(*RETRY_S)
        if retry_after_s is not None:
            self.headers.append(("retry-after", str(retry_after_s)))
        if self.status in ENDS_CONNECTION:
            self.headers.append(("connection", "close"))
        told = {"type": f"https://elumiti.kz/problems/{code}", "title": title, "status": self.status, "detail": detail}
        self.body = encode(told | {"code": code} | data)
