/** One request to the engine: a time-out, one kind of error, and how long to wait. Keeps nothing. */

import type {
  HaveReply, KeyReply, Problem, ResumeReply, SaveBody, SaveReply, SignInBody, SignInReply, Stamp,
} from "./protocol";

/** The engine answered, and not with what was asked for. */
export class Refused extends Error {
  constructor(readonly problem: Problem, readonly retry_after_ms: number) {
    super(`${problem.status} ${problem.code}`);
  }
}

/** No answer: no line, a time-out, or something else than the engine answered. */
export class NoLine extends Error {}

/** A reply, and when it was asked for and came, in monotonic milliseconds. */
export interface Answered<T> { reply: T; asked: number; came: number }

const TIMEOUT_MS = 20_000;
/** Waits of many devices must not end together. */
export function jitter(upTo_ms: number): number {
  return Math.random() * upTo_ms;
}

interface Ask { method?: "GET" | "POST"; token?: string | undefined; body?: object; timeout_ms?: number; keepalive?: boolean }

async function ask<T>(path: string, { method = "POST", token, body, timeout_ms = TIMEOUT_MS, keepalive = false }: Ask): Promise<Answered<T>> {
  const headers: Record<string, string> = {};
  if (token) headers["Authorization"] = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), timeout_ms);
  const asked = performance.now();
  try {
    const init: RequestInit = { method, headers, signal: control.signal, keepalive, cache: "no-store", credentials: "omit" };
    if (body) init.body = JSON.stringify(body);
    const response = await fetch(path, init);
    const came = performance.now();
    const text = await response.text();
    if (!response.ok) throw refusal(response, text);
    return { reply: JSON.parse(text) as T, asked, came };
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new NoLine(String(error));
  } finally {
    clearTimeout(timer);
  }
}

function refusal(response: Response, text: string): Error {
  const retry_after_ms = Number(response.headers.get("Retry-After") ?? "0") * 1000 || 0;
  let problem: Problem;
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    problem = { status: response.status, code: "" };
  }
  // A captive portal or a proxy speaks here, not the engine.
  if (typeof problem.code !== "string" || problem.code === "") {
    if (response.status !== 503 && response.status !== 429) return new NoLine(`${response.status} without a code`);
    problem = { status: response.status, code: response.status === 503 ? "try-later" : "slow-down" };
  }
  return new Refused({ ...problem, status: response.status }, retry_after_ms);
}

export const api = {
  /** `token`: of an earlier log of this slip on this phone; its history and the new one's are then one. */
  signIn: (body: SignInBody, token?: string) => ask<SignInReply>("/v1/sign-in", { body, token, timeout_ms: 30_000 }),
  clock: () => ask<Stamp>("/v1/clock", { method: "GET", timeout_ms: 10_000 }),
  key: (token: string) => ask<KeyReply>("/v1/key", { token, timeout_ms: 15_000 }),
  save: (token: string, body: SaveBody, keepalive: boolean) => ask<SaveReply>("/v1/save", { token, body, keepalive, timeout_ms: 30_000 }),
  finish: (token: string, body: SaveBody) => ask<SaveReply>("/v1/finish", { token, body, timeout_ms: 30_000 }),
  resume: (token: string, device: string) => ask<ResumeReply>("/v1/resume", { token, body: { device }, timeout_ms: 30_000 }),
  have: (token: string, device: string) => ask<HaveReply>("/v1/have", { token, body: { device } }),
};

/** The bytes of a bundle's file. Its name is their hash: who asks checks it. */
export async function fetchFile(name: string): Promise<Uint8Array> {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), 120_000);
  try {
    const response = await fetch(`/v1/bundles/${name}`, { signal: control.signal, credentials: "omit" });
    if (!response.ok) throw refusal(response, await response.text());
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new NoLine(String(error));
  } finally {
    clearTimeout(timer);
  }
}
