/** A form that is sent only after the person touched a security key. Without script its page says that a key needs it.
 *  `data-key`: register or confirm. What the key said goes along as `credential`; a button `refuse` asks for no key. */
export function mountKeys(root: Document): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-key]")) mountForm(form);
}

function mountForm(form: HTMLFormElement): void {
  const said = form.querySelector("output");
  const purpose = form.dataset["key"];
  if (!said || (purpose !== "register" && purpose !== "confirm")) throw new Error("keys: a form needs data-key and an <output>");
  let pressed: HTMLButtonElement | null = null;
  form.addEventListener("click", (event) => {
    if (event.target instanceof Element) pressed = event.target.closest("button") ?? pressed;
  });
  form.addEventListener("submit", (event) => {
    if (pressed?.value === "refuse") return;
    event.preventDefault();
    said.textContent = "";
    ask(form, purpose).then(
      (credential) => {
        add(form, "credential", JSON.stringify(credential));
        // form.submit() leaves the button's own value out, and Safari 14 has no requestSubmit.
        if (pressed?.name) add(form, pressed.name, pressed.value);
        form.submit();
      },
      () => {
        said.textContent = form.dataset["keyFailed"] ?? "";
      },
    );
  });
}

function add(form: HTMLFormElement, name: string, value: string): void {
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = name;
  field.value = value;
  form.append(field);
}

interface Wanted {
  challenge: string;
  rpId?: string;
  rp?: PublicKeyCredentialRpEntity;
  user?: { id: string; name: string; displayName: string };
  pubKeyCredParams?: PublicKeyCredentialParameters[];
  excludeCredentials?: { id: string }[];
  allowCredentials?: { id: string }[];
  timeout?: number;
}

async function ask(form: HTMLFormElement, purpose: "register" | "confirm"): Promise<object> {
  const secret = form.querySelector<HTMLInputElement>('input[name="csrf"]')?.value ?? "";
  const body = new URLSearchParams({ csrf: secret, purpose });
  const answer = await fetch("/account/keys/options", { method: "POST", body });
  if (!answer.ok) throw new Error(`keys: ${answer.status}`);
  const wanted = (await answer.json()) as Wanted;
  const listed = (ids: { id: string }[] | undefined): PublicKeyCredentialDescriptor[] =>
    (ids ?? []).map((one) => ({ type: "public-key", id: bytes(one.id) }));
  const timeout = wanted.timeout ?? 60_000;
  if (purpose === "register") {
    if (!wanted.rp || !wanted.user) throw new Error("keys: the options lack rp or user");
    const made = await navigator.credentials.create({
      publicKey: {
        challenge: bytes(wanted.challenge),
        rp: wanted.rp,
        user: { ...wanted.user, id: bytes(wanted.user.id) },
        pubKeyCredParams: wanted.pubKeyCredParams ?? [],
        excludeCredentials: listed(wanted.excludeCredentials),
        timeout,
      },
    });
    return plain(made);
  }
  const held = await navigator.credentials.get({
    publicKey: {
      challenge: bytes(wanted.challenge),
      ...(wanted.rpId === undefined ? {} : { rpId: wanted.rpId }),
      allowCredentials: listed(wanted.allowCredentials),
      userVerification: "discouraged",
      timeout,
    },
  });
  return plain(held);
}

function plain(credential: Credential | null): object {
  if (!(credential instanceof PublicKeyCredential)) throw new Error("keys: no credential came");
  const response = credential.response;
  const shared = { clientDataJSON: text(response.clientDataJSON) };
  const more =
    response instanceof AuthenticatorAssertionResponse
      ? { authenticatorData: text(response.authenticatorData), signature: text(response.signature) }
      : { attestationObject: text((response as AuthenticatorAttestationResponse).attestationObject) };
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: { ...shared, ...more } };
}

function bytes(value: string): ArrayBuffer {
  const binary = atob(value.replace(/-/g, "+").replace(/_/g, "/"));
  const made = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) made[at] = binary.charCodeAt(at);
  return made.buffer;
}

function text(value: ArrayBuffer): string {
  let binary = "";
  for (const one of new Uint8Array(value)) binary += String.fromCharCode(one);
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
