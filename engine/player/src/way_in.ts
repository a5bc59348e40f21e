/** An attempt's way in: what was tried in vain is remembered over reloads, and told in the log once the engine answers. */

import type { Answered } from "./api";
import type { LogEvent, TriedNote } from "./protocol";
import { inVain, Tries, type Kept, type Step } from "./tries";

const AWAY_MS = 5_000;
const MOST_AWAY_MS = 24 * 3_600_000;

export interface Walker {
  note(value: TriedNote): void;
  persist(): void;
  /** The engine said no after tries in vain: it should hear of them soon. */
  keptOut(): void;
}

export class WayIn {
  /** An answer came after tries in vain, and it was no: who waits for his time to come back asks more often. */
  keptOut = false;
  private readonly tries: Tries;
  private readonly opened = performance.now();

  /** `found`: what the log ended with when it was opened. */
  constructor(kept: Kept | undefined, private readonly found: LogEvent | undefined, private readonly walker: Walker) {
    this.tries = new Tries(kept);
  }

  get kept(): Kept {
    return this.tries.kept;
  }

  async trying<T>(step: Step, answer: Promise<Answered<T>>): Promise<Answered<T>> {
    const began = performance.now();
    try {
      const answered = await answer;
      this.tell(step, this.tries.settled(step));
      return answered;
    } catch (error) {
      if (inVain(error)) {
        this.tries.failed(step, began);
        this.walker.persist();
      } else if (this.tell(step, this.tries.settled(step))) {
        this.keptOut = true;
        this.walker.keptOut();
      }
      throw error;
    }
  }

  /** The pupil is in by another way: what was tried in vain ends here. */
  insteadOf(step: Step): void {
    this.tell(step, this.tries.settled(step));
  }

  /** Into the log: up to `ago_ms` before this moment a step was tried in vain for so long. */
  tell(step: Step, for_ms: number | null, ago_ms = 0): boolean {
    if (for_ms === null) return false;
    this.walker.note({ step, for_ms, ago_ms });
    return true;
  }

  /** A page that no worker keeps cannot be opened in an outage: how long the pupil was away from an open test. */
  cameBack(now_ms: number): void {
    if (!this.found || navigator.serviceWorker?.controller) return;
    const ago_ms = Math.round(performance.now() - this.opened);
    const away_ms = Math.round(now_ms - ago_ms - (Number.parseInt(this.found.anchor, 10) + this.found.ms));
    if (away_ms > AWAY_MS && away_ms < MOST_AWAY_MS) this.tell("page", away_ms, ago_ms);
  }
}
