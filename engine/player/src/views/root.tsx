/** Which page is shown. */

import { useLayoutEffect, useReducer } from "preact/hooks";
import type { App } from "../app";
import { speaks, t } from "../i18n";
import { liveWords } from "./camera";
import { Check } from "./check";
import { Elsewhere } from "./elsewhere";
import { HandedIn } from "./handed_in";
import { ChooseLanguage } from "./language";
import { Above } from "./parts";
import { Practice } from "./practice";
import { Receipt } from "./receipt";
import { Review } from "./review";
import { SignIn } from "./sign_in";
import { Stopped } from "./stopped";
import { Test } from "./test";
import { Waiting } from "./waiting";
import { Wrong } from "./wrong";

export function Root({ app }: { app: App }) {
  const [, again] = useReducer((n: number) => n + 1, 0);
  // Before the first frame is shown: all that a quick phone has to read can be read by then, and it would hear of nothing.
  useLayoutEffect(() => app.subscribe(() => again(undefined)), [app]);
  const { attempt } = app;
  // One and the same wherever it stands for a screen whose attempt is gone: a slow phone shows it before it is called
  // «sign-in», and what a child types meanwhile must not go with the change.
  const signIn = <SignIn key={app.code} app={app} />;
  switch (app.screen) {
    case "loading":
      return <main class="page"><p class="quiet" role="status">{speaks() ? t("busy.loading") : ""}</p></main>;
    case "language":
      return <ChooseLanguage app={app} />;
    case "sign-in":
      return signIn;
    case "elsewhere":
      return <Elsewhere app={app} />;
    case "receipt":
      return app.receipt ? <Receipt app={app} receipt={app.receipt} /> : signIn;
    case "camera":
      return app.Trial ? <app.Trial back={() => app.show("sign-in")} /> : signIn;
    case "wrong":
      return <Wrong />;
    case "check":
      if (attempt?.stopped) return <Stopped app={app} attempt={attempt} />;
      return attempt ? <Check app={app} attempt={attempt} /> : signIn;
    case "practice":
      return <Practice app={app} />;
    case "waiting":
      if (attempt?.stopped) return <Stopped app={app} attempt={attempt} />;
      return attempt && app.opening ? <Waiting app={app} attempt={attempt} opening={app.opening} /> : signIn;
    case "test":
    case "review":
      if (!attempt) return signIn;
      if (attempt.handedIn) return <HandedIn app={app} attempt={attempt} />;
      if (attempt.stopped) return <Stopped app={app} attempt={attempt} />;
      return (
        <Above.Provider value={liveWords(app)}>
          {app.screen === "test" ? <Test app={app} attempt={attempt} /> : <Review app={app} attempt={attempt} />}
        </Above.Provider>
      );
  }
}
