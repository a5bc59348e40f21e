/**
 * SHA-256, HKDF and AES-GCM: the browser's own where there are any.
 * A school's server without a certificate is no secure context and has no `crypto.subtle`: then small libraries, loaded on need.
 */

const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;

/** TypeScript tells apart buffers that may be shared; ours never are. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  if (subtle) return new Uint8Array(await subtle.digest("SHA-256", plain(bytes)));
  return (await import("./crypto_small")).sha256(bytes);
}

/** 32 bytes from a key, with an empty salt and `info` telling the purpose. */
export async function hkdf(key: Uint8Array, info: string): Promise<Uint8Array> {
  if (!subtle) return (await import("./crypto_small")).hkdf(key, info);
  const base = await subtle.importKey("raw", plain(key), "HKDF", false, ["deriveBits"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: new TextEncoder().encode(info) };
  return new Uint8Array(await subtle.deriveBits(how, base, 256));
}

/** Opens nonce ‖ ciphertext ‖ tag; throws when one bit is not as it was sealed. */
export async function open(key: Uint8Array, sealed: Uint8Array, additional: Uint8Array): Promise<Uint8Array> {
  const nonce = sealed.subarray(0, 12);
  const body = sealed.subarray(12);
  if (!subtle) return (await import("./crypto_small")).open(key, nonce, body, additional);
  const aes = await subtle.importKey("raw", plain(key), "AES-GCM", false, ["decrypt"]);
  const how = { name: "AES-GCM", iv: plain(nonce), additionalData: plain(additional) };
  return new Uint8Array(await subtle.decrypt(how, aes, plain(body)));
}

/** nonce ‖ ciphertext ‖ tag. */
export async function seal(key: Uint8Array, bytes: Uint8Array, additional: Uint8Array): Promise<Uint8Array> {
  const nonce = randomBytes(12);
  let body: Uint8Array;
  if (subtle) {
    const aes = await subtle.importKey("raw", plain(key), "AES-GCM", false, ["encrypt"]);
    const how = { name: "AES-GCM", iv: plain(nonce), additionalData: plain(additional) };
    body = new Uint8Array(await subtle.encrypt(how, aes, plain(bytes)));
  } else {
    body = (await import("./crypto_small")).seal(key, nonce, bytes, additional);
  }
  const out = new Uint8Array(12 + body.length);
  out.set(nonce);
  out.set(body, 12);
  return out;
}

export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

export function fromBase64Url(text: string): Uint8Array {
  const plainText = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plainText, (c) => c.charCodeAt(0));
}

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
