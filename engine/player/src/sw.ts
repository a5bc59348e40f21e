/**
 * The page's shell on the device: after the first visit it opens without a network, in any state.
 * Requests to the engine (/v1/…) are never touched; they have their own rules.
 */

interface Waits extends Event { waitUntil(work: Promise<unknown>): void }
interface Fetches extends Waits { request: Request; respondWith(answer: Promise<Response>): void }
interface Worker {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(name: "install" | "activate", heard: (event: Waits) => void): void;
  addEventListener(name: "fetch", heard: (event: Fetches) => void): void;
}
const worker = self as unknown as Worker;

const FILES = "SHELL_FILES".split(" ");
const CACHE = `shell-${"SHELL_VERSION"}`;

worker.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => worker.skipWaiting()));
});

// The shell before this one stays for tabs that still run it; older ones go.
worker.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then(async (names) => {
    const old = names.filter((name) => name.startsWith("shell-") && name !== CACHE).slice(0, -1);
    await Promise.all(old.map((name) => caches.delete(name)));
    await worker.clients.claim();
  }));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || url.pathname.startsWith("/v1/")) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (FILES.includes(url.pathname) || url.pathname.startsWith("/assets/")) event.respondWith(kept(request));
});

/** As it was kept: a page and its files always fit each other. The browser asks for a newer worker by itself. */
async function page(request: Request): Promise<Response> {
  const shell = (await caches.open(CACHE).then((cache) => cache.match("/"))) ?? (await caches.match("/"));
  return shell ?? fetch(request);
}

async function kept(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}
