/** The portal's one script. Every page works without it; it adds comfort to what HTML already does. */
import { mountChild } from "./child";
import { mountDialogs } from "./dialogs";
import { mountKeys } from "./keys";
import { mountPalette } from "./palette";
import { mountPolling } from "./polling";
import { mountShell } from "./shell";
import { mountUnsaved } from "./unsaved";
import { mountWall } from "./wall";

document.documentElement.classList.add("js");
mountShell(document);
mountPalette(document);
mountDialogs(document);
mountUnsaved(document);
mountPolling(document);
mountKeys(document);
mountWall(document);
mountChild(document);
