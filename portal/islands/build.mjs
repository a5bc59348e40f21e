// Builds what the portal's pages load into portal/core/ui/static/dist: htmx, our script, the icon sprite, the fonts.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "core", "ui", "static", "dist");
const from = (...parts) => join(here, "node_modules", ...parts);

// Those of industries and professions lie apart: few pages show them, and weak phones need not load them.
async function sprite(name) {
  const icons = (await readFile(join(here, `${name}.txt`), "utf8")).split("\n").filter(Boolean);
  const symbols = await Promise.all(
    icons.map(async (icon) => {
      const svg = await readFile(from("lucide-static", "icons", `${icon}.svg`), "utf8");
      const inner = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).trim();
      return `<symbol id="${icon}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${inner}</symbol>`;
    }),
  );
  await writeFile(join(out, `${name}.svg`), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);
}

await mkdir(out, { recursive: true });
// live: one page alone loads it.
for (const name of ["portal", "live"]) {
  await build({
    entryPoints: [join(here, "src", `${name}.ts`)],
    outfile: join(out, `${name}.js`),
    bundle: true,
    minify: true,
    format: "iife",
    target: ["chrome80", "safari14"],
  });
}
await copyFile(from("htmx.org", "dist", "htmx.min.js"), join(out, "htmx.js"));
for (const weight of ["400", "500", "600"]) {
  for (const subset of ["latin", "cyrillic", "cyrillic-ext"]) {
    const name = `golos-text-${subset}-${weight}-normal.woff2`;
    await copyFile(from("@fontsource", "golos-text", "files", name), join(out, name));
  }
}
for (const [folder, name] of [
  ["400Regular", "GolosText_400Regular.ttf"],
  ["600SemiBold", "GolosText_600SemiBold.ttf"],
]) {
  await copyFile(from("@expo-google-fonts", "golos-text", folder, name), join(out, name));
}
await sprite("icons");
await sprite("occupations");
