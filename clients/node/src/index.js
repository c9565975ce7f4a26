// Verify access tokens against the keys and the feed of denials.

import { hash } from "node:crypto";
import { InvalidToken, NoToken, Unavailable } from "./errors.js";
import { Follower } from "./follower.js";

export { InvalidToken, NoToken, Unavailable, VerifyError } from "./errors.js";

const MAX_TOKEN_LENGTH = 8192;
const CAPACITY = 16384; // How many tokens a verifier remembers.
const KEYS_PAUSE = 5; // Anyone can invent the kid of a token: tokens cause no more requests.
const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];

export class Verifier {
  #seen = new Map();
  #follower;
  #options;

  constructor(authority, options) {
    const site = String(authority).replace(/\/+$/, "");
    this.#options = {
      keysUrl: `${site}/.well-known/jwks.json`,
      feedUrl: `${site}/api/denials/`,
      bound: 10,
      leeway: 10,
      interval: 1,
      onSilence: "refuse",
      clock: () => Date.now() / 1000,
      ticks: () => performance.now() / 1000,
      ...options,
    };
    const { issuer, audience, onSilence, keysUrl, feedUrl, allowHttp } = this.#options;
    for (const [name, value] of Object.entries({ issuer, audience })) {
      if (!value || typeof value !== "string") throw new TypeError(`${name} is missing.`);
    }
    if (!["refuse", "accept"].includes(onSilence)) {
      throw new TypeError(`onSilence is ${onSilence}. It may be "refuse" or "accept".`);
    }
    for (const url of [keysUrl, feedUrl]) {
      const { protocol, hostname } = new URL(url);
      const plain = protocol === "http:" && (allowHttp || LOOPBACK.includes(hostname));
      if (protocol === "https:" || plain) continue;
      throw new TypeError(`${url} is not https: an attacker could replace the keys.`);
    }
    this.#follower = new Follower(this.#options);
  }

  /** Return the verified token, or throw InvalidToken or Unavailable. */
  async verify(token) {
    const follower = this.#follower;
    if (!follower.hasNews()) await follower.waitForNews();
    if (typeof token !== "string" || token.length > MAX_TOKEN_LENGTH) {
      throw new InvalidToken("The token is no text, or is too long.");
    }
    const digest = hash("sha256", token, "base64");
    let seen = this.#seen.get(digest);
    if (seen === undefined || follower.keys.get(seen.kid)?.key !== seen.key) {
      seen = await this.#learn(token);
      if (this.#seen.size >= CAPACITY) this.#seen.clear();
      this.#seen.set(digest, seen);
    }
    const { clock, leeway } = this.#options;
    const { exp, iat, sub } = seen.token;
    if (clock() >= exp + leeway) throw new InvalidToken("The token has expired.");
    const { entries, before } = follower.denials;
    if (seen.ids.some((id) => entries.has(id))) throw new InvalidToken("The token is denied.");
    if (before.size && iat <= Math.max(before.get(null) ?? -1, before.get(sub) ?? -1)) {
      throw new InvalidToken("The token was issued before a cut-off.");
    }
    return seen.token;
  }

  /** Follow the feed from now on. Without this, the first token starts it. */
  start() {
    this.#follower.start();
  }

  /** Stop following the feed. After the bound, every call throws Unavailable. */
  close() {
    this.#follower.close();
  }

  /** Check what does not change about a token while its key is published. */
  async #learn(token) {
    const { audience, leeway, clock } = this.#options;
    const currentDate = new Date(clock() * 1000);
    const about = { audience, clockTolerance: leeway, currentDate };
    const { kid, key, claims } = await this.#follower
      .decode(token, "at+jwt", KEYS_PAUSE, about)
      .catch((error) => {
        if (error instanceof Unavailable) throw error;
        throw new InvalidToken(`The token is not valid: ${error.code ?? error.name}`);
      });
    const { sub, sid, jti, exp, iat, nbf = iat } = claims;
    const [texts, times] = [
      [sub, sid, jti],
      [exp, iat, nbf],
    ];
    if (!texts.every((text) => typeof text === "string") || !times.every(Number.isInteger)) {
      throw new InvalidToken("The token has odd claims.");
    }
    if (iat > clock() + leeway) throw new InvalidToken("The token is from the future.");
    const verified = Object.freeze({ sub, sid, jti, exp, iat, claims: Object.freeze(claims) });
    return { token: verified, kid, key, ids: [`sid ${sid}`, `jti ${jti}`, `kid ${kid}`] };
  }
}

/** Return the token of an Authorization header, or throw NoToken. */
export function credentialOf(header) {
  const [, token] = /^ *bearer +(\S+) *$/i.exec(header ?? "") ?? [];
  if (!token) throw new NoToken("There is no bearer token.");
  return token;
}
