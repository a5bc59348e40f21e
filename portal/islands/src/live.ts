/**
 * One child, live: asks the forwarder with the page's ticket, shows the picture, and says in words how it stands.
 * The words are the portal's (`data-path`), which by that knows too that the viewer is still there.
 */
const EVERY_MS = 2_000;
const GATHERING_MS = 2_000;

class Refusal extends Error {}

interface Told { state: "waiting" | "live" | "ended"; words: string; left_s: number | null }

class Look {
  private readonly video: HTMLVideoElement;
  private readonly words: HTMLElement;
  private readonly left: HTMLElement;
  private readonly clock: HTMLElement;
  private pc: RTCPeerConnection | null = null;
  private endsAt = 0;
  private trouble = "";

  constructor(private readonly root: HTMLElement) {
    this.video = one(root, HTMLVideoElement, "video");
    this.words = one(root, HTMLElement, ".live-words");
    this.left = one(root, HTMLElement, ".live-left");
    this.clock = one(root, HTMLElement, "time");
  }

  begin(): void {
    this.tick();
    window.setInterval(() => this.tick(), 1_000);
    if (this.root.dataset.state === "ended") return;
    window.addEventListener("pagehide", () => this.pc?.close());
    this.connect().catch((error: unknown) => {
      this.trouble = (error instanceof Refusal ? this.root.dataset.used : this.root.dataset.away) ?? "";
      this.words.textContent = this.trouble;
    });
    void this.follow();
  }

  private async connect(): Promise<void> {
    const measure = await this.post<{ ice_servers: RTCIceServer[] }>("ice", {});
    const pc = (this.pc = new RTCPeerConnection({ iceServers: measure.ice_servers }));
    pc.addTransceiver("video", { direction: "recvonly" });
    pc.addEventListener("track", (event) => {
      this.video.srcObject = new MediaStream([event.track]);
      void this.video.play().catch(() => undefined);
    });
    pc.addEventListener("connectionstatechange", () => {
      if (pc.connectionState === "failed" && this.root.dataset.state === "waiting") this.words.textContent = this.trouble = this.root.dataset.away ?? "";
    });
    await pc.setLocalDescription(await pc.createOffer());
    await gathered(pc);
    const answer = await this.post<{ sdp: string }>("offer", { sdp: pc.localDescription?.sdp ?? "" });
    await pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
  }

  private async post<T>(word: string, body: unknown): Promise<T> {
    const told = this.root.dataset;
    const answer = await fetch(`${told.forwarder ?? ""}/v1/live/${word}`, {
      method: "POST", body: JSON.stringify(body), cache: "no-store", credentials: "omit",
      headers: { "Authorization": `Bearer ${told.ticket ?? ""}`, "Content-Type": "application/json" },
    });
    if (answer.ok) return (await answer.json()) as T;
    throw answer.status === 409 || answer.status === 410 ? new Refusal() : new Error(String(answer.status));
  }

  private async follow(): Promise<void> {
    try {
      const answer = await fetch(this.root.dataset.path ?? "", { credentials: "same-origin", cache: "no-store" });
      if (answer.redirected || answer.status === 401 || answer.status === 404) return this.over();
      if (answer.ok) this.show((await answer.json()) as Told);
    } catch { /* the line is away for a moment */ }
    if (this.root.dataset.state !== "ended") window.setTimeout(() => void this.follow(), EVERY_MS);
  }

  private show(told: Told): void {
    const said = told.state === "waiting" && this.trouble ? this.trouble : told.words;
    if (this.words.textContent !== said) this.words.textContent = said;
    this.endsAt = told.left_s === null ? 0 : performance.now() + 1000 * told.left_s;
    this.root.dataset.state = told.state;
    if (told.state === "ended") this.over();
    else this.tick();
  }

  /** The last picture does not stay on the screen. */
  private over(): void {
    this.root.dataset.state = "ended";
    this.pc?.close();
    this.video.srcObject = null;
    this.endsAt = 0;
    this.root.querySelector("form button")?.setAttribute("hidden", "");
    this.tick();
  }

  private tick(): void {
    this.clock.textContent = new Date().toLocaleString("ru-RU", { timeZone: "Asia/Almaty" });
    const left_s = Math.max(0, Math.round((this.endsAt - performance.now()) / 1000));
    this.left.textContent = this.endsAt ? `${Math.floor(left_s / 60)}:${String(left_s % 60).padStart(2, "0")}` : "";
  }
}

function one<T extends HTMLElement>(root: HTMLElement, kind: new () => T, selector: string): T {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`live: ${selector} is missing`);
  return found;
}

/** Candidates go along with the offer; an address that takes longer is not waited for. */
async function gathered(pc: RTCPeerConnection): Promise<void> {
  if (pc.iceGatheringState === "complete") return;
  await new Promise<void>((done) => {
    window.setTimeout(done, GATHERING_MS);
    pc.addEventListener("icegatheringstatechange", () => { if (pc.iceGatheringState === "complete") done(); });
  });
}

const root = document.getElementById("live");
if (root) new Look(root).begin();
