import { expect, test } from "vitest";
import * as large from "../src/crypto";
import * as small from "../src/crypto_small";

const utf8 = new TextEncoder();

test("the browser's tools and the small libraries agree, byte for byte", async () => {
  const key = await large.hkdf(utf8.encode("form key"), "elumiti/file/a1f3");
  expect(small.hkdf(utf8.encode("form key"), "elumiti/file/a1f3")).toEqual(key);
  expect(small.sha256(utf8.encode("ә"))).toEqual(await large.sha256(utf8.encode("ә")));
  const sealed = await large.seal(key, utf8.encode("Мың бала"), utf8.encode("a1f3"));
  const plain = small.open(key, sealed.subarray(0, 12), sealed.subarray(12), utf8.encode("a1f3"));
  expect(new TextDecoder().decode(plain)).toBe("Мың бала");
  const other = small.seal(key, sealed.subarray(0, 12), utf8.encode("Мың бала"), utf8.encode("a1f3"));
  expect(other).toEqual(sealed.subarray(12));
});

test("one changed bit, or another file's id, does not open", async () => {
  const key = large.randomBytes(32);
  const sealed = await large.seal(key, utf8.encode("x"), utf8.encode("a"));
  await expect(large.open(key, sealed, utf8.encode("b"))).rejects.toThrow();
  sealed[13] = (sealed[13] ?? 0) ^ 1;
  await expect(large.open(key, sealed, utf8.encode("a"))).rejects.toThrow();
});

test("base64url both ways", () => {
  const bytes = Uint8Array.from([0, 255, 254, 63, 62]);
  expect(large.fromBase64Url(large.toBase64Url(bytes))).toEqual(bytes);
});
