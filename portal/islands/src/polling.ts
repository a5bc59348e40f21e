/**
 * `data-poll="/path"` is refreshed every `data-every` seconds (5 by default): four times slower while the page is
 * hidden, at once when it is seen again, and doubling up to a minute while the server does not answer.
 * `data-poll` absent in the fresh fragment ends it.
 */
const SLOWER_HIDDEN = 4;
const LONGEST_S = 60;

export function mountPolling(root: Document): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-poll]")) poll(root, element);
}

function poll(root: Document, element: HTMLElement): void {
  const every = Number(element.dataset.every ?? "5");
  let misses = 0;
  let timer = 0;
  const plan = (): void => {
    window.clearTimeout(timer);
    const slow = root.hidden ? SLOWER_HIDDEN : 1;
    const wait = Math.min(LONGEST_S, every * slow * 2 ** misses);
    timer = window.setTimeout(() => void refresh(), wait * 1000);
  };
  const refresh = async (): Promise<void> => {
    const path = element.dataset.poll;
    if (path === undefined || !element.isConnected) return;
    try {
      const answer = await fetch(path, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
      if (answer.redirected || answer.status === 401) {
        window.location.reload();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      misses = 0;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
      if (fresh instanceof HTMLElement && !element.contains(root.activeElement)) {
        element.replaceChildren(...Array.from(fresh.childNodes, (node) => root.importNode(node, true)));
        if (fresh.dataset.poll === undefined) {
          if (fresh.dataset.then) window.location.assign(fresh.dataset.then);
          return;
        }
        element.dataset.poll = fresh.dataset.poll;
      }
    } catch {
      misses += 1;
    }
    plan();
  };
  root.addEventListener("visibilitychange", () => {
    if (!root.hidden) void refresh();
  });
  plan();
}
