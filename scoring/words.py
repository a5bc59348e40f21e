"""The words of scoring's reports in three languages: whole sentences with placeholders, never glued from pieces."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

Language = Literal["kk", "ru", "en"]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence in the three languages."""

    kk: str
    ru: str
    en: str

    def of(self, language: Language, **values: object) -> str:
        """The sentence in a language, its placeholders filled."""
        text: str = getattr(self, language)
        return text.format(**values) if values else text


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of a result table: its type, the unit of its numbers, and what it means."""

    type: Literal["text", "whole", "number", "yes-no", "date"]
    unit: str
    kk: str
    ru: str
    en: str

    def of(self, language: Language) -> str:
        """What the column means, in a language."""
        meaning: str = getattr(self, language)
        return meaning


class Codebook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """scoring/codebook.toml."""

    tables: dict[str, Words]
    columns: dict[str, Column]


CODEBOOK = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "codebook.toml").read_text("utf-8")),
    Codebook,
)
TIE_RULE = Words(
    kk="Орын балл бойынша беріледі. Балл тең болса, ең қиын тапсырмалардан (осы сынақта ең аз балл жиналған үштен бірі) "
    "көбірек балл алған жоғары тұрады. Бұл да тең болса, орын бөлісіледі, келесі орын солардың бәрін санап барып "
    "беріледі: 1, 2, 2, 4.",
    ru="Место даётся по баллам. При равных баллах выше тот, у кого больше баллов за самые трудные задания (треть заданий, "
    "за которые в этом испытании набрано меньше всего). Если равны и они, место делится, а следующее считается после "
    "всех: 1, 2, 2, 4.",
    en="Places go by points. Between equal points, more points on the hardest items (the third on which fewest points "
    "were earned in this sitting) come first. Who is equal in both shares the place, and the next place counts them "
    "all: 1, 2, 2, 4.",
)
TIES_IN = Words(
    kk="Квота шегіндегі орынды бөліскендердің бәрі тізімге кіреді; тізім квотадан ұзын болуы мүмкін.",
    ru="Все, кто делит место на границе квоты, входят в список; список может быть длиннее квоты.",
    en="All who share the place at the quota line are listed; the list may be longer than the quota.",
)
TIES_OUT = Words(
    kk="Квота шегіндегі орынды бөліскендердің ешқайсысы тізімге кірмейді; қалған орынды адам шешеді.",
    ru="Никто из тех, кто делит место на границе квоты, в список не входит; оставшиеся места решает человек.",
    en="None of those who share the place at the quota line is listed; a person decides on the places left.",
)
FROM_HOME = Words(
    kk="Бұл тізім үйде өткен сынақтан алынған. Квота орны басқа нұсқамен бақылауда растауды қажет етеді. "
    "Тізімге келіскендер: {agreed}.",
    ru="Этот список получен по испытанию, прошедшему дома. Место по квоте требует подтверждения под наблюдением на другом "
    "варианте. Со списком согласились: {agreed}.",
    en="This list comes from a sitting held at home. A quota place needs a supervised confirmation on another form. "
    "Agreed to by: {agreed}.",
)
TITLE = Words(kk="Нәтижелер есебі", ru="Отчёт о результатах", en="Report of results")
RUN_LINE = Words(
    kk="Сынақ № {sitting}, есептеу № {version}. Кіріс {snapshot}, нәтиже {result}. Есептеген: {code}.",
    ru="Сеанс № {sitting}, расчёт № {version}. Вход {snapshot}, результат {result}. Рассчитано: {code}.",
    en="Sitting {sitting}, run {version}. Input {snapshot}, result {result}. Computed by {code}.",
)
TOOK_PART = Words(
    kk="Тізімде {participants} оқушы бар: {scored} оқушы балл алды, {absent} оқушы келмеді, {excluded} оқушы шығарылды.",
    ru="В списке {participants} учеников: {scored} получили балл, {absent} не пришли, {excluded} исключены.",
    en="{participants} pupils are listed: {scored} have a score, {absent} never came, {excluded} were left out.",
)
EXCLUDED_FOR = Words(
    kk="Шығарылу себебі «{reason}»: {n}.", ru="Исключены по причине «{reason}»: {n}.", en="Left out for “{reason}”: {n}."
)
WAITING = Words(
    kk="{attempts} оқушының {answers} жауабы адамның шешімін күтіп тұр; олар бұл сандарға кірмеген.",
    ru="{answers} ответов у {attempts} учеников ждут решения человека; в эти числа они не вошли.",
    en="{answers} answers of {attempts} pupils wait for a person's decision; they are not in these figures.",
)
FORM_LINE = Words(
    kk="Нұсқа {form}: {n} оқушы, {items} тапсырма, ең жоғары балл {max}. Орташа {mean}, стандартты ауытқу {sd}, "
    "медиана {median}. Сенімділік (альфа) {alpha}, өлшеу қатесі {sem}.",
    ru="Вариант {form}: {n} учеников, {items} заданий, наибольший балл {max}. Среднее {mean}, стандартное отклонение {sd}, "
    "медиана {median}. Надёжность (альфа) {alpha}, ошибка измерения {sem}.",
    en="Form {form}: {n} pupils, {items} items, highest score {max}. Mean {mean}, standard deviation {sd}, "
    "median {median}. Reliability (alpha) {alpha}, error of measurement {sem}.",
)
DISTRIBUTION_AXES = Words(
    kk="Көлденең: балл. Тік: оқушы саны.", ru="По горизонтали — баллы, по вертикали — число учеников.",
    en="Across: points. Up: number of pupils.",
)  # fmt: skip
READ_ITEMS = Words(
    kk="Оңайлық 1-ге жақын болса, тапсырманы көбі шешті. Ажырату қабілеті 0,2-ден төмен тапсырманы қайта қарау керек.",
    ru="Лёгкость около 1: задание решили почти все. Задания с различающей способностью ниже 0,2 надо пересмотреть.",
    en="Facility near 1: nearly all solved the item. Items with a discrimination below 0.2 need another look.",
)
PAGE = Words(kk="{page}-бет", ru="Страница {page}", en="Page {page}")
MADE_FOR = Words(
    kk="Алушы: {reader}. Мақсаты: {purpose}.", ru="Получатель: {reader}. Цель: {purpose}.", en="For {reader}. Purpose: {purpose}."
)
YES = Words(kk="иә", ru="да", en="yes")
NO = Words(kk="жоқ", ru="нет", en="no")
CODEBOOK_HEAD = (
    Words(kk="кесте", ru="таблица", en="table"),
    Words(kk="баған", ru="столбец", en="column"),
    Words(kk="түрі", ru="тип", en="type"),
    Words(kk="өлшемі", ru="единица", en="unit"),
    Words(kk="мағынасы", ru="значение", en="meaning"),
)
ABOUT = Words(kk="Есеп туралы", ru="Об отчёте", en="About")
CODEBOOK_NAME = Words(kk="Түсіндірме", ru="Описание столбцов", en="Codebook")
