// Verify access tokens against the keys and the feed of denials.

import { decodeProtectedHeader, jwtVerify } from "jose";
import { hash } from "node:crypto";
import { InvalidToken, NoToken, Unavailable } from "./errors.js";
import { Follower } from "./follower.js";

export { InvalidToken, NoToken, Unavailable, VerifyError } from "./errors.js";

const MAX_TOKEN_LENGTH = 8192;
const CAPACITY = 8192; // How many tokens each of two maps remembers.
const PATIENCE = 2;
const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];
const REQUIRED = ["aud", "exp", "iat", "iss", "jti", "sid", "sub"];

export class Verifier {
  #seen = new Map();
  #seenBefore = new Map();
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
      if (protocol === "https:" || (protocol === "http:" && (allowHttp || LOOPBACK.includes(hostname)))) continue;
      throw new TypeError(`${url} is not https. Over plain http, an attacker on the connection can replace the keys.`);
    }
    this.#follower = new Follower(this.#options);
  }

  /** Return the verified token, or throw InvalidToken or Unavailable. */
  async verify(token) {
    const follower = this.#follower;
    const now = this.#options.clock();
    if (!follower.running || !follower.hasNews(now)) await this.#withoutNews();
    if (typeof token !== "string") throw new InvalidToken("The token is not a string.");
    const digest = hash("sha256", token, "base64");
    let seen = this.#seen.get(digest) ?? this.#seenBefore.get(digest);
    if (seen === undefined || follower.keys.get(seen.kid) !== seen.key) {
      seen = await this.#read(token);
      if (this.#seen.size >= CAPACITY) [this.#seenBefore, this.#seen] = [this.#seen, new Map()];
      this.#seen.set(digest, seen);
    }
    if (now >= seen.exp + this.#options.leeway) throw new InvalidToken("The token has expired.");
    const { entries, before } = follower.denials;
    if (entries.has(seen.sid) || entries.has(seen.jti) || entries.has(seen.kidEntry)) {
      throw new InvalidToken("The token is denied.");
    }
    if (before.size && seen.iat <= Math.max(before.get(null) ?? -1, before.get(seen.token.sub) ?? -1)) {
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

  async #withoutNews() {
    const follower = this.#follower;
    follower.start();
    const left = follower.begun + PATIENCE - this.#options.ticks();
    if (!follower.hasNews() && left > 0) {
      let timer;
      const patience = new Promise((resolve) => (timer = setTimeout(resolve, left * 1000)));
      await Promise.race([follower.settled, patience]);
      clearTimeout(timer);
    }
    if (this.#options.onSilence === "refuse" && !follower.hasNews()) {
      throw new Unavailable("There is no news of denials.");
    }
  }

  /** Check everything about a token that does not change while its key is published. */
  async #read(token) {
    if (token.length > MAX_TOKEN_LENGTH) throw new InvalidToken("The token is too long.");
    const { kid, typ, crit } = headerOf(token);
    if (typ !== "at+jwt" || typeof kid !== "string" || crit !== undefined) {
      throw new InvalidToken("It is not an access token.");
    }
    const key = this.#follower.keys.get(kid) ?? (await this.#keyOf(kid));
    const { issuer, audience, leeway, clock } = this.#options;
    let claims;
    try {
      ({ payload: claims } = await jwtVerify(token, key.key, {
        algorithms: [key.alg],
        issuer,
        audience,
        clockTolerance: leeway,
        currentDate: new Date(clock() * 1000),
        requiredClaims: REQUIRED,
      }));
    } catch (error) {
      throw new InvalidToken(`The token is not valid: ${error.code ?? error.name}`);
    }
    const { sub, sid, jti, exp, iat, nbf = iat } = claims;
    if (![sub, sid, jti].every((each) => typeof each === "string") || ![exp, iat, nbf].every(Number.isInteger)) {
      throw new InvalidToken("The token has odd claims.");
    }
    if (iat > clock() + leeway) throw new InvalidToken("The token is from the future.");
    const verified = Object.freeze({ sub, sid, jti, exp, iat, claims: Object.freeze(claims) });
    return { token: verified, exp, iat, kid, key, sid: `sid ${sid}`, jti: `jti ${jti}`, kidEntry: `kid ${kid}` };
  }

  async #keyOf(kid) {
    let key;
    try {
      key = await this.#follower.keyOf(kid);
    } catch (error) {
      throw new Unavailable("The keys cannot be read.", { cause: error });
    }
    if (!key) throw new InvalidToken("No published key has signed the token.");
    return key;
  }
}

const headers = new Map(); // All tokens of one key have the same.

function headerOf(token) {
  const text = token.slice(0, token.indexOf("."));
  let header = headers.get(text);
  if (header === undefined) {
    try {
      header = decodeProtectedHeader(token);
    } catch {
      throw new InvalidToken("The token is not three base64url parts.");
    }
    if (headers.size >= 32) headers.clear();
    headers.set(text, header);
  }
  return header;
}

/** Return the token of an Authorization header, or throw NoToken. */
export function credentialOf(header) {
  const [, token] = /^ *bearer +(\S+) *$/i.exec(header ?? "") ?? [];
  if (!token) throw new NoToken("There is no bearer token.");
  return token;
}
