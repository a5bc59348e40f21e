"""One key for all spellings of a name: Kazakh and Russian letters, and the Latin alphabets of 2018 and 2021 or plain ASCII.

The key is for finding and for comparing, never for showing. It merges more than it parts: «Бекхан», «Bekkhan» and
«Bekhan» are one, and so are «Алия», «Әлия» and «Aliya». Whoever looks for a person types a name as he heard it.
"""

from __future__ import annotations

import functools
import re
import unicodedata

# Letters of all alphabets as sounds. What has two letters here stays two in the key: «Есхат» and «Eshat» must meet.
SOUNDS = {
    "а": "a",
    "ә": "a",
    "б": "b",
    "в": "v",
    "г": "g",
    "ғ": "g",
    "д": "d",
    "е": "e",
    "ё": "e",
    "ж": "zh",
    "з": "z",
    "и": "i",
    "й": "i",
    "і": "i",
    "ы": "i",
    "к": "k",
    "қ": "k",
    "л": "l",
    "м": "m",
    "н": "n",
    "ң": "n",
    "о": "o",
    "ө": "o",
    "п": "p",
    "р": "r",
    "с": "s",
    "т": "t",
    "у": "u",
    "ұ": "u",
    "ү": "u",
    "ф": "f",
    "х": "h",
    "һ": "h",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "sh",
    "ъ": "",
    "ь": "",
    "э": "e",
    "ю": "iu",
    "я": "ia",
    # Latin: «ý» is «у» in the alphabet of 2018, «y» is «ы» or «й»; «ı» and «i» change places between 2018 and 2021.
    "ý": "u",
    "y": "i",
    "ı": "i",
    "j": "zh",
    "q": "k",
    "w": "u",
    "x": "ks",
    "ş": "sh",
    "ç": "ch",
    "č": "ch",
    "š": "sh",
    "ž": "zh",
    "ß": "s",
}
APART = re.compile(r"[^\w'’ʼ`]+|_")
NOT_SOUND = re.compile(r"[^a-z0-9]")
DOUBLED = re.compile(r"([a-z])\1+")
LONE_C = re.compile(r"c(?!h)")
# In this order, on sounds: «Yerlan» is «Ерлан», «Akhmet» is «Ахмет», «Джамиля» is «Жәмила», «Куляш» is «Күләш».
ALIKE = (
    ("shch", "sh"),
    ("sch", "sh"),
    ("dzh", "zh"),
    ("kh", "h"),
    ("gh", "g"),
    ("ie", "e"),
    ("io", "e"),
    ("lia", "la"),
)


# Names repeat: of five million people one given name in a hundred is «Айгүл».
@functools.lru_cache(maxsize=50_000)
def fold_word(word: str) -> str:
    """The key of one word; empty if there is no letter or digit in it."""
    sounds: list[str] = []
    # Composed first, so that «й» and «ý» are one sign each, whatever system wrote them.
    for letter in unicodedata.normalize("NFC", unicodedata.normalize("NFC", word).lower()):
        bare = letter if letter in SOUNDS else unicodedata.normalize("NFD", letter)[:1]
        sounds.append(SOUNDS.get(bare, bare))
    return _settle("".join(sounds))


def _settle(sounds: str) -> str:
    """Collapse what is written in several ways, until nothing changes: the key of a key is the key."""
    key = NOT_SOUND.sub("", sounds)
    while True:
        settled = LONE_C.sub("k", DOUBLED.sub(r"\1", key))
        for seen, kept in ALIKE:
            settled = settled.replace(seen, kept)
        if settled == key:
            return key
        key = settled


def fold(name: str) -> str:
    """The key of a name: its words' keys with a space between."""
    return " ".join(filter(None, (fold_word(word) for word in APART.split(name))))


def search_key(last: str, first: str, middle: str) -> str:
    """What a search looks through: each word's key with a space before it, so that a pattern can ask for a beginning."""
    return f" {fold(f'{last} {first} {middle}')}"


def patterns(words: str) -> list[str]:
    """LIKE patterns over `search_key`: every word is to be there, one of one or two letters as a beginning."""
    return [f"% {key}%" if len(key) < 3 else f"%{key}%" for key in fold(words).split()[:4]]
