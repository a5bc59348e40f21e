import { gcm } from "@noble/ciphers/aes.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { gunzipSync } from "fflate";
import { expect, test } from "vitest";
import { fromBase64Url, randomBytes, toBase64Url } from "../src/crypto";
import type { LogEvent } from "../src/protocol";
import { chain, sealRescue } from "../src/rescue";

const secret = randomBytes(32);
const sittingKey = toBase64Url(x25519.getPublicKey(secret));

/** What the exam centre does. */
function open(file: Uint8Array): unknown {
  const end = file.indexOf(10) + 1;
  const header = file.subarray(0, end);
  const said = JSON.parse(new TextDecoder().decode(header)) as { key: string; nonce: string; zip: string | null };
  const ours = fromBase64Url(said.key);
  const salt = new Uint8Array([...ours, ...x25519.getPublicKey(secret)]);
  const key = hkdf(sha256, x25519.getSharedSecret(secret, ours), salt, new TextEncoder().encode("elumiti/rescue"), 32);
  const plain = gcm(key, fromBase64Url(said.nonce), header).decrypt(file.subarray(end));
  return JSON.parse(new TextDecoder().decode(said.zip ? gunzipSync(plain) : plain));
}

test("the sitting's key opens the file; one changed byte anywhere does not", async () => {
  const file = await sealRescue({ events: [1, 2], token: "t" }, sittingKey, 3);
  expect(open(file)).toEqual({ events: [1, 2], token: "t" });
  for (const at of [20, file.length - 20]) {
    const changed = file.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => open(changed)).toThrow();
  }
});

test("every link of the chain changes with any event before it", () => {
  const events = [1, 2, 3].map((seq): LogEvent => ({ seq, kind: "view", item: seq, anchor: "a", ms: 0 }));
  const other = events.map((event) => (event.seq === 2 ? { ...event, item: 9 } : event));
  expect(chain(other).links[0]).toBe(chain(events).links[0]);
  expect(chain(other).links.slice(1)).not.toEqual(chain(events).links.slice(1));
  expect(chain(other).head).not.toBe(chain(events).head);
});
