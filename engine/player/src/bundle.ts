/**
 * The test form on this device: fetched as noise before T0, checked by its name, opened when the key is there.
 * Stored as it came; what is opened lives in memory only.
 */

import { fetchFile, jitter, Refused } from "./api";
import { fromBase64Url, hkdf, open, sha256 } from "./crypto";
import { hex } from "./finish";
import type { BundleFile, Language, Manifest, SectionText } from "./protocol";
import { read, write } from "./store";

interface StoredFile { name: string; bytes: Uint8Array }
export interface Progress { have: number; files: number; bytes: number; bytes_have: number }

const utf8 = new TextEncoder();
const RETRIES = 4;
/** The sealed files wait in memory for T0, so that the disk of an old phone does not stand in the way of the first question. */
const WARM_BYTES = 4_000_000;

export class Bundle {
  manifest: Manifest | null = null;
  private readonly present = new Set<string>();
  private readonly warm = new Map<string, Uint8Array>();
  private warmBytes = 0;
  private readonly under = new Map<string, Promise<Uint8Array>>();
  private readonly pictures = new Map<string, Promise<string>>();
  private readonly texts = new Map<string, Promise<SectionText>>();

  constructor(private readonly manifestName: string) {}

  /** Brings the whole form to the device, what `language` needs first. Tells after each file; may be called again at any time. */
  async prefetch(language: Language, tell: (progress: Progress) => void): Promise<void> {
    const files = await this.files(language);
    for (const file of files) if (await this.stored(file.name)) this.present.add(file.name);
    tell(this.progress());
    const queue = files.filter((file) => !this.present.has(file.name));
    const worker = async () => {
      for (let file = queue.shift(); file; file = queue.shift()) {
        await this.bytes(file.name);
        tell(this.progress());
      }
    };
    await Promise.all([worker(), worker()]);
  }

  /** Looks again whether everything is still there: a phone that runs out of space throws things away. */
  async check(): Promise<boolean> {
    if (!this.manifest) return false;
    this.present.clear();
    for (const { name } of this.manifest.files) if (await this.stored(name)) this.present.add(name);
    return this.present.size === new Set(this.manifest.files.map((file) => file.name)).size;
  }

  progress(): Progress {
    const files = this.manifest?.files ?? [];
    const have = files.filter((file) => this.present.has(file.name));
    const sum = (some: BundleFile[]) => some.reduce((bytes, file) => bytes + file.size, 0);
    return { have: have.length, files: files.length, bytes: sum(files), bytes_have: sum(have) };
  }

  /** All sections in one language, in the order of the manifest. */
  async sections(language: Language, keys: Record<string, string>): Promise<SectionText[]> {
    const files = (await this.files(language)).filter((file) => file.kind === "text" && file.language === language);
    return Promise.all(files.map((file) => this.text(file, keys)));
  }

  /** An address for `<img>`; the same picture has one address. */
  picture(id: string, keys: Record<string, string>): Promise<string> {
    return once(this.pictures, id, async () => {
      const file = this.manifest?.files.find((one) => one.id === id);
      if (!file) throw new Error(`bundle: no picture ${id}`);
      const plain = await this.opened(file, keys);
      const length = plain[0] ?? 0;
      const type = new TextDecoder().decode(plain.subarray(1, 1 + length));
      return URL.createObjectURL(new Blob([plain.slice(1 + length)], { type }));
    });
  }

  /** Fetches the manifest (kept for later) and gives its files, what `language` needs first. */
  async files(language: Language): Promise<BundleFile[]> {
    this.manifest ??= JSON.parse(new TextDecoder().decode(await this.bytes(this.manifestName))) as Manifest;
    const rank = ({ kind, language: of }: BundleFile) => (of === language ? 0 : of === "*" ? 1 : 2) * 2 + (kind === "text" ? 0 : 1);
    return this.manifest.files.slice().sort((a, b) => rank(a) - rank(b) || a.section - b.section);
  }

  forget(): void {
    for (const address of this.pictures.values()) address.then((url) => URL.revokeObjectURL(url), () => undefined);
    this.pictures.clear();
    this.texts.clear();
    this.warm.clear();
  }

  private text(file: BundleFile, keys: Record<string, string>): Promise<SectionText> {
    return once(this.texts, file.id, async () => JSON.parse(new TextDecoder().decode(await this.opened(file, keys))) as SectionText);
  }

  private async opened(file: BundleFile, keys: Record<string, string>): Promise<Uint8Array> {
    const form = keys[`${file.section}/${file.language}`];
    if (!form) throw new Error(`bundle: no key for ${file.section}/${file.language}`);
    const key = await hkdf(fromBase64Url(form), `elumiti/file/${file.id}`);
    const packed = await open(key, await this.bytes(file.name), utf8.encode(file.id));
    return gunzip(packed);
  }

  /** From the device, else from the server: checked, kept, given. */
  private bytes(name: string): Promise<Uint8Array> {
    return once(this.under, name, async () => {
      const kept = this.warm.get(name) ?? (await this.stored(name).catch(() => null));
      const bytes = kept ?? (await this.fetched(name));
      // The pupil does not wait for the disk; that everything is there, `check` finds out.
      if (!kept) void write("files", { name, bytes }).catch(() => undefined);
      this.keepWarm(name, bytes);
      this.present.add(name);
      return bytes;
    }).finally(() => this.under.delete(name));
  }

  private async fetched(name: string): Promise<Uint8Array> {
    for (let turn = 0; ; turn++) {
      try {
        const bytes = await fetchFile(name);
        if (hex(await sha256(bytes)) !== name) throw new Error("bundle: bytes do not fit their name");
        return bytes;
      } catch (error) {
        if (turn >= RETRIES) throw error;
        const wait_ms = error instanceof Refused ? error.retry_after_ms : 0;
        await new Promise((resolve) => setTimeout(resolve, Math.max(wait_ms, 1_000 * 2 ** turn) + jitter(1_000)));
      }
    }
  }

  private async stored(name: string): Promise<Uint8Array | null> {
    const bytes = (await read<StoredFile>("files", name))?.bytes ?? null;
    if (bytes) this.keepWarm(name, bytes);
    return bytes;
  }

  private keepWarm(name: string, bytes: Uint8Array): void {
    if (this.warm.has(name) || this.warmBytes + bytes.length > WARM_BYTES) return;
    this.warm.set(name, bytes);
    this.warmBytes += bytes.length;
  }
}

/** The browser's own where it has one (Safari has since 16.4). */
async function gunzip(packed: Uint8Array): Promise<Uint8Array> {
  if (typeof DecompressionStream === "undefined") return (await import("fflate")).gunzipSync(packed);
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Two who ask at once share one answer; a failure is forgotten, so that the next one tries again. */
function once<T>(shared: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = shared.get(key);
  if (known) return known;
  const made = make();
  shared.set(key, made);
  made.catch(() => shared.delete(key));
  return made;
}
