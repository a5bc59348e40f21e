import { expect, test } from "vitest";
import { checkCharacter, codeFits, otherKeyboard, readCode, showCode } from "../src/code";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const FIRST = "K7QM2XW9PN4";
const CODE = FIRST + checkCharacter(FIRST);

test("spaces, hyphens and case do not matter; O is 0, I and L are 1", () => {
  expect(readCode(" k7qm-2xw9 pn4m ")).toBe("K7QM2XW9PN4M");
  expect(readCode("oOiIlL")).toBe("001111");
  expect(showCode("K7QM2XW9PN4M")).toBe("K7QM 2XW9 PN4M");
  expect(showCode("K7QM2")).toBe("K7QM 2");
});

test("letters of a Kazakh or Russian keyboard read as those that look alike; others are told", () => {
  expect(readCode("авекмнһ орстуүхі")).toBe("ABEKMHH0PCTY");
  expect(readCode("хі үо")).toBe("X1Y0");
  expect(otherKeyboard("хі ү7 k")).toBe(false);
  expect(otherKeyboard("k7ж")).toBe(true);
  expect(readCode("k7ж")).toBe("K7");
});

test("the check character is Σ dᵢ · (2i + 1) mod 32", () => {
  expect(checkCharacter("00000000001")).toBe(ALPHABET[23]);
  expect(checkCharacter("10000000000")).toBe(ALPHABET[3]);
});

test("any single wrong character shows", () => {
  expect(codeFits(CODE)).toBe(true);
  for (let at = 0; at < CODE.length; at++) {
    for (const other of ALPHABET) {
      if (other === CODE[at]) continue;
      expect(codeFits(CODE.slice(0, at) + other + CODE.slice(at + 1))).toBe(false);
    }
  }
});

test("a code that is not whole does not fit", () => {
  expect(codeFits(CODE.slice(0, 11))).toBe(false);
  expect(codeFits("")).toBe(false);
});
