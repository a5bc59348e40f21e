"""What a letter holds: the headers that we set and no others, whatever a name contains; HTML that is only ours."""

from __future__ import annotations

import datetime as dt
import email
import string
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.mail import mail_server, sender
from portal.core.accounts.contacts import as_email, as_phone
from portal.core.post.letters import LETTERS, Letter, one_line, write
from portal.core.post.mail import message
from portal.features.routes import ROUTES
from tests.support.mailbox import html_of, text_of

assert ROUTES, "the features register their letters when they are read"
HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language"),
    *("MIME-Version", "Content-Type"),
}
SENT = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


class Settings:
    """Those that a letter is written with."""

    portal_url = "https://portal.example.kz/"
    link_key = "A" * 43


def posted(letter: Letter, filled: dict[str, object], language: str = "kk") -> EmailMessage:
    """The letter as the receiver's mail program reads it."""
    written = write(letter, filled, language, Settings())  # type: ignore[arg-type]
    raw = message(written, "a@mail.test", "El Úmiti <noreply@elumiti.test>", 7, SENT).as_bytes()
    read = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["kk", "ru", "en"]))
@example("Айгүл\r\nBcc: all@mail.test\r\n\r\n<script>alert(1)</script>", "kk")
@example("x\nTo: b@mail.test", "ru")
@example("\u2028Cc: c@mail.test\x0b\x85", "en")
@example("=?utf-8?q?x=0ABcc:_d@mail.test?=", "kk")
def test_no_name_becomes_a_header_or_markup(name: str, language: str) -> None:
    """Line ends, encoded words, tags: all of it is text."""
    odd = Letter(kind="odd", name="odd", subject="{name}", lines=("{name}",), path="/", button="Sign in")
    read = posted(odd, {"name": name}, language)
    assert set(read.keys()) == HEADERS
    assert [str(one) for one in read.get_all("To")] == ["a@mail.test"]
    assert len(read.get_all("Subject")) == 1
    assert html_of(read).count("<script") == 0
    assert html_of(read).count("<a href=") == 1


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
@pytest.mark.parametrize("kind", LETTERS)
def test_each_letter_can_be_written(kind: str, language: str) -> None:
    """With the values that its writers give; both parts say the same and lead to the same page of ours."""
    filled: dict[str, object] = {
        "login": "aigul",
        "seed": "s",
        "link": "/acts",
        "act": {"text": "Send a message"},
        "asker": "Гүлнар",
        "job": {"text": "Scoring"},
        "role": {"kk": "проктор", "ru": "проктор", "en": "proctor"},
        "system": "Platonus",
        "provider": {"kk": "Google", "ru": "Google", "en": "Google"},
        "day": {"day": "2026-12-01T18:59:00+00:00"},
        "address": "10.0.0.1",
        "moment": {"moment": "2026-11-23T09:00:00+00:00"},
        "sitting": {"kk": "Күзгі кезең", "ru": "Осенний этап", "en": "Autumn round"},
        "school": {"kk": "№ 1 мектеп", "ru": "Школа № 1", "en": "School No. 1"},
        "class_name": "5А",
        "colleague": "Гүлнар",
        "count": 12,
        "minutes": 10,
    }
    read = posted(LETTERS[kind], filled, language)
    text, html = text_of(read), html_of(read)
    assert "{" not in text + str(read["Subject"])
    assert "https://portal.example.kz/" in text
    assert "https://portal.example.kz/" in html
    assert "token=s" not in text, "the seed alone is no link"


def test_a_letter_says_nothing_of_a_child_and_no_number_of_a_person() -> None:
    """What may stand in one is named here: who adds a value thinks of SAFETY P5 and P6 first."""
    values = {"login", "act", "asker", "job", "role", "provider", "system", "day", "address", "moment"}
    # A class or a sitting is many children's; a code is of whoever asked for it.
    values |= {"sitting", "school", "class_name", "code"}
    # A colleague on shift, how many children, how long a pause was.
    values |= {"colleague", "count", "minutes"}
    for letter in LETTERS.values():
        for text in (letter.subject, *letter.lines):
            assert {name for _, name, _, _ in string.Formatter().parse(text) if name} <= values, letter.kind


@pytest.mark.parametrize("text", ["a\r\nb", "a\tb", " a \x00 b ", "a\u2029b", "a\x1c\x85b"])
def test_a_subject_is_one_line(text: str) -> None:
    assert one_line(text) == "a b"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (" Aigul.S@Mail.KZ ", "aigul.s@mail.kz"),
        ("a+b@sub.mail.kz", "a+b@sub.mail.kz"),
        *[
            (wrong, None)
            for wrong in ("a@b", "a b@mail.kz", "a@mail.kz, b@mail.kz", "a@mail.kz\nBcc: x@y.kz", "<a@mail.kz>")
        ],
        *[
            (wrong, None)
            for wrong in ("айгүл@mail.kz", ".a@mail.kz", "a..b@mail.kz", "a@-mail.kz", "a" * 250 + "@mail.kz")
        ],
    ],
)
def test_an_address_is_one_address(text: str, read: str | None) -> None:
    assert as_email(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("8 (700) 123-45-67", "+77001234567"),
        ("+7 700 123 45 67", "+77001234567"),
        ("123", None),
        ("+7700123456x", None),
    ],
)
def test_a_phone_is_written_one_way(text: str, read: str | None) -> None:
    assert as_phone(text) == read


@pytest.mark.parametrize(
    "url", ["mail.kz:587", "http://mail.kz", "smtp://", "smtp://mail.kz/x", "smtp://a:kept@mail.kz:x"]
)
def test_a_setting_that_cannot_be_read_is_not_repeated(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the words are what counts)
        _ = mail_server(url)
    assert "kept" not in str(caught.value)


def test_the_sender_is_a_name_and_an_address() -> None:
    assert sender("El Úmiti <noreply@elumiti.test>").addr_spec == "noreply@elumiti.test"
    assert sender("noreply@elumiti.test").display_name == ""
    for wrong in ("", "El Úmiti", "a\nb <x@y.kz>"):
        with pytest.raises(ValueError, match="write it as"):
            sender(wrong)
