"""What a bad line, a dead phone, a second tab, a brother and the staff do to a test. Nothing answered may be lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.browser.player.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.player.sitter import Sitter


def until(told: Callable[[], Any], limit_s: float = 20) -> Any:
    """Wait for a fact on the server's side."""
    end = time.monotonic() + limit_s
    while not (value := told()):
        if time.monotonic() > end:
            raise TimeoutError("it did not come about")
        time.sleep(0.05)
    return value


def test_the_test_goes_on_without_a_network_through_reload_and_a_killed_browser(
    peer: Peer, sitter_at: Callable[..., Sitter]
) -> None:
    """The server is gone; the page is reloaded, the browser closed and opened: same question, all answers; later everything arrives."""
    pupil = peer.pupils[0]
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    sitter.answer()
    sitter.page.evaluate("navigator.serviceWorker.ready")
    sitter.until("caches.keys().then((names) => names.some((name) => name.startsWith('shell-')))")
    sitter.context.set_offline(offline=True)
    sitter.reload()
    sitter.page.locator("#question").wait_for()
    # Said with the first picture of the page, before any save could have failed.
    assert "Желі жоқ" in sitter.page.locator(".banner").inner_text()
    sitter.context.set_offline(offline=False)
    peer.__exit__()
    sitter.go_to(2)
    sitter.choose(2)
    chosen = sitter.page.locator(".option.chosen").inner_text()
    sitter.page.locator(".banner p").wait_for()
    assert "Желі жоқ" in sitter.page.locator(".banner").inner_text()
    sitter.reload()
    sitter.page.locator("#question").wait_for()
    assert sitter.number() == 2
    assert sitter.page.locator(".option.chosen").inner_text() == chosen
    sitter.go_to(3)
    sitter.answer()
    sitter.next()
    sitter.kept()
    sitter.close()
    sitter.open()
    sitter.page.locator("#question").wait_for()
    assert sitter.number() == 4
    sitter.go_to(2)
    assert sitter.page.locator(".option.chosen").inner_text() == chosen
    sitter.go_to(1)
    with peer:
        sitter.answer_all()
        sitter.finish()
        assert sitter.receipt() == "K7QM-2XW9"
        assert len(peer.answers(pupil)) == 7
        assert pupil.final is not None
        assert pupil.final["count"] == len(pupil.events[pupil.devices[0]])


