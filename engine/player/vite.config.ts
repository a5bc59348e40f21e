/** Builds the player into dist/: hashed assets, and a worker at /sw.js that knows their names. */

import { createHash } from "node:crypto";
import { defineConfig, type Plugin } from "vite";

/** Writes the list of the shell's files, and a version made of it, into the worker. */
function shellList(): Plugin {
  return {
    name: "shell-list",
    enforce: "post",
    generateBundle(_options, bundle) {
      // What only a camera needs is fetched when a camera is on, not by every pupil beforehand.
      const files = Object.keys(bundle).filter((name) => name.startsWith("assets/") && !/\.bin$|eyes_worker/.test(name)).map((name) => `/${name}`).sort();
      const index = bundle["index.html"];
      const page = index?.type === "asset" ? String(index.source) : "";
      const shell = ["/", "/manifest.webmanifest", "/icon.svg", "/old.js", ...files];
      const version = createHash("sha256").update(page).update(shell.join()).digest("hex").slice(0, 12);
      const worker = bundle["sw.js"];
      if (worker?.type !== "chunk") throw new Error("sw.js is missing from the build");
      worker.code = worker.code.replace("SHELL_FILES", shell.join(" ")).replace("SHELL_VERSION", version);
      if (!worker.code.includes(version)) throw new Error("sw.js has no place for the shell's files");
    },
  };
}

/** The Kazakh texts are wanted first by most: they come beside the script, not after it. */
function firstTexts(): Plugin {
  return {
    name: "first-texts",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const texts = Object.values(bundle ?? {}).find((part) => part.type === "chunk" && part.facadeModuleId?.endsWith("/kk.json"));
        return texts ? [{ tag: "link", attrs: { rel: "modulepreload", href: `/${texts.fileName}` }, injectTo: "head" }] : [];
      },
    },
  };
}

export default defineConfig({
  plugins: [firstTexts(), shellList()],
  build: {
    target: ["chrome80", "safari14"],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    sourcemap: false,
    rollupOptions: {
      input: { index: "index.html", sw: "src/sw.ts" },
      output: {
        entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
        assetFileNames: "assets/[name]-[hash][extname]",
        chunkFileNames: "assets/[name]-[hash].js",
      },
    },
  },
});
