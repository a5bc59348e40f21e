"""People who register: with a mailbox, a phone, or the code of their class."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.portal.mail import Post, mail_on
from tests.support.gateway import Gateway, gateway_on
from tests.support.mailbox import link_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx import Response

    from tests.portal.conftest import House, Place, Visitor

marks = itertools.count(1)
CODE = re.compile(r"\b\d{6}\b")
LINK = re.compile(r"http://portal\.test(/\S+)")
PASSWORD = "көк аспан мен дала"
GROWN, CHILD = "14.03.1994", "14.03.2013"


class Desk(msgspec.Struct, kw_only=True):
    """The portal with its mail and SMS, and a territory of the test's own."""

    house: House
    place: Place
    post: Post
    sms: Gateway

    def phone(self) -> str:
        """A number that nobody has."""
        return f"+7701{next(marks):07d}"

    def code_to(self, phone: str) -> str:
        """The newest code that went there."""
        self.post.round()
        return CODE.findall(self.sms.of(phone)[-1])[-1]

    def link_to(self, phone: str) -> str:
        """The newest link that went there."""
        self.post.round()
        return LINK.findall(self.sms.of(phone)[-1])[-1]

    def form(self, **other: str) -> dict[str, object]:
        """What somebody types of himself."""
        mark = next(marks)
        return {
            "part": "myn-bala:myn-bala-pupil",
            "last_name": "Оспанова",
            "first_name": f"Әсем{'абвгдежзик'[mark % 10]}",
            "birth_date": CHILD,
            "language": "kk",
            "region": self.place.region,
            "school": str(self.place.schools[0]),
            "grade": "7",
            "class_letter": "А",
            "login": f"asem.{mark}",
            "password": PASSWORD,
            **other,
        }

    def by_phone(self, phone: str | None = None, **other: str) -> tuple[Visitor, dict[str, object]]:
        """Somebody who has proven his phone and sent the form: his browser, and what he typed."""
        visitor, phone, typed = self.house.visitor(), phone or self.phone(), self.form(**other)
        where = visitor.post("/register/phone", {"phone": phone}).headers["location"]
        token = where.partition("token=")[2]
        answer = visitor.post("/register/code", {"token": token, "code": self.code_to(phone)})
        assert answer.headers["location"] == f"/register/new?token={token}"
        assert visitor.get(answer.headers["location"]).status_code == 200
        self.send(visitor, token, typed)
        return visitor, typed

    def by_email(self, email: str, **other: str) -> tuple[Visitor, dict[str, object]]:
        """The same by a mailbox."""
        visitor, typed = self.house.visitor(), self.form(**other)
        assert visitor.post("/register/email", {"email": email}).status_code == 303
        self.post.round()
        link = link_of(self.post.box.taken[-1])
        assert visitor.get(link).status_code == 200
        self.send(visitor, link.partition("token=")[2], typed)
        return visitor, typed

    def send(self, visitor: Visitor, token: str, typed: dict[str, object]) -> None:
        """The form; signed in after it."""
        answer = visitor.post("/register/new", {"token": token, **typed})
        assert (answer.status_code, answer.headers.get("location")) == (303, "/own"), answer.text
        visitor.token = None

    def teacher(self, class_name: str = "7А", school: int | None = None) -> Visitor:
        """Of one class."""
        where = {"school": school or self.place.schools[0], "class_name": class_name, "project": "birge-oqy"}
        return self.house.worker("birge-teacher", **where)

    def code_of(self, teacher: Visitor, **other: str) -> str:
        """A code that a teacher made for his class."""
        given = {"school": self.place.codes[0], "grade": "7", "class_letter": "А", "most_uses": "30"}
        answer = teacher.post("/registrations/codes", {**given, "part": "birge-oqy:birge-pupil", **other})
        assert answer.status_code == 303, answer.text
        found = re.search(r'class="code large">([^<]+)<', teacher.get(answer.headers["location"]).text)
        assert found
        return found.group(1)

    def by_code(self, code: str, **other: str) -> tuple[Visitor, dict[str, object], Response]:
        """A child of the class."""
        visitor, typed = self.house.visitor(), self.form(**other)
        answer = visitor.post("/register/class", {"code": code, "agreed": "1", **typed})
        if answer.status_code == 303:
            visitor.token = None
        return visitor, typed, answer

    def registration(self, typed: dict[str, object]) -> int:
        """The number of one that waits."""
        rows = self.house.sql(
            "select g.id from registration g join staff s on s.id = g.staff_id where s.login = $1", typed["login"]
        )
        return rows[0]["id"] if rows else 0

    def person(self, typed: dict[str, object]) -> int | None:
        """The row of the registry that the login is."""
        return self.house.sql("select person_id from staff where login = $1", typed["login"])[0]["person_id"]

    def parent(self, child: Visitor, phone: str, purposes: tuple[str, ...] = ("registry",)) -> Visitor:
        """A parent whom the child names, who ticks these and signs."""
        named = {"given_by": "Оспанова Сәуле", "relation": "mother", "address": phone, "agreed": "1"}
        assert child.post("/own/parent", named).headers["location"] == "/own?sent=1"
        parent = self.house.visitor()
        token = self.link_to(phone).partition("token=")[2]
        answer = parent.post("/consent", {"token": token, "purposes": list(purposes)})
        assert answer.headers["location"] == f"/consent/sign?token={token}", answer.text
        answer = parent.post("/consent/sign", {"token": token, "code": self.code_to(phone)})
        assert answer.headers["location"] == "/consent/done", answer.text
        return parent


@pytest.fixture
def desk(house: House, place: Place) -> Iterator[Desk]:
    with gateway_on(house.loop) as sms, mail_on(house, sms_url=sms.url) as post:
        yield Desk(house=house, place=place, post=post, sms=sms)
        house.sql("delete from registration_miss")
