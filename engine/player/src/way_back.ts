/**
 * The phone's «Back» within a test. It goes back there, as the page's own button does, and not out of the page, where a
 * child's time runs on without him. Two presses with no touch between them the browser lets out all the same.
 */

const HELD = "held";

/** `back` says whether the press is the page's own; only then it is held again. */
export function listenForBack(back: () => boolean): void {
  addEventListener("popstate", () => { if (back()) holdBack(); });
}

export function holdBack(): void {
  if (history.state !== HELD) history.pushState(HELD, "");
}

/** What lies over the page goes first. */
export function closeUppermost(): boolean {
  const [uppermost] = [...document.querySelectorAll("dialog[open]")].reverse();
  uppermost?.dispatchEvent(new Event("cancel", { cancelable: true }));
  return uppermost !== undefined;
}
