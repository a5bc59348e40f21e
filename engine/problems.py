"""Every problem a candidate's device can meet, as ready bytes of RFC 9457 where nothing in them varies.

A refusal costs the server less than the request that caused it. Texts are English; the player translates by `code`.
"""

from __future__ import annotations

import msgspec

encode = msgspec.json.Encoder().encode
HEADERS = [("content-type", "application/problem+json"), ("cache-control", "no-store")]
REQUEST_TIMEOUT = 408


class Problem(Exception):  # noqa: N818 (the RFC's word)
    """An answer that says no: code, status, and what the client is to do."""

    def __init__(self, code: str, *, retry_after_s: int | None = None, allow: str = "", **data: object) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.title, self.detail = TEXTS[code]
        self.headers = HEADERS
        if retry_after_s is not None:
            self.headers = [*HEADERS, ("retry-after", str(retry_after_s))]
        elif allow:
            # RFC 9110 asks for it with every 405.
            self.headers = [*HEADERS, ("allow", allow)]
        elif self.status == REQUEST_TIMEOUT:
            # What is left of the body may still come: this connection serves no other request.
            self.headers = [*HEADERS, ("connection", "close")]
        self.body = encode(
            {
                "type": f"https://elumiti.kz/problems/{code}",
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "code": code,
                **data,
            }
        )


TEXTS: dict[str, tuple[int, str, str]] = {
    "body-invalid": (400, "The body is not what this route takes.", "See `field` and docs/protocol.md."),
    "body-truncated": (400, "The body ended too early.", "Send the same again."),
    "seq-not-ascending": (
        400,
        "Sequence numbers must rise within a batch.",
        "Sort the events by seq and send them again.",
    ),
    "too-many-events": (400, "Too many events in one batch.", "Send at most 200 a save."),
    "too-deep": (400, "The JSON is nested too deeply.", "At most 16 levels."),
    "finish-missing": (400, "There is no finish event.", "The finish event must be the one with the highest seq."),
    "code-malformed": (
        400,
        "This cannot be a code of ours.",
        "Compare it with the slip; the check character does not fit.",
    ),
    "code-unknown": (401, "This code is not known.", "Compare it with the slip, or call the person in charge."),
    "birth-mismatch": (401, "Day or month of birth differ.", "Enter the pupil's own day and month of birth."),
    "token-rejected": (401, "The token is missing, altered or expired.", "Sign in again."),
    "waiting-not-open": (403, "The waiting room is not open yet.", "Come back at `opens_ms`."),
    "sitting-over": (403, "The sitting is over.", "Answers that are still on the device can be saved."),
    "entry-closed": (403, "The last entry has passed.", "Call the person in charge."),
    "attempt-foreign": (403, "The token belongs to another attempt.", "Send each attempt's events with its own token."),
    "not-found": (404, "There is nothing at this address.", "See docs/protocol.md."),
    "bundle-unknown": (404, "There is no such file.", "Take names from the manifest."),
    "method-not-allowed": (405, "This route does not take this method.", "See docs/protocol.md."),
    "body-slow": (408, "The body did not come in time.", "Send the same again."),
    "device-held": (409, "Too many devices in a short time.", "The person in charge must allow the next one."),
    "body-too-large": (413, "The body is too large.", "Send at most as many bytes as `limit` says."),
    "encoding-refused": (415, "The body is compressed.", "Send it as it is: a save is a few hundred bytes."),
    "range-invalid": (416, "This range is not in the file.", "Ask for bytes within its size."),
    "code-locked": (423, "This code is locked.", "The person in charge can unlock it."),
    "too-early": (425, "The test has not started.", "Ask again at `starts_ms` by the server's clock."),
    "slow-down": (429, "Too much of one pupil or address.", "Keep everything and wait as Retry-After says."),
    "internal": (500, "Something failed on our side.", "Send the same again."),
    "try-later": (503, "Not stored just now.", "Keep everything and send the same again after Retry-After."),
}
