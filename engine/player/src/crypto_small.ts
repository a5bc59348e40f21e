/** The same three tools without the browser's help, for pages that are no secure context. */

import { gcm } from "@noble/ciphers/aes.js";
import { hkdf as nobleHkdf } from "@noble/hashes/hkdf.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";

export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes);
}

export function hkdf(key: Uint8Array, info: string): Uint8Array {
  return nobleHkdf(nobleSha256, key, undefined, new TextEncoder().encode(info), 32);
}

export function open(key: Uint8Array, nonce: Uint8Array, body: Uint8Array, additional: Uint8Array): Uint8Array {
  return gcm(key, nonce, additional).decrypt(body);
}

export function seal(key: Uint8Array, nonce: Uint8Array, bytes: Uint8Array, additional: Uint8Array): Uint8Array {
  return gcm(key, nonce, additional).encrypt(bytes);
}
