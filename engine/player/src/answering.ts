/** What a question needs to be answered: the test gives it from the attempt, the trial from memory alone. */

import type { Attempt } from "./attempt";
import type { Value } from "./protocol";

export interface Answering {
  answer(item: number): Value;
  choose(item: number, value: Value): void;
  type(item: number, value: string): void;
  /** What is typed goes into the log now. */
  rest(): void;
  picture(id: string): Promise<string>;
}

export function answeringOf(attempt: Attempt): Answering {
  return {
    answer: (item) => attempt.answer(item),
    choose: (item, value) => attempt.choose(item, value),
    type: (item, value) => attempt.type(item, value),
    rest: () => attempt.keepDraft(),
    picture: (id) => attempt.bundle.picture(id, attempt.record.keys ?? {}),
  };
}
