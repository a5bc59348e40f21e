/** The search over everything: Ctrl K or `[data-palette]` opens it, arrows walk its links. Without script there is the
 *  page that the link leads to. What is found comes by htmx, at the event `palette` too. */
export function mountPalette(root: Document): void {
  const dialog = root.getElementById("palette");
  const field = root.querySelector<HTMLInputElement>("#palette-q");
  if (!(dialog instanceof HTMLDialogElement) || !field) return;
  const open = (): void => {
    if (dialog.open) return;
    const before = root.activeElement;
    dialog.showModal();
    field.select();
    field.dispatchEvent(new Event("palette"));
    dialog.addEventListener("close", () => before instanceof HTMLElement && before.focus(), { once: true });
  };
  root.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target === dialog) dialog.close();
    if (!target?.closest("[data-palette]")) return;
    event.preventDefault();
    open();
  });
  root.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  dialog.addEventListener("keydown", (event) => {
    const links = [...dialog.querySelectorAll<HTMLAnchorElement>(".found a")];
    // Of an answer to fewer letters than were typed since nothing is opened: the form then leads to the page of the search.
    const answered = dialog.querySelector<HTMLElement>(".found")?.dataset["words"] === field.value.trim();
    if (event.key === "Enter" && event.target === field && field.value.trim() !== "" && answered && links[0]) {
      event.preventDefault();
      links[0].click();
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const at = links.findIndex((link) => link === root.activeElement);
    const to = event.key === "ArrowDown" ? at + 1 : at - 1;
    if (to < 0) field.focus();
    else links[Math.min(to, links.length - 1)]?.focus();
  });
}
