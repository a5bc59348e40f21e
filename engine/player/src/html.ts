/**
 * Item texts as nodes. What came cleaned is cleaned again here: only elements and attributes of the list are built,
 * all others give their text or nothing. No string ever becomes live markup (Trusted Types: policy `elumiti`).
 */

interface Policy { createHTML(html: string): string; createScriptURL(url: string): string }
interface Factory { createPolicy(name: string, rules: Policy): Policy }

const factory = (globalThis as unknown as { trustedTypes?: Factory }).trustedTypes;
const rules: Policy = {
  // The parser's document is inert: it runs nothing and loads nothing.
  createHTML: (html) => html,
  createScriptURL: (url) => {
    if (url !== "/sw.js" && !/^\/assets\/eyes_worker-[\w-]+\.js$/.test(url)) throw new TypeError("only the player's own workers");
    return url;
  },
};
const policy: Policy = factory ? factory.createPolicy("elumiti", rules) : rules;

export const workerAddress = (): string => policy.createScriptURL("/sw.js");
export const eyesAddress = (url: string): string => policy.createScriptURL(url);

const BUILT = new Set(["P", "STRONG", "EM", "UL", "OL", "LI", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "CAPTION", "BR", "SUB", "SUP", "SPAN"]);
const DROPPED = new Set(["SCRIPT", "STYLE", "TEMPLATE", "IFRAME", "OBJECT", "EMBED", "SVG", "MATH", "NOSCRIPT", "HEAD"]);

export interface Slots {
  /** A gap of a drop-down item. */
  gap(id: string): Node;
  /** A picture of the bundle. */
  media(id: string, alt: string): Node;
}

export function build(html: string, slots: Slots): DocumentFragment {
  const inert = new DOMParser().parseFromString(policy.createHTML(html), "text/html");
  const out = document.createDocumentFragment();
  inert.body.childNodes.forEach((node) => put(node, out, slots));
  return out;
}

function put(node: Node, into: Node, slots: Slots): void {
  if (node.nodeType === Node.TEXT_NODE) into.appendChild(document.createTextNode((node.nodeValue ?? "").slice(closingBehindGap(node).length)));
  if (!(node instanceof Element)) return;
  const name = node.tagName.toUpperCase();
  if (DROPPED.has(name)) return;
  if (name === "IMG") {
    const id = node.getAttribute("data-media");
    if (id) into.appendChild(slots.media(id, node.getAttribute("alt") ?? ""));
    return;
  }
  const gap = name === "SPAN" ? node.getAttribute("data-gap") : null;
  if (gap !== null) {
    const held = document.createElement("span");
    held.className = "held";
    held.appendChild(slots.gap(gap));
    const closing = closingAfter(node);
    if (closing) held.appendChild(document.createTextNode(closing));
    into.appendChild(held);
    return;
  }
  const child = BUILT.has(name) ? into.appendChild(document.createElement(name.toLowerCase())) : into;
  node.childNodes.forEach((inner) => put(inner, child, slots));
}

/** The comma or full stop right behind a gap: it stays beside it, whatever the width of the line. */
function closingAfter(gap: Node): string {
  const { nextSibling: next } = gap;
  return next?.nodeType === Node.TEXT_NODE ? /^[,.;:!?…»”)]+/.exec(next.nodeValue ?? "")?.[0] ?? "" : "";
}

function closingBehindGap(text: Node): string {
  const { previousSibling: before } = text;
  return before instanceof Element && before.hasAttribute("data-gap") ? closingAfter(before) : "";
}
