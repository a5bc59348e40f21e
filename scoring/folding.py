"""What counts as the same answer when a child types it: numbers and short texts, folded to one form."""

from __future__ import annotations

import unicodedata
from decimal import Decimal, InvalidOperation

# Hyphens and minus signs that phones' keyboards give for «minus».
MINUS_SIGNS = dict.fromkeys(map(ord, "‐‑‒–—―−﹣-"), "-")
# Apostrophes and quotation marks carry no meaning in a one-word answer.
QUOTES = dict.fromkeys(map(ord, "«»„“”‘’'\"`ʼ"))
TRAILING = ".,;:!?…"
NUMBER_LENGTH = 40


def parse_number(typed: str) -> Decimal | None:
    """The number a person meant, or None when it isn't one.

    «3,5» = «3.5»; spaces of every kind group digits; each kind of minus sign and a leading plus are read.
    «1.234,5» and «1,2,3» are no numbers: which separator groups can't be known, and guessing would be
    scoring.
    """
    text = unicodedata.normalize("NFKC", typed).translate(MINUS_SIGNS)
    text = "".join(character for character in text if not character.isspace())
    if not text or len(text) > NUMBER_LENGTH or text.count(",") + text.count(".") > 1:
        return None
    text = text.replace(",", ".")
    digits = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    whole, _, fraction = digits.partition(".")
    if not (whole + fraction).isdecimal():
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def fold_text(typed: str, *, fold_case: bool = True) -> str:
    """A short answer in the form in which answers are compared.

    NFC; spaces of every kind become one; quotes and closing punctuation go; «ё» is «е»; dashes are one dash.
    Kazakh letters stay as they are: қ and к are different letters, and a key that accepts both says so
    itself.
    """
    text = unicodedata.normalize("NFC", typed).translate(MINUS_SIGNS).translate(QUOTES)
    text = " ".join(text.split()).strip(TRAILING + " ")
    if fold_case:
        text = text.casefold()
    return unicodedata.normalize("NFC", text.replace("ё", "е").replace("Ё", "Е"))
