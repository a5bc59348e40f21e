/** Menu on the phone, Ctrl K to the search, a filter that sends itself, copying a text. */
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
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      const search = root.querySelector<HTMLInputElement>("#search");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    }
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
  const summary = root.querySelector<HTMLElement>(".error-summary");
  summary?.focus();
}
