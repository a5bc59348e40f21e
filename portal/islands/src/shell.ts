/** Menu on the phone, sections of it that stay folded, a filter that sends itself, copying a text. */
export function mountShell(root: Document): void {
  root.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const menu = target?.closest<HTMLElement>("[data-menu]");
    if (menu) {
      const open = root.body.classList.toggle("menu-open");
      menu.setAttribute("aria-expanded", String(open));
      return;
    }
    if (root.body.classList.contains("menu-open") && !target?.closest(".side")) {
      root.body.classList.remove("menu-open");
      root.querySelector("[data-menu]")?.setAttribute("aria-expanded", "false");
    }
    const copy = target?.closest<HTMLElement>("[data-copy]");
    if (copy) void navigator.clipboard.writeText(copy.dataset.copy ?? "");
    if (target?.closest("[data-print]")) window.print();
  });
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") root.body.classList.remove("menu-open");
  });
  root.addEventListener("change", (event) => {
    const field = event.target instanceof HTMLElement ? event.target : null;
    field?.closest<HTMLFormElement>("form[data-autosend]")?.requestSubmit();
    // A box that ticks all boxes of its table.
    if (field instanceof HTMLInputElement && field.dataset.all !== undefined) {
      for (const box of root.querySelectorAll<HTMLInputElement>(`input[name="${field.dataset.all}"]`)) {
        box.checked = field.checked;
      }
    }
  });
  // What scrolls sideways is scrolled by keys too.
  for (const wrap of root.querySelectorAll<HTMLElement>(".table-wrap")) {
    if (wrap.scrollWidth > wrap.clientWidth) wrap.tabIndex = 0;
  }
  // Which sections of the menu a person folded away, this browser remembers; the one he is in is always open.
  for (const section of root.querySelectorAll<HTMLDetailsElement>("details[data-section]")) {
    const name = `folded-${section.dataset.section ?? ""}`;
    if (localStorage.getItem(name) && !section.querySelector("[aria-current]")) section.open = false;
    section.addEventListener("toggle", () => {
      if (section.open) localStorage.removeItem(name);
      else localStorage.setItem(name, "1");
    });
  }
  // Of a row of tabs that is wider than a phone, the one that is open is in sight; the page itself stays where it is.
  for (const tab of root.querySelectorAll<HTMLElement>(".tabs [aria-current]")) {
    const row = tab.parentElement;
    if (row) row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }
  const summary = root.querySelector<HTMLElement>(".error-summary");
  summary?.focus();
}
