/** `<a data-dialog="id" href="…">` opens the `<dialog>` of that id; without script the link leads to the same form. */
export function mountDialogs(root: Document): void {
  root.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const opener = target?.closest<HTMLElement>("[data-dialog]");
    if (opener) {
      const dialog = root.getElementById(opener.dataset.dialog ?? "");
      if (!(dialog instanceof HTMLDialogElement)) return;
      event.preventDefault();
      dialog.showModal();
      dialog.addEventListener("close", () => opener.focus(), { once: true });
      return;
    }
    if (target?.closest("[data-close]")) target.closest("dialog")?.close();
  });
}
