/**
 * The proctors' wall: two hundred tiles that stay smooth. Every few seconds the server says what each tile shows; only what
 * differs is touched, a picture is asked for when its tile is in sight, and as few tiles as possible change their place.
 * Without script the page is the same and loads itself again.
 */
import { fewestMoves } from "./order";

interface Told {
  id: number;
  number: number;
  incident?: number;
  tone?: string;
  why?: string;
  state?: string;
  verdict?: string;
  picture?: string;
  shot?: string;
  hidden?: boolean;
}

interface Answer {
  tiles: Told[];
  counts: Record<string, number>;
  quiet: number;
  waiting: number;
}

/** Where a picture is, and what names it to who seals it. */
interface Picture {
  source: string;
  shot: string;
}

const SLOWER_HIDDEN = 4;
const LONGEST_S = 60;
const SOUND = "wall-sound";
const NEWS_MS = 2500;
const AGAIN_S = 4;

export function mountWall(root: Document): void {
  const wall = root.querySelector<HTMLElement>("[data-wall]");
  if (wall) new Wall(root, wall).begin();
}

class Wall {
  private readonly tiles = new Map<number, HTMLElement>();
  /** What a tile's picture is to be; it is asked for once the tile is in sight. */
  private readonly wanted = new WeakMap<HTMLImageElement, Picture>();
  /** Sealed here: an answer that was on its way does not bring them back. */
  private readonly sealed = new Set<string>();
  private readonly inSight = new Set<Element>();
  private readonly sight: IntersectionObserver;
  /** Pictures that could not be read, and how often; and those that are asked for again in a while. */
  private readonly vain = new WeakMap<HTMLImageElement, { source: string; times: number }>();
  private readonly waits = new WeakMap<HTMLImageElement, string>();
  private misses = 0;
  private timer = 0;
  private asking = false;

