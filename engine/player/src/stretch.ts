/** A room's code becomes a key: slow and large on purpose. Loaded before it is wanted, for then there may be no line. */

import { scryptAsync } from "@noble/hashes/scrypt.js";

const COST = { N: 2 ** 15, r: 8, p: 1, dkLen: 32, asyncTick: 20 } as const;

export function stretch(code: string, salt: Uint8Array, tell: (share: number) => void): Promise<Uint8Array> {
  return scryptAsync(new TextEncoder().encode(code), salt, { ...COST, onProgress: tell });
}
