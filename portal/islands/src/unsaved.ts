/** A form that was changed asks before its page is left. */
export function mountUnsaved(root: Document): void {
  let changed = false;
  root.addEventListener("input", (event) => {
    if (event.target instanceof Element && event.target.closest("form[data-unsaved]")) changed = true;
  });
  root.addEventListener("submit", () => {
    changed = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}