  constructor(
    private readonly root: Document,
    private readonly wall: HTMLElement,
  ) {
    this.sight = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "200px" });
  }

  begin(): void {
    for (const tile of this.wall.querySelectorAll<HTMLElement>("[data-id]")) this.know(Number(tile.dataset["id"]), tile);
    this.rove();
    this.wall.addEventListener("keydown", (event) => this.key(event));
    this.wall.addEventListener("focusin", (event) => {
      // The link at the page's head brings to the wall: on to the tile that the keys are for.
      if (event.target === this.wall) this.enter();
      else this.rove(event.target);
    });
    // An error does not bubble.
    this.wall.addEventListener("error", (event) => this.missed(event.target), true);
    for (const image of this.wall.querySelectorAll("img")) if (image.complete && image.naturalWidth === 0) this.missed(image);
    this.root.addEventListener("click", (event) => this.click(event));
    const event = this.root.querySelector<HTMLFormElement>("[data-wall-event]");
    event?.querySelector("[data-plain]")?.remove();
    event?.addEventListener("change", (changed) => {
      if (changed.target instanceof HTMLSelectElement) this.filter("event", changed.target.value);
    });
    const tools = this.root.querySelector<HTMLElement>("[data-wall-tools]");
    if (tools) tools.hidden = false;
    this.soundIs(localStorage.getItem(SOUND) === "on");
    this.root.addEventListener("visibilitychange", () => {
      if (!this.root.hidden) void this.ask();
    });
    this.plan();
  }

  private plan(): void {
    window.clearTimeout(this.timer);
    const slow = this.root.hidden ? SLOWER_HIDDEN : 1;
    const wait = Math.min(LONGEST_S, Number(this.wall.dataset["every"] ?? "4") * slow * 2 ** this.misses);
    this.timer = window.setTimeout(() => void this.ask(), wait * 1000);
  }

  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      const answer = await fetch(`${this.wall.dataset["wall"] ?? ""}${window.location.search}`, {
        headers: { accept: "application/json" },
        credentials: "same-origin",
      });
      if (answer.redirected || answer.status === 401) {
        window.location.reload();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      this.show((await answer.json()) as Answer);
      this.misses = 0;
    } catch {
      this.misses += 1;
    } finally {
      this.asking = false;
    }
    this.plan();
  }

  private show(answer: Answer): void {
    const counts: Record<string, number> = { ...answer.counts, quiet: answer.quiet, waiting: answer.waiting };
    for (const place of this.root.querySelectorAll<HTMLElement>("[data-count]")) {
      write(place, String(counts[place.dataset["count"] ?? ""] ?? 0));
    }
    const news: Told[] = [];
    const order: HTMLElement[] = [];
    for (const told of answer.tiles) {
      const tile = this.tiles.get(told.id) ?? this.make(told);
      if (this.draw(tile, told)) news.push(told);
      order.push(tile);
    }
    const kept = new Set(answer.tiles.map((told) => told.id));
    this.tiles.forEach((tile, id) => {
      if (!kept.has(id)) this.forget(id, tile);
    });
    this.arrange(order);
    if (news.length) this.tell(news);
  }

  private make(told: Told): HTMLElement {
    const made = this.root.querySelector<HTMLTemplateElement>("template[data-tile]")?.content.firstElementChild?.cloneNode(true);
    if (!(made instanceof HTMLElement)) throw new Error("wall: the page has no template of a tile");
    made.dataset["id"] = String(told.id);
    made.dataset["incident"] = String(told.incident ?? 0);
    write(part(made, "[data-number]"), String(told.number));
    const link = made.querySelector("a");
    link?.setAttribute("href", `/watch/${told.id}`);
    if (link) link.tabIndex = -1;
    const seal = sealOf(made);
    seal.setAttribute("formaction", `/watch/${told.id}/seal`);
    seal.setAttribute("aria-label", fill(this.wall.dataset["seal"] ?? "", told));
    seal.tabIndex = -1;
    this.know(told.id, made);
    return made;
  }

  private know(id: number, tile: HTMLElement): void {
    this.tiles.set(id, tile);
    this.sight.observe(tile);
  }

  private forget(id: number, tile: HTMLElement): void {
    this.sight.unobserve(tile);
    this.inSight.delete(tile);
    this.tiles.delete(id);
    tile.remove();
  }

  /** Touches what differs; true: something new happened at this child's. */
  private draw(tile: HTMLElement, told: Told): boolean {
    const tone = told.tone ?? "";
    for (const one of ["sun", "clay"]) if (tile.classList.contains(one) !== (one === tone)) tile.classList.toggle(one, one === tone);
    if (tile.hidden !== (told.hidden ?? false)) tile.hidden = told.hidden ?? false;
    write(part(tile, "[data-why]"), told.why || (this.wall.dataset["nothing"] ?? ""));
    for (const name of ["state", "verdict"] as const) {
      const place = part(tile, `[data-${name}]`);
      const text = told[name] ?? "";
      write(place, text);
      if (place.hidden !== !text) place.hidden = !text;
    }
    const image = tile.querySelector("img");
    if (image && told.picture && image.getAttribute("src") !== told.picture && !this.sealed.has(told.picture) && this.waits.get(image) !== told.picture) {
      this.wanted.set(image, { source: told.picture, shot: told.shot ?? "" });
      if (this.inSight.has(tile)) this.load(tile, image);
    } else if (image && !told.picture && image.getAttribute("src")) {
      // Somebody else sealed the last that could be seen.
      this.empty(tile, image);
    }
    const before = Number(tile.dataset["incident"] ?? "0");
    const now = told.incident ?? 0;
    if (now === before) return false;
    tile.dataset["incident"] = String(now);
    return now > before;
  }

  private seen(entries: IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      if (!entry.isIntersecting) this.inSight.delete(entry.target);
      else {
        this.inSight.add(entry.target);
        const image = entry.target.querySelector("img");
        if (image) this.load(entry.target, image);
      }
    }
  }

  private load(tile: Element, image: HTMLImageElement): void {
    const wanted = this.wanted.get(image);
    if (wanted === undefined) return;
    this.wanted.delete(image);
    // The picture before stays until this one is there.
    image.src = wanted.source;
    image.hidden = false;
    const seal = sealOf(tile);
    seal.value = wanted.shot;
    seal.hidden = false;
  }

  /** It could not be read just now: no broken sign stands there, and it is asked for again, later each time. */
  private missed(target: EventTarget | null): void {
    const tile = target instanceof HTMLImageElement ? target.closest<HTMLElement>("[data-id]") : null;
    const source = target instanceof HTMLImageElement ? target.getAttribute("src") : null;
    if (!tile || !source || !(target instanceof HTMLImageElement)) return;
    const shot = sealOf(tile).value;
    const before = this.vain.get(target);
    const times = before?.source === source ? before.times + 1 : 0;
    this.vain.set(target, { source, times });
    this.waits.set(target, source);
    target.hidden = true;
    target.removeAttribute("src");
    window.setTimeout(() => {
      this.waits.delete(target);
      // Sealed, or a newer one came meanwhile.
      if (target.getAttribute("src") || this.wanted.has(target) || this.sealed.has(source)) return;
      this.wanted.set(target, { source, shot });
      if (this.inSight.has(tile)) this.load(tile, target);
    }, Math.min(LONGEST_S, AGAIN_S * 2 ** times) * 1000);
  }

  private empty(tile: Element, image: HTMLImageElement): void {
    this.wanted.delete(image);
    image.hidden = true;
    image.removeAttribute("src");
    const seal = sealOf(tile);
    if (seal === this.root.activeElement) tile.querySelector("a")?.focus();
    seal.hidden = true;
  }

  /** «Shouldn't be seen»: gone from this wall before anybody answers; back only if nobody could be told. */
  private async seal(seal: HTMLButtonElement): Promise<void> {
    const tile = seal.closest<HTMLElement>("[data-id]");
    const image = tile?.querySelector("img");
    const source = image?.getAttribute("src");
    if (!tile || !image || !source) return;
    const shot = seal.value;
    this.sealed.add(source);
    this.empty(tile, image);
    const done = await this.post(`/watch/${tile.dataset["id"] ?? ""}/seal`, { shot, back: "wall" });
    if (!done) {
      this.sealed.delete(source);
      this.wanted.set(image, { source, shot });
      this.load(tile, image);
    }
    this.say(tile, done ? "sealed" : "notSealed");
    if (done) await this.ask();
  }

  private async post(address: string, told: Record<string, string>): Promise<boolean> {
    try {
      const answer = await fetch(address, {
        method: "POST",
        body: new URLSearchParams({ csrf: this.wall.dataset["csrf"] ?? "", ...told }),
        headers: { accept: "application/json" },
        redirect: "manual",
      });
      return answer.type === "opaqueredirect" || answer.ok;
    } catch {
      return false;
    }
  }

  private say(tile: HTMLElement, what: "fine" | "sealed" | "notSealed"): void {
    const number = part(tile, "[data-number]").textContent ?? "";
    write(part(this.root, "[data-wall-said]"), (this.wall.dataset[what] ?? "").replace("{number}", number));
  }

  private arrange(order: HTMLElement[]): void {
    const places = new Map(order.map((tile, at) => [tile, at]));
    const now = Array.from(this.wall.children, (tile) => places.get(tile as HTMLElement) ?? -1).filter((at) => at >= 0);
    const stays = fewestMoves(now);
    if (stays.size === order.length) return;
    const focused = this.root.activeElement;
    let next: Element | null = null;
    for (let at = order.length - 1; at >= 0; at--) {
      const tile = order[at] as HTMLElement;
      if (!stays.has(at)) this.wall.insertBefore(tile, next);
      next = tile;
    }
    // A tile that moves loses the focus.
    if (focused instanceof HTMLElement && focused !== this.root.activeElement && this.wall.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
    this.rove();
  }

  private tell(news: Told[]): void {
    const said = news.slice(0, 3).map((told) => fill(this.wall.dataset["incident"] ?? "", told)).join(". ");
    write(part(this.root, "[data-wall-said]"), said);
    for (const told of news) {
      const tile = this.tiles.get(told.id);
      tile?.classList.add("news");
      window.setTimeout(() => tile?.classList.remove("news"), NEWS_MS);
    }
    if (localStorage.getItem(SOUND) === "on") beep();
  }

  /** Of all tiles one is reached by Tab; arrows walk from there. */
  private rove(to?: EventTarget | null): void {
    const links = this.links();
    const held = to instanceof Element ? to.closest("[data-id]")?.querySelector("a") : this.root.activeElement;
    const chosen = links.find((link) => link === held) ?? links.find((link) => link.tabIndex === 0) ?? links[0];
    for (const link of this.wall.querySelectorAll("a")) {
      const wanted = link === chosen ? 0 : -1;
      if (link.tabIndex !== wanted || !link.hasAttribute("tabindex")) link.tabIndex = wanted;
      // The button of the tile that Tab reaches is the next stop.
      const seal = link.nextElementSibling;
      if (seal instanceof HTMLElement && seal.tabIndex !== wanted) seal.tabIndex = wanted;
    }
  }

  private enter(): void {
    (this.links().find((link) => link.tabIndex === 0) ?? this.links()[0])?.focus();
  }

  private links(): HTMLAnchorElement[] {
    return [...this.wall.querySelectorAll<HTMLAnchorElement>(":scope > li:not([hidden]) > a")];
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const links = this.links();
    const at = links.findIndex((link) => link === this.root.activeElement);
    if (at < 0) return;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(links), ArrowDown: columns(links) }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
    } else if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      links[event.key === "Home" ? 0 : links.length - 1]?.focus();
    } else if (event.code === "KeyF") {
      event.preventDefault();
      void this.fine(links[at]);
    } else if (event.key === "?") {
      this.keys();
    }
  }

  private async fine(link: HTMLAnchorElement | undefined): Promise<void> {
    const tile = link?.closest<HTMLElement>("[data-id]");
    if (!tile) return;
    if (!(await this.post(`/watch/${tile.dataset["id"] ?? ""}/fine`, {}))) return;
    this.say(tile, "fine");
    await this.ask();
  }

  private keys(): void {
    const dialog = this.root.getElementById("wall-keys");
    if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
    dialog.showModal();
    // Who has read them wants to use them.
    dialog.addEventListener("close", () => this.enter(), { once: true });
  }

  private click(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-keys]")) this.keys();
    if (target?.closest("[data-sound]")) {
      const on = localStorage.getItem(SOUND) !== "on";
      localStorage.setItem(SOUND, on ? "on" : "off");
      this.soundIs(on);
      if (on) beep();
    }
    const seal = target?.closest<HTMLButtonElement>("button[data-seal]");
    if (seal && this.wall.contains(seal)) {
      event.preventDefault();
      void this.seal(seal);
      return;
    }
    const chip = target?.closest<HTMLElement>("[data-filter]");
    if (!chip || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const filter = chip.dataset["filter"] ?? "";
    const value = chip.dataset["value"] ?? "";
    if (filter === "quiet") this.filter(filter, chip.getAttribute("aria-pressed") === "true" ? "" : value);
    else this.filter(filter, value);
  }

  private filter(name: string, value: string): void {
    const asked = new URLSearchParams(window.location.search);
    if (value) asked.set(name, value);
    else asked.delete(name);
    const query = asked.toString();
    history.replaceState(null, "", `${window.location.pathname}${query ? `?${query}` : ""}`);
    for (const chip of this.root.querySelectorAll<HTMLElement>(`[data-filter="${name}"]`)) {
      const on = (chip.dataset["value"] ?? "") === value;
      if (name === "quiet") chip.setAttribute("aria-pressed", String(on));
      else if (on) chip.setAttribute("aria-current", "true");
      else chip.removeAttribute("aria-current");
    }
    const chosen = this.root.querySelector<HTMLElement>("[data-wall-filters] [data-chosen]");
    if (chosen) {
      const count = ["state", "event", "quiet"].filter((one) => asked.has(one)).length;
      write(chosen, String(count));
      chosen.hidden = count === 0;
    }
    void this.ask();
  }

  private soundIs(on: boolean): void {
    this.root.querySelector("[data-sound]")?.setAttribute("aria-pressed", String(on));
  }
}

function columns(links: readonly HTMLElement[]): number {
  const top = links[0]?.offsetTop;
  const next = links.findIndex((link) => link.offsetTop !== top);
  return next < 0 ? links.length : next;
}

function part(of: ParentNode, selector: string): HTMLElement {
  const found = of.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`wall: the page lacks ${selector}`);
  return found;
}

function sealOf(tile: ParentNode): HTMLButtonElement {
  return part(tile, "button[data-seal]") as HTMLButtonElement;
}

function write(place: HTMLElement, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}

function fill(pattern: string, told: Told): string {
  return pattern.replace("{number}", String(told.number)).replace("{why}", told.why ?? "");
}

let sound: AudioContext | null = null;

/** Two soft tones. */
function beep(): void {
  const speaker = (sound ??= new AudioContext());
  const at = speaker.currentTime;
  [660, 880].forEach((pitch, number) => {
    const tone = speaker.createOscillator();
    const loud = speaker.createGain();
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0.12, at + number * 0.16);
    loud.gain.exponentialRampToValueAtTime(0.001, at + number * 0.16 + 0.15);
    tone.connect(loud).connect(speaker.destination);
    tone.start(at + number * 0.16);
    tone.stop(at + number * 0.16 + 0.16);
  });
}