def test_past_the_end_of_time_without_a_network(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Time ends while the line is gone: handed in by itself, said calmly, also after a reload; sent when the line is back."""
    peer.duration_s = 6
    pupil = peer.pupils[0]
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    sitter.page.evaluate("navigator.serviceWorker.ready")
    sitter.answer()
    until(lambda: peer.answers(pupil))
    peer.__exit__()
    sitter.page.get_by_role("heading", name="Бұл бетті жаппа").wait_for()
    sitter.reload()
    sitter.page.get_by_text("Тест бітті, жауаптарың осы құрылғыда сақтаулы").wait_for()
    with peer:
        assert sitter.receipt() == "K7QM-2XW9"
        assert len(peer.answers(pupil)) == 1


def test_more_time_that_arrives_late_opens_the_test_again(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Handed in by the clock while staff had already given extra time: the pupil goes on."""
    peer.duration_s = 5
    pupil = peer.pupils[0]
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    peer.durable = False
    sitter.page.get_by_role("heading", name="Бұл бетті жаппа").wait_for()
    pupil.extra_s = 600
    peer.order(pupil, "extra", extra_s=600)
    sitter.page.get_by_text("Саған қосымша уақыт берілді").wait_for()
    sitter.page.locator("dialog .primary").click()
    sitter.page.locator("#question").wait_for()
    peer.durable = True
    sitter.go_to(2)
    sitter.choose(0)
    until(lambda: 101 in peer.answers(pupil) or len(peer.answers(pupil)) > 0)
    assert sitter.page.locator("#question").count() == 1


def test_lost_replies_and_a_busy_server_lose_nothing(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Replies that never arrive, 503 with Retry-After: everything is sent again and stored once."""
    pupil = peer.pupils[0]
    peer.next_save_s = 1
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    peer.lose_reply_of.add("/v1/save")
    sitter.answer()
    until(lambda: not peer.lose_reply_of)
    peer.refuse["/v1/save"] = (503, "try-later")
    sitter.next()
    sitter.answer()
    peer.refuse.clear()
    sitter.go_to(1)
    sitter.answer_all()
    peer.lose_reply_of.add("/v1/finish")
    sitter.finish()
    assert sitter.receipt() == "K7QM-2XW9"
    assert len(peer.answers(pupil)) == 7
    sent_again = [event for _path, body in peer.seen for event in body.get("events", []) if event.get("again")]
    assert sent_again


def test_a_second_tab_says_so_and_can_take_over(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Two tabs never write one log: the second offers to take over, then the first one stands aside."""
    sitter = sitter_at(peer.url)
    sitter.to_first_question(peer.pupils[0])
    # A double tap turns one page and not two.
    sitter.page.locator("#next").dblclick()
    until(lambda: sitter.number() > 1)
    sitter.choose(1)
    assert sitter.number() == 2
    other = sitter.watch(sitter.context.new_page())
    other.goto(peer.url)
    # Meanwhile it waits whether the other one is just being reloaded: in words, and in the child's language.
    assert other.locator("main [role=status]").filter(has_text="Ашылып жатыр").inner_text() == "Ашылып жатыр…"
    other.get_by_role("heading", name="Тест басқа қойындыда ашық").wait_for()
    other.locator(".primary").click()
    other.locator(".option.chosen").wait_for()
    sitter.page.get_by_role("heading", name="Тест басқа қойындыда ашық").wait_for()
    other.locator("#next").click()
    until(lambda: len(peer.pupils[0].events.get(peer.pupils[0].devices[0], {})) >= 6)


def test_another_phone_goes_on_and_the_first_becomes_read_only(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """The first phone's answers are on the second at once; the first says where the test is and can take it back by the code."""
    pupil = peer.pupils[0]
    first = sitter_at(peer.url)
    first.to_first_question(pupil)
    first.go_to(2)
    first.choose(1)
    chosen = first.page.locator(".option.chosen").inner_text()
    until(lambda: peer.answers(pupil))
    second = sitter_at(peer.url)
    second.choose_language()
    second.sign_in(pupil)
    second.page.locator(".option.chosen").wait_for()
    assert second.number() == 2
    assert second.page.locator(".option.chosen").inner_text() == chosen
    first.page.locator("#go-on-here").wait_for()
    assert first.page.locator(".option").count() == 0
    first.page.locator("#go-on-here").click()
    first.sign_in(pupil)
    first.page.locator(".option.chosen").wait_for()
    assert len(pupil.devices) == 3


def test_a_brother_on_the_same_phone_sees_nothing_and_sends_what_is_owed(
    peer: Peer, sitter_at: Callable[..., Sitter]
) -> None:
    """«This is not me»: the first one's answers are sent in the background, sealed, and back when he signs in again."""
    first, brother = peer.pupils
    sitter = sitter_at(peer.url)
    sitter.to_first_question(first)
    sitter.next()
    for _ in range(5):
        if sitter.page.locator("textarea").count():
            break
        sitter.next()
    sitter.page.locator("textarea").fill("Туған жер")
    sitter.until("!!document.querySelector('.saved:not(.memory)')")
    until(lambda: peer.answers(first).get(601) == "Туған жер")
    peer.starts_in_s = -60
    first.devices.append("f" * 32)
    sitter.page.locator("#go-on-here").click()
    sitter.sign_in(brother)
    sitter.page.locator(".findings").wait_for()
    sitter.page.locator(".big").click()
    sitter.page.locator("#start").click()
    sitter.page.locator("#question").wait_for()
    assert sitter.page.locator(".grid .answered").count() == 0
    assert peer.answers(brother) == {}
    stored = sitter.everything_stored()
    assert str(brother.attempt) in stored
    sitter.until(f"({STORED_EVENTS})().then((events) => !events.includes('Туған жер'))")


STORED_EVENTS = """async () => {
  const db = await new Promise((ok) => { const r = indexedDB.open("elumiti"); r.onsuccess = () => ok(r.result); });
  const rows = await new Promise((ok) => { const r = db.transaction("events").objectStore("events").getAll(); r.onsuccess = () => ok(r.result); });
  db.close();
  return JSON.stringify(rows);
}"""


def test_what_the_staff_orders_arrives_and_is_confirmed(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Message, correction, pause, resume, more time, end: each shown, applied, and on record with its version."""
    pupil = peer.pupils[0]
    peer.next_save_s = 1
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    page = sitter.page
    peer.order(pupil, "message", text={"kk": "<b>Тыныштық</b> сақтайық."})
    page.get_by_text("<b>Тыныштық</b> сақтайық.").wait_for()
    page.locator("dialog .primary").click()
    peer.order(pupil, "erratum", item=101, text={"kk": "Кестеде сейсенбі 22 болуы керек."})
    page.locator("dialog .primary").click()
    page.locator(".counter").click()
    page.locator("dialog .grid .is-corrected").click()
    page.locator(".erratum").wait_for()
    assert "22 болуы керек" in page.locator(".erratum").inner_text()
    peer.order(pupil, "pause", since_ms=peer.now_ms())
    page.get_by_role("heading", name="Үзіліс").wait_for()
    assert page.locator("#question").count() == 0
    pupil.extra_s = 600
    peer.order(pupil, "resume", paused_s=600)
    page.locator("dialog .primary").click()
    page.locator("#question").wait_for()
    assert page.locator(".time").inner_text() == "70 мин"
    peer.order(pupil, "end", at_ms=peer.now_ms())
    assert sitter.receipt() == "K7QM-2XW9"
    confirmed = [event["value"] for event in pupil.events[pupil.devices[0]].values() if event["kind"] == "control"]
    assert confirmed == [1, 2, 3, 4, 5]


def test_a_restored_store_is_filled_again(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """A new generation: the page asks what is there and sends what is missing."""
    pupil = peer.pupils[0]
    peer.next_save_s = 1
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    sitter.answer()
    until(lambda: pupil.events.get(pupil.devices[0]))
    sitter.page.locator(".saved.durable").wait_for()
    before = len(pupil.events[pupil.devices[0]])
    pupil.events[pupil.devices[0]].clear()
    peer.generation = 2
    until(lambda: len(pupil.events[pupil.devices[0]]) >= before)
    assert sorted(pupil.events[pupil.devices[0]])[0] == 1


def test_a_school_server_without_a_certificate(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """No secure context: no worker, no `crypto.subtle`, no locks; the test is decrypted, answered and handed in all the same."""
    url = f"http://mektep.test:{peer.port}"
    sitter = sitter_at(url, flags=["--host-resolver-rules=MAP mektep.test 127.0.0.1"])
    assert sitter.page.evaluate("[isSecureContext, typeof crypto.subtle]") == [False, "undefined"]
    sitter.to_first_question(peer.pupils[0])
    sitter.answer_all()
    sitter.reload()
    sitter.page.locator("#question").wait_for()
    sitter.next()
    sitter.finish()
    assert sitter.receipt() == "K7QM-2XW9"


def test_a_rescue_file_opens_with_the_sittings_key(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """No line comes back: the file holds all events and the token, and only the sitting's private key opens it."""
    pupil = peer.pupils[0]
    sitter = sitter_at(peer.url)
    sitter.to_first_question(pupil)
    sitter.page.evaluate("navigator.serviceWorker.ready")
    sitter.answer_all()
    peer.__exit__()
    sitter.finish()
    with sitter.page.expect_download() as download:
        sitter.page.locator("#rescue + p + .row button").first.click()
    assert download.value.suggested_filename == "elumiti-4711.rescue"
    payload = peer.open_rescue(download.value.path().read_bytes())
    assert payload["attempt"] == 4711
    assert [event["seq"] for event in payload["events"]] == list(range(1, len(payload["events"]) + 1))
    assert payload["events"][-1]["kind"] == "finish"
    assert payload["token"] == f"4711.{pupil.devices[0]}"
    with peer:
        sitter.receipt()


def test_time_that_an_outage_took_comes_back_and_is_told_why(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """Sign-in and the key fail for some seconds: the log says for how long; the credit moves the clock and is explained."""
    pupil = peer.pupils[0]
    sitter = sitter_at(peer.url)
    sitter.choose_language()
    peer.refuse["/v1/sign-in"] = (503, "try-later")
    sitter.sign_in(pupil)
    sitter.page.locator("[role=alert]").wait_for()
    # A second in vain is the least that is told.
    sitter.page.wait_for_timeout(1_100)
    del peer.refuse["/v1/sign-in"]
    peer.refuse["/v1/key"] = (503, "try-later")
    sitter.page.locator("form .primary").click()
    sitter.page.locator(".findings").wait_for()
    sitter.page.locator(".big").click()
    sitter.page.locator("#start").click()
    sitter.page.get_by_text("көп", exact=False).first.wait_for()
    del peer.refuse["/v1/key"]
    sitter.page.locator("#question").wait_for(timeout=20_000)

    def told() -> list[dict[str, Any]]:
        events = [event for of in pupil.events.values() for event in of.values()]
        return [event["value"] for event in events if event["kind"] == "tried"]

    until(lambda: len(told()) == 2)
    assert [one["step"] for one in told()] == ["sign-in", "key"]
    assert all(1000 <= one["for_ms"] < 60_000 for one in told())
    pupil.extra_s = 300
    peer.order(pupil, "credit", credit_s=300, entry_s=0)
    dialog = sitter.page.locator("dialog[open]")
    dialog.wait_for()
    assert "Уақытың қайтарылды" in dialog.inner_text()
    assert "5 минут қайтарылды" in dialog.inner_text()
    assert "65 мин" in sitter.page.locator(".top .time").inner_text()
    # The same word again says nothing new.
    dialog.locator(".primary").click()
    dialog.wait_for(state="detached")


# A finger in the field in the very moment in which it is drawn, before anything that comes «after the picture».
QUICK_FINGER = """new MutationObserver(() => {
  const field = document.querySelector("#code");
  if (field && !window.touched) { window.touched = true; field.focus(); }
}).observe(document, { childList: true, subtree: true });"""


def test_a_field_that_a_child_touches_keeps_the_keys(peer: Peer, sitter_at: Callable[..., Sitter]) -> None:
    """A slow phone draws the page, the child types, and only then the page would move to its heading."""
    sitter = sitter_at(peer.url)
    sitter.page.evaluate(QUICK_FINGER)
    sitter.choose_language()
    sitter.page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 200))))"
    )
    sitter.page.keyboard.type("k7qm")
    assert sitter.page.locator("#code").input_value() == "K7QM"
