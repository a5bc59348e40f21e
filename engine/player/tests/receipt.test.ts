import { expect, test } from "vitest";
import { receiptAgain } from "../src/sender";

test("the receipt is asked for ever later, and never sooner than the server said", () => {
  const waits = [3];
  for (let at = 0; at < 12; at += 1) waits.push(receiptAgain(waits[at] ?? 0));
  expect(waits.slice(0, 3)).toEqual([3, 4.5, 6.75]);
  expect(waits.at(-1)).toBe(60);
  expect(receiptAgain(180)).toBe(180);
});
