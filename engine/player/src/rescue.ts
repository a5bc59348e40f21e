/**
 * The rescue file: everything of this device's log, sealed to the sitting's public key.
 * One line of JSON, then AES-256-GCM with that line as additional data. Key: HKDF-SHA-256 over the X25519 secret of a key
 * made for this file alone and the sitting's, salt = both public keys (ours first), info `elumiti/rescue`.
 * Inside: JSON (gzip where the browser can: `zip` in the first line) with token (it names and proves the attempt), events, the newest signed time and a chained hash.
 */

import { gcm } from "@noble/ciphers/aes.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Attempt } from "./attempt";
import { fromBase64Url, randomBytes, toBase64Url } from "./crypto";
import { hex, logLine } from "./finish";
import type { LogEvent } from "./protocol";

const LIMIT_BYTES = 1_000_000;
const utf8 = new TextEncoder();

/** h₀ is 32 zero bytes, hᵢ = SHA-256(hᵢ₋₁ ‖ line of event i): an event added or taken away later shows. */
export function chain(events: readonly LogEvent[]): { head: string; links: string[] } {
  let link = new Uint8Array(32);
  const links: string[] = [];
  for (const event of events) {
    const line = utf8.encode(logLine(event));
    const both = new Uint8Array(32 + line.length);
    both.set(link);
    both.set(line, 32);
    link = new Uint8Array(sha256(both));
    // Eight bytes tell where a chain broke; the head proves the whole.
    links.push(hex(link.subarray(0, 8)));
  }
  return { head: hex(link), links };
}

export async function sealRescue(payload: object, sittingKey: string, sitting: number): Promise<Uint8Array> {
  const theirs = fromBase64Url(sittingKey);
  const secret = randomBytes(32);
  const ours = x25519.getPublicKey(secret);
  const salt = new Uint8Array(64);
  salt.set(ours);
  salt.set(theirs, 32);
  const key = hkdf(sha256, x25519.getSharedSecret(secret, theirs), salt, utf8.encode("elumiti/rescue"), 32);
  const nonce = randomBytes(12);
  const zip = typeof CompressionStream === "undefined" ? null : "gzip";
  const plain = utf8.encode(JSON.stringify(payload));
  const said = { elumiti: "rescue", version: 1, sitting, key: toBase64Url(ours), nonce: toBase64Url(nonce), zip };
  const header = utf8.encode(`${JSON.stringify(said)}\n`);
  const body = gcm(key, nonce, header).encrypt(zip ? await gzip(plain) : plain);
  const file = new Uint8Array(header.length + body.length);
  file.set(header);
  file.set(body, header.length);
  return file;
}

async function gzip(plain: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([plain as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export async function rescueFile(attempt: Attempt): Promise<File> {
  attempt.keepDraft();
  const { record, log, clock } = attempt;
  const key = record.signed_in.rescue_key;
  if (!key) throw new Error("rescue: the sitting has no key");
  const { head, links } = chain(log.events);
  const payload = {
    attempt: record.attempt, device: log.head.device, token: log.head.token, generation: log.head.generation,
    written: clock.stamp(), events: log.events, chain: head, links,
  };
  const bytes = await sealRescue(payload, key, record.signed_in.sitting.id);
  if (bytes.length > LIMIT_BYTES) throw new Error("rescue: the file is too large");
  return new File([bytes as Uint8Array<ArrayBuffer>], `elumiti-${record.attempt}.rescue`, { type: "application/octet-stream" });
}

export function saveFile(file: File): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = address;
  link.download = file.name;
  document.body.appendChild(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export async function shareFile(file: File): Promise<void> {
  if (!navigator.canShare({ files: [file] })) saveFile(file);
  else await navigator.share({ files: [file], title: file.name });
}
