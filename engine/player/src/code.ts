/** Codes in groups of four, their last character a check: twelve to sign in, seventeen of a room (docs/protocol.md). */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
export const CODE_LENGTH = 12;
export const ROOM_CODE_LENGTH = 17;

/** What a Kazakh or Russian keyboard writes, and the letter of ours that looks the same (engine/codes.py has both too). */
const CYRILLIC = "АВЕКМНҺОРСТУҮХІ";
const ALIKE = "ABEKMHH0PCTYYX1";

function latin(typed: string): string {
  const upper = typed.toUpperCase().replace(/O/g, "0").replace(/[IL]/g, "1");
  return upper.replace(/[\u0400-\u04ff]/g, (c) => ALIKE.charAt(CYRILLIC.indexOf(c)) || c);
}

/** Keeps what can stand in a code: upper case, O as 0, I and L as 1, look-alikes of another keyboard; the rest is dropped. */
export function readCode(typed: string, length = CODE_LENGTH): string {
  return Array.from(latin(typed)).filter((c) => ALPHABET.includes(c)).join("").slice(0, length);
}

/** Whether a letter is dropped since it is of a keyboard that no code can be typed on. */
export function otherKeyboard(typed: string): boolean {
  return /[\u0400-\u04ff]/.test(latin(typed));
}

/** As on the slip: K7QM 2XW9 PL4D. */
export function showCode(code: string): string {
  return code.replace(/(.{4})(?=.)/g, "$1 ");
}

/** The last character of a code, from those before it. */
export function checkCharacter(first: string): string {
  let sum = 0;
  for (let i = 1; i <= first.length; i++) sum += ALPHABET.indexOf(first.charAt(i - 1)) * (2 * i + 1);
  return ALPHABET.charAt(sum % 32);
}

/** Whether a whole code fits its check character: a slip of one finger always shows. */
export function codeFits(code: string, length = CODE_LENGTH): boolean {
  return code.length === length && checkCharacter(code.slice(0, -1)) === code.charAt(length - 1);
}

/** The code behind the «#» of the slip's QR and of the demo's links; "" unless it is a whole one that fits. */
export function codeInHash(hash: string): string {
  const written = hash.slice(1).replace(/%20|[\s-]/g, "");
  const code = readCode(written);
  return written.length === CODE_LENGTH && codeFits(code) ? code : "";
}
