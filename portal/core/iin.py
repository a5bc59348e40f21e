"""The individual identification number (IIN): checked, sealed for each row, found by a keyed hash, shown masked (SAFETY P5).

Both keys are outside of the database, each apart: whoever has a dump has neither the numbers nor a way to try them all
(there are some twenty million for the children of one age).
"""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import date
from typing import TYPE_CHECKING

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.local import decode_key
from portal.core.i18n import N_

if TYPE_CHECKING:
    from infra.settings import PortalSettings

# Order of the Ministry of Justice: the control digit is the weighted sum modulo 11; if that is 10, by the second row;
# a number for which both give 10 is not given out.
WEIGHTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
SECOND_WEIGHTS = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
# The seventh digit: century of birth and sex.
CENTURIES = {"1": (1800, "m"), "2": (1800, "f"), "3": (1900, "m"), "4": (1900, "f"), "5": (2000, "m"), "6": (2000, "f")}
NONCE_BYTES = 12

NOT_TWELVE = N_("An IIN has 12 digits.")
NO_BIRTH = N_("The first seven digits of an IIN are birth date, century and sex; these are not.")
WRONG_CONTROL = N_("The last digit does not fit the others: one of the digits is a slip.")


class Iin(msgspec.Struct, frozen=True):
    """A number that holds; `digits` goes nowhere but into `IinKeys`."""

    digits: str
    birth_date: date
    sex: str

    def __repr__(self) -> str:
        return f"Iin({mask(self.digits)})"


def control_digit(eleven: str) -> int | None:
    """The twelfth digit; None for a number that is not given out."""
    for weights in (WEIGHTS, SECOND_WEIGHTS):
        rest = sum(int(digit) * weight for digit, weight in zip(eleven, weights, strict=True)) % 11
        if rest < 10:
            return rest
    return None


def parse(text: str) -> Iin | str:
    """The number, or the sentence that says what is wrong with it. Spaces and hyphens between digits are left aside."""
    digits = text.replace(" ", "").replace("-", "").replace("\u00a0", "")
    if len(digits) != 12 or not (digits.isascii() and digits.isdigit()):
        return NOT_TWELVE
    if digits[6] not in CENTURIES:
        return NO_BIRTH
    century, sex = CENTURIES[digits[6]]
    try:
        born = date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return NO_BIRTH
    if control_digit(digits[:11]) != int(digits[11]):
        return WRONG_CONTROL
    return Iin(digits, born, sex)


def mask(digits: str) -> str:
    """As a page shows it: the last two digits, enough to tell two numbers of one family apart."""
    return f"••••••••••{digits[-2:]}"


class IinKeys:
    """Sealing and finding, with the two keys of this process."""

    def __init__(self, seal_key: bytes, index_key: bytes) -> None:
        self._seal = AESGCM(seal_key)
        self._index_key = index_key

    def blind(self, iin: Iin) -> bytes:
        """The same for the same number: what a search by a whole number compares."""
        return hmac.digest(self._index_key, iin.digits.encode(), hashlib.sha256)

    def seal(self, iin: Iin) -> tuple[bytes, bytes]:
        """Sealed number and its index; the seal holds beside this index only."""
        blind = self.blind(iin)
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._seal.encrypt(nonce, iin.digits.encode(), blind), blind

    def open(self, sealed: bytes, blind: bytes) -> str | None:
        """The twelve digits; None if the row was sealed with another key or tampered with."""
        try:
            return self._seal.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], blind).decode()
        except InvalidTag:
            return None


def keys_of(settings: PortalSettings) -> IinKeys:
    """The keys of this installation."""
    return IinKeys(decode_key(settings.iin_key), decode_key(settings.iin_index_key))
