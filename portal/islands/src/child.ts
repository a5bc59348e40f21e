/** One child's pictures, played: they come from the list of all of them, which without script is a list of links. */

interface Shot {
  name: string;
  full: string;
  time: string;
  x: string;
  link: string;
}

const LARGEST = 3;
const AGAIN_MS = 5_000;

export function mountChild(root: Document): void {
  const viewer = root.querySelector<HTMLElement>("[data-viewer]");
  const shown = viewer?.querySelector<HTMLImageElement>("[data-shown]");
  if (viewer && shown) new Viewer(viewer, shown).begin();
}

class Viewer {
  private readonly shots: Shot[];
  private at: number;
  private playing = 0;
  private zoom = 1;

  constructor(
    private readonly viewer: HTMLElement,
    private readonly shown: HTMLImageElement,
  ) {
    this.shots = [...viewer.querySelectorAll<HTMLAnchorElement>("[data-shot]")].map((link) => ({
      name: link.dataset["shot"] ?? "",
      full: link.dataset["full"] ?? "",
      time: link.dataset["time"] ?? "",
      x: link.dataset["x"] ?? "0",
      link: link.href,
    }));
    this.at = Number(viewer.dataset["at"] ?? "0");
  }

  begin(): void {
    // An error does not bubble. Asked for again by itself; meanwhile one line says so, and no broken sign stands there.
    this.viewer.addEventListener("error", (event) => this.missed(event.target), true);
    this.viewer.addEventListener("load", (event) => this.came(event.target), true);
    for (const image of this.viewer.querySelectorAll<HTMLImageElement>(".pair img")) if (image.complete && image.naturalWidth === 0) this.missed(image);
    for (const part of this.viewer.querySelectorAll<HTMLElement>("[data-play], [data-script], [data-scrub], [data-step]")) part.hidden = false;
    this.viewer.addEventListener("click", (event) => this.click(event));
    this.viewer.addEventListener("keydown", (event) => this.key(event));
    this.scrub?.addEventListener("input", () => {
      this.stop();
      this.choose(Number(this.scrub?.value ?? "0"));
    });
  }

  private missed(image: EventTarget | null): void {
    if (!(image instanceof HTMLImageElement) || !image.closest(".pair")) return;
    const source = image.src;
    image.classList.add("away");
    this.away();
    window.setTimeout(() => {
      if (image.src === source) image.src = source;
    }, AGAIN_MS);
  }

  private came(image: EventTarget | null): void {
    if (!(image instanceof HTMLImageElement)) return;
    image.classList.remove("away");
    this.away();
  }

  private away(): void {
    const line = this.viewer.querySelector<HTMLElement>("[data-away]");
    if (line) line.hidden = !this.viewer.querySelector(".pair img.away");
  }

  private get scrub(): HTMLInputElement | null {
    return this.viewer.querySelector("[data-scrub]");
  }

  private choose(to: number): void {
    const at = Math.min(this.shots.length - 1, Math.max(0, to));
    const shot = this.shots[at];
    if (!shot || at === this.at) return;
    this.at = at;
    this.shown.src = shot.full;
    // «Shouldn't be seen» is about the picture that is seen.
    const seal = this.viewer.querySelector<HTMLButtonElement>("button[data-seal]");
    if (seal) seal.value = shot.name;
    this.write("[data-time]", shot.time);
    this.write("[data-place]", String(at + 1));
    if (this.scrub) {
      this.scrub.value = String(at);
      this.scrub.setAttribute("aria-valuetext", shot.time);
    }
    const cursor = this.viewer.querySelector("[data-cursor]");
    for (const end of ["x1", "x2"]) cursor?.setAttribute(end, shot.x);
    this.viewer.querySelector("[data-whole]")?.setAttribute("href", shot.full);
    history.replaceState(null, "", shot.link.replace("#viewer", ""));
  }

  private write(selector: string, text: string): void {
    const place = this.viewer.querySelector(`figcaption ${selector}`);
    if (place) place.textContent = text;
  }

  private click(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    if (!target || event.ctrlKey || event.metaKey) return;
    const step = target.closest<HTMLElement>("[data-step]");
    const jump = target.closest<SVGElement>("[data-jump]")?.dataset["jump"] ?? target.closest<HTMLElement>("[data-shot]")?.dataset["shot"];
    const zoom = target.closest<HTMLElement>("[data-zoom]");
    if (step) {
      event.preventDefault();
      this.stop();
      this.choose(this.at + Number(step.dataset["step"]));
    } else if (jump) {
      event.preventDefault();
      this.stop();
      this.choose(this.shots.findIndex((shot) => shot.name === jump));
      this.shown.scrollIntoView({ block: "nearest" });
    } else if (zoom) {
      this.zoomTo(this.zoom + Number(zoom.dataset["zoom"]));
    } else if (target.closest("[data-play]")) {
      if (this.playing) this.stop();
      else void this.play();
    }
  }

  private key(event: KeyboardEvent): void {
    const target = event.target instanceof HTMLElement ? event.target : null;
    if (event.ctrlKey || event.metaKey || event.altKey || target?.closest("button, select, a, summary")) return;
    if (event.key === " ") {
      event.preventDefault();
      if (this.playing) this.stop();
      else void this.play();
    } else if (event.key === "+" || event.key === "-") this.zoomTo(this.zoom + (event.key === "+" ? 1 : -1));
  }

  private zoomTo(wanted: number): void {
    this.zoom = Math.min(LARGEST, Math.max(1, wanted));
    for (const box of this.viewer.querySelectorAll(".viewer")) {
      box.classList.toggle("near", this.zoom === 2);
      box.classList.toggle("nearest", this.zoom === 3);
      // The middle is where the face is; a scroll of one's own begins from there.
      box.scrollTo((box.scrollWidth - box.clientWidth) / 2, (box.scrollHeight - box.clientHeight) / 2);
    }
  }

  private stop(): void {
    this.playing = 0;
    this.viewer.querySelector("[data-play]")?.setAttribute("aria-pressed", "false");
  }

  /** The next picture is shown when it is there, and no sooner than the speed says: a slow line skips none. */
  private async play(): Promise<void> {
    const turn = Date.now();
    this.playing = turn;
    this.viewer.querySelector("[data-play]")?.setAttribute("aria-pressed", "true");
    if (this.at >= this.shots.length - 1) this.choose(0);
    while (this.playing === turn && this.at < this.shots.length - 1) {
      const speed = Number(this.viewer.querySelector<HTMLSelectElement>("[data-speed]")?.value ?? "2");
      const until = Date.now() + 1000 / speed;
      await this.shown.decode().catch(() => undefined);
      await new Promise((done) => window.setTimeout(done, Math.max(0, until - Date.now())));
      if (this.playing === turn) this.choose(this.at + 1);
    }
    if (this.playing === turn) this.stop();
  }
}
