/** What a sign-in makes: the attempt as this device keeps it, or a trouble for a sentence. */

import { NoLine, Refused } from "./api";
import { otherForm } from "./controls";
import { TabLost } from "./log";
import type { Help, SignInReply } from "./protocol";
import type { AttemptRecord, LogHead } from "./store";

export interface SignInTrouble { code: string; help: Help | null; n: number; at_ms: number }

export function recordOf(reply: SignInReply, { device, next }: LogHead, before: AttemptRecord | null): AttemptRecord {
  const kept = before ?? {
    step: "check", share: Math.random(), keys: null, seed: null, anchor: null, controls: [], controls_version: 0,
    merged: null, taken_back: 0, automatic: 0,
  } as const;
  const { started_ms, deadline_ms } = reply;
  const anew = before && before.signed_in.manifest !== reply.manifest ? otherForm(next - 1) : {};
  return { ...kept, ...anew, controls: [...kept.controls], attempt: reply.attempt, device, signed_in: { ...reply, token: "" }, started_ms, deadline_ms };
}

export function troubleOf(error: unknown): SignInTrouble {
  const none = { help: null, n: 0, at_ms: 0 };
  if (error instanceof NoLine) return { ...none, code: "no-line" };
  if (error instanceof TabLost || !(error instanceof Refused)) return { ...none, code: "refused" };
  const { code, help, tries_left, waiting_opens_ms, opens_ms } = error.problem;
  const at_ms = [opens_ms, waiting_opens_ms].find((ms): ms is number => typeof ms === "number") ?? 0;
  const n = typeof tries_left === "number" ? tries_left : Math.ceil(error.retry_after_ms / 1000);
  return { code, help: (help ?? null) as Help | null, n, at_ms };
}
