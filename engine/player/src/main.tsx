import { options, render } from "preact";
import { App } from "./app";
import { workerAddress } from "./html";
import { Root } from "./views/root";

document.documentElement.dataset["started"] = "";
// However many things happen at once, the page is drawn once a frame; hidden pages have no frames.
options.debounceRendering = (draw) => { if (document.visibilityState === "visible") requestAnimationFrame(draw); else setTimeout(draw, 50); };
const app = new App();
const root = document.getElementById("player");
if (!root) throw new Error("main: #player is missing in index.html");
render(<Root app={app} />, root);
app.boot().catch((error: unknown) => {
  console.error(error);
  app.show("wrong");
});
addEventListener("load", () => {
  // Without a secure context there is no worker; the page then says so in the device check.
  navigator.serviceWorker?.register(workerAddress()).catch(() => undefined);
});
