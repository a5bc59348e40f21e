// Marks figures older than a minute by the server's own clock: a phone's may be wrong.
"use strict";
const written = Number(document.body.dataset.written);
let ahead = 0;
fetch(document.currentScript?.src ?? "status.js", { method: "HEAD", cache: "no-store" }).then((answer) => {
  const date = Date.parse(answer.headers.get("Date") ?? "");
  if (!Number.isNaN(date)) ahead = date - Date.now();
}, () => undefined).finally(() => {
  const look = () => document.body.classList.toggle("is-old", document.body.dataset.old === "yes" || Date.now() + ahead - written > 60_000);
  look();
  setInterval(look, 1000);
});
