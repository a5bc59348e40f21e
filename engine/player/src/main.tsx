import { render } from "preact";
import { App } from "./app";
import { workerAddress } from "./html";
import { Root } from "./views/root";

document.documentElement.dataset["started"] = "";
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
