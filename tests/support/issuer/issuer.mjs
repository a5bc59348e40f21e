// A certified OpenID provider (panva/node-oidc-provider) on a port of this machine: node issuer.mjs PORT REDIRECT_URI…
// Any login with any password is let in (its own pages for developers); the subject is the login.
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const [port, ...redirectUris] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwk = { ...privateKey.export({ format: "jwk" }), kid: "first", use: "sig", alg: "ES256" };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: "elumiti",
    client_secret: "a secret between the two",
    redirect_uris: redirectUris,
    id_token_signed_response_alg: "ES256",
  }],
  jwks: { keys: [jwk] },
  cookies: { keys: ["for the tests alone"] },
  claims: { email: ["email", "email_verified"], openid: ["sub"], profile: ["name"] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@mail.test`, email_verified: true, name: `Адам ${id}` }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
