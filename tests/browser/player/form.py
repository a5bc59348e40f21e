"""A small test form of all six kinds in three languages, packed and encrypted as docs/protocol.md says. For tests of the page alone."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from collections.abc import Callable

LANGUAGES = ("kk", "ru", "en")


def _svg(body: str) -> bytes:
    frame = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 120" width="160" height="120">'
    style = 'fill="#8fc3da" stroke="#0b3a53" stroke-width="3"'
    return f'{frame}<rect width="160" height="120" fill="#fff"/><g {style}>{body}</g></svg>'.encode()


PICTURES = {
    "map0": _svg('<path d="M10 90l40-50 30 30 30-50 40 70z"/><circle cx="120" cy="25" r="12" fill="#f5b301"/>'),
    "opt1": _svg('<circle cx="80" cy="60" r="36"/>'),
    "opt2": _svg('<rect x="44" y="24" width="72" height="72"/>'),
    "opt3": _svg('<path d="M80 20l44 76H36z"/>'),
    "opt4": _svg('<path d="M80 18l14 28 32 4-23 22 6 32-29-15-29 15 6-32-23-22 32-4z"/>'),
}

WORDS: dict[str, dict[str, Any]] = {
    "kk": {
        "title": "Логика және функционалдық сауаттылық",
        "stimulus": "<p>Ауыл кітапханасы аптасына бес күн жұмыс істейді. Кестеде әр күні келген оқушылар саны берілген.</p>"
        "<table><caption>Кітапханаға келген оқушылар</caption><thead><tr><th>Күні</th><th>Оқушылар</th></tr></thead>"
        "<tbody><tr><td>Дүйсенбі</td><td>14</td></tr><tr><td>Сейсенбі</td><td>21</td></tr><tr><td>Сәрсенбі</td><td>18</td></tr></tbody></table>",
        "single": "Сейсенбіде дүйсенбіге қарағанда неше оқушы артық келді?",
        "days": ["Жеті оқушы", "Төрт оқушы", "Он төрт оқушы", "Жиырма бір оқушы"],
        "numeric": "Үш күнде орта есеппен күніне неше оқушы келді? Ондық бөлшекпен жаза аласың.",
        "unit": "оқушы",
        "picture": "Қай пішіннің бұрыштары ең көп?",
        "alts": ["Дөңгелек", "Шаршы", "Үшбұрыш", "Жұлдыз"],
        "multiple": "Жазық даладағы бұлақ туралы мәтінде айтылған жайттардың бәрін таңда. "
        "<strong>Бірнеше жауап болуы мүмкін.</strong>",
        "facts": ["Бұлақтың суы қыста да қатпайды", "Бұлақ басында тал өседі", "Суы тұзды", "Жанында киіктер су ішеді"],
        "dropdown": '<p>Күн <span data-gap="g1"></span> шығып, <span data-gap="g2"></span> батады.</p>',
        "sides": ["шығыстан", "батыстан", "солтүстіктен"],
        "sides2": ["батысқа", "шығысқа", "оңтүстікке"],
        "short": "«Отан» сөзіне мағынасы жақын бір сөз жаз.",
        "mapped": '<p>Суретке қара.</p><p><img data-media="map0" alt="Екі тау мен күн"></p>',
        "hills": "Суретте неше тау шыңы бар?",
        "nums": ["1", "2", "3", "4"],
    },
    "ru": {
        "title": "Логика и функциональная грамотность",
        "stimulus": "<p>Сельская библиотека открыта пять дней в неделю. В таблице дано, сколько учеников пришло в каждый день.</p>"
        "<table><caption>Ученики в библиотеке</caption><thead><tr><th>День</th><th>Ученики</th></tr></thead>"
        "<tbody><tr><td>Понедельник</td><td>14</td></tr><tr><td>Вторник</td><td>21</td></tr><tr><td>Среда</td><td>18</td></tr></tbody></table>",
        "single": "На сколько учеников больше пришло во вторник, чем в понедельник?",
        "days": ["На семь учеников", "На четыре ученика", "На четырнадцать учеников", "На двадцать одного ученика"],
        "numeric": "Сколько учеников в среднем приходило за день в эти три дня? Можно написать десятичную дробь.",
        "unit": "учеников",
        "picture": "У какой фигуры больше всего углов?",
        "alts": ["Круг", "Квадрат", "Треугольник", "Звезда"],
        "multiple": "Выбери всё, что сказано в тексте о роднике в степи. <strong>Ответов может быть несколько.</strong>",
        "facts": [
            "Вода в роднике не замерзает зимой",
            "У родника растёт ива",
            "Вода солёная",
            "Рядом пьют воду сайгаки",
        ],
        "dropdown": '<p>Солнце встаёт на <span data-gap="g1"></span>, а садится на <span data-gap="g2"></span>.</p>',
        "sides": ["востоке", "западе", "севере"],
        "sides2": ["западе", "востоке", "юге"],
        "short": "Напиши одно слово, близкое по смыслу к слову «Родина».",
        "mapped": '<p>Посмотри на рисунок.</p><p><img data-media="map0" alt="Две горы и солнце"></p>',
        "hills": "Сколько вершин на рисунке?",
        "nums": ["1", "2", "3", "4"],
    },
    "en": {
        "title": "Logic and functional literacy",
        "stimulus": "<p>A village library is open five days a week. The table shows how many pupils came each day.</p>"
        "<table><caption>Pupils in the library</caption><thead><tr><th>Day</th><th>Pupils</th></tr></thead>"
        "<tbody><tr><td>Monday</td><td>14</td></tr><tr><td>Tuesday</td><td>21</td></tr><tr><td>Wednesday</td><td>18</td></tr></tbody></table>",
        "single": "How many more pupils came on Tuesday than on Monday?",
        "days": ["Seven pupils", "Four pupils", "Fourteen pupils", "Twenty-one pupils"],
        "numeric": "How many pupils came a day, on average, on these three days? You may write a decimal.",
        "unit": "pupils",
        "picture": "Which shape has the most corners?",
        "alts": ["A circle", "A square", "A triangle", "A star"],
        "multiple": "Choose everything that the text says about the spring in the steppe. <strong>There may be several answers.</strong>",
        "facts": [
            "Its water does not freeze in winter",
            "A willow grows beside it",
            "The water is salty",
            "Saiga antelopes drink there",
        ],
        "dropdown": '<p>The sun rises in the <span data-gap="g1"></span> and sets in the <span data-gap="g2"></span>.</p>',
        "sides": ["east", "west", "north"],
        "sides2": ["west", "east", "south"],
        "short": "Write one word close in meaning to «homeland».",
        "mapped": '<p>Look at the picture.</p><p><img data-media="map0" alt="Two mountains and the sun"></p>',
        "hills": "How many summits are there in the picture?",
        "nums": ["1", "2", "3", "4"],
    },
}


def _options(first: int, texts: list[str]) -> list[dict[str, Any]]:
    return [{"id": first + i, "text": text} for i, text in enumerate(texts)]


def section(language: str) -> dict[str, Any]:
    """The one section of the form in `language`; ids are the same in all."""
    words = WORDS[language]
    pictures = [
        {"id": 310 + i, "text": None, "picture": f"opt{i + 1}", "alt": alt} for i, alt in enumerate(words["alts"])
    ]
    items = [
        {
            "id": 101,
            "kind": "single",
            "group": 1,
            "stimulus": words["stimulus"],
            "prompt": words["single"],
            "options": _options(110, words["days"]),
        },
        {
            "id": 201,
            "kind": "numeric",
            "group": 1,
            "stimulus": words["stimulus"],
            "prompt": words["numeric"],
            "unit": words["unit"],
        },
        {"id": 301, "kind": "picture", "prompt": words["picture"], "options": pictures},
        {"id": 401, "kind": "multiple", "prompt": words["multiple"], "options": _options(410, words["facts"])},
        {
            "id": 501,
            "kind": "dropdown",
            "prompt": words["dropdown"],
            "gaps": [
                {"id": "g1", "options": _options(510, words["sides"])},
                {"id": "g2", "options": _options(520, words["sides2"])},
            ],
        },
        {"id": 601, "kind": "short_text", "prompt": words["short"]},
        {
            "id": 701,
            "kind": "single",
            "stimulus": words["mapped"],
            "prompt": words["hills"],
            "fixed_order": True,
            "options": _options(710, words["nums"]),
        },
    ]
    return {"section": 1, "language": language, "title": words["title"], "items": items}


@dataclass
class Packed:
    manifest: str
    files: dict[str, bytes] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)


def pack(weight: int = 0, section: Callable[[str], dict[str, Any]] = section) -> Packed:
    """Encrypt the form; `weight` adds that many bytes of noise to each picture, for measurements on slow lines."""
    packed = Packed("", keys={f"1/{language}": os.urandom(32) for language in (*LANGUAGES, "*")})
    listed: list[dict[str, Any]] = []
    for language in LANGUAGES:
        plain = json.dumps(section(language), ensure_ascii=False).encode()
        listed.append(_put(packed, os.urandom(8).hex(), language, "text", plain))
    for name, picture in PICTURES.items():
        kind = b"image/svg+xml"
        noise = b"<!--" + os.urandom(weight // 2).hex().encode() + b"-->" if weight else b""
        listed.append(_put(packed, name, "*", "media", bytes([len(kind)]) + kind + picture + noise))
    manifest = gzip.compress(
        json.dumps({"version": 1, "form": 12, "languages": LANGUAGES, "sections": [1], "files": listed}).encode()
    )
    plain = gzip.decompress(manifest)
    packed.manifest = hashlib.sha256(plain).hexdigest()
    packed.files[packed.manifest] = plain
    return packed


def _put(packed: Packed, file_id: str, language: str, kind: str, plain: bytes) -> dict[str, Any]:
    key = HKDF(SHA256(), 32, b"", f"elumiti/file/{file_id}".encode()).derive(packed.keys[f"1/{language}"])
    nonce = os.urandom(12)
    body = nonce + AESGCM(key).encrypt(nonce, gzip.compress(plain), file_id.encode())
    name = hashlib.sha256(body).hexdigest()
    packed.files[name] = body
    return {"id": file_id, "name": name, "size": len(body), "section": 1, "language": language, "kind": kind}
