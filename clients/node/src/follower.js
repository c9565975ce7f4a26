// Follow the keys and the feed of denials.

import { decodeProtectedHeader, importJWK, jwtVerify } from "jose";
import { setTimeout as pause } from "node:timers/promises";
import { Denials } from "./denials.js";
import { RefusedDocument, Unavailable } from "./errors.js";

// The key decides the algorithm. An HMAC key would let each verifier sign tokens.
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];
const KEYS_AGE = 300;
const PATIENCE = 2; // For how long the first callers wait for the first document.
const PUSH_PAUSE = 15; // Some servers do not push.
const MAX_BYTES = 32 * 1024 * 1024; // Some 700,000 denials.

export class Follower {
  keys = new Map();
  denials = new Denials();
  // The list is complete until these times, by the clock and by a monotonic clock: if the clock
  // steps back, an old document does not become young again.
  until = -Infinity;
  untilTicks = -Infinity;
  #running = false;
  #at = 0;
  #cursor = "";
  #keysRead = -Infinity;
  #reading = null;
  #pushAgain = -Infinity;
  #stop = new AbortController();

  constructor(options) {
    this.options = options;
    this.timeout = Math.min(5, options.bound / 2);
    this.settled = new Promise((resolve) => (this.settle = resolve));
  }

  start() {
    if (this.#running || this.#stop.signal.aborted) return;
    this.#running = true;
    setTimeout(this.settle, PATIENCE * 1000).unref();
    this.#run();
  }

  close() {
    this.#stop.abort();
    this.settle();
  }

  hasNews() {
    return this.options.clock() <= this.until && this.options.ticks() <= this.untilTicks;
  }

  /** Start, and give the first document some time to come. Throws Unavailable without news. */
  async waitForNews() {
    this.start();
    await this.settled;
    if (this.options.onSilence === "refuse" && !this.hasNews()) {
      throw new Unavailable("There is no news of denials.");
    }
  }

  /** Read the keys, unless that was done in the last `seconds`. Throws Unavailable. */
  async readKeys(seconds) {
    if (this.options.ticks() - this.#keysRead >= seconds) {
      this.#keysRead = this.options.ticks();
      this.#reading ??= this.#fetchKeys().finally(() => (this.#reading = null));
    }
    await this.#reading;
  }

  async #fetchKeys() {
    const read = new Map();
    try {
      for (const jwk of JSON.parse(await this.get(this.options.keysUrl, {})).keys) {
        const { kid, alg } = jwk ?? {};
        if (typeof kid !== "string" || !ALGORITHMS.includes(alg)) continue;
        const [text, known] = [JSON.stringify(jwk), this.keys.get(kid)];
        const key = known?.text === text ? known.key : await importJWK(jwk, alg).catch(() => null);
        if (key) read.set(kid, { alg, text, key }); // Otherwise this version cannot read it.
      }
    } catch (error) {
      throw new Unavailable("The keys cannot be read.", { cause: error });
    }
    this.keys = read;
  }

  /**
   * Return the `kid`, the key and the claims of what a published key has signed, or throw. If the
   * key is unknown, the keys are read again, at most every so many seconds.
   */
  async decode(jws, typ, seconds, about) {
    const { kid, typ: given, crit } = decodeProtectedHeader(jws);
    if (given !== typ || crit !== undefined) throw new TypeError("It is of another type.");
    if (!this.keys.has(kid)) await this.readKeys(seconds);
    const { alg, key } = this.keys.get(kid) ?? {};
    if (!key) throw new TypeError("No published key has signed it.");
    const { payload } = await jwtVerify(jws, key, {
      algorithms: [alg],
      issuer: this.options.issuer,
      ...about,
    });
    return { kid, key, claims: payload };
  }

  /** Apply a document of the feed, or throw. */
  async accept(document) {
    const { bound, leeway, clock, ticks } = this.options;
    const { kid, claims: told } = await this.decode(document, "denials+jwt", 0.1);
    const age = clock() - told.at / 1000;
    if (this.denials.entries.has(`kid ${kid}`)) throw new RefusedDocument("Its key is denied.");
    if (!Number.isSafeInteger(told.at) || told.at < this.#at || age > bound || age < -leeway) {
      throw new RefusedDocument(`It is older than another one, or ${age} s old.`);
    }
    const whole = told.from === null;
    const follows = told.from === this.#cursor && told.epoch === this.denials.epoch;
    this.#cursor = ""; // Until all is applied: after an error, the whole list is read.
    if (!whole && !follows) throw new RefusedDocument("It does not continue what is known.");
    const denials = whole ? new Denials(told.epoch) : this.denials;
    denials.apply(told);
    // Another key signs now, so the next token may cause the keys to be read.
    if (Object.keys(told.denied.kid).length > 0) this.#keysRead = -Infinity;
    this.denials = denials;
    this.#cursor = told.to;
    this.#at = told.at;
    this.until = told.at / 1000 + bound;
    this.untilTicks = ticks() + bound - Math.max(age, 0);
    this.settle();
  }

  async get(url, headers) {
    const response = await this.#fetch(url, headers, AbortSignal.timeout(this.timeout * 1000));
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}.`);
    let body = "";
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      body += text;
      if (body.length > MAX_BYTES) throw new Error(`${url} answered too much.`);
    }
    return body;
  }

  /** Yield the data of each server-sent event, or nothing if the server does not push. */
  async *#events(url, headers) {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), this.timeout * 1000);
    try {
      const response = await this.#fetch(url, headers, silence.signal);
      const type = response.headers.get("content-type") ?? "";
      if (response.status !== 200 || !type.startsWith("text/event-stream")) return;
      for await (const line of linesOf(response)) {
        if (!line.startsWith("data:")) continue;
        yield line.slice(5).trim();
        timer.refresh();
      }
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }

  #fetch(url, headers, limit) {
    const signal = AbortSignal.any([this.#stop.signal, limit]);
    return fetch(url, { headers, redirect: "error", signal });
  }

  /** Yield what the authority pushes, until the stream ends, and what it answers to a poll. */
  async *#documents() {
    const { ticks } = this.options;
    if (ticks() >= this.#pushAgain) {
      this.#pushAgain = ticks() + PUSH_PAUSE;
      for await (const document of this.#events(...this.#request("events/"))) {
        yield document;
        this.#pushAgain = ticks() + 1;
      }
    }
    yield await this.get(...this.#request(""));
  }

  /** Return the address and the headers for what follows the cursor. */
  #request(path) {
    const { feedUrl, credential } = this.options;
    const after = this.#cursor && `?after=${encodeURIComponent(this.#cursor)}`;
    return [
      `${feedUrl}${path}${after}`,
      credential ? { Authorization: `Bearer ${credential}` } : {},
    ];
  }

  async #run() {
    const { interval, bound, onError } = this.options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for await (const document of this.#documents()) {
          await this.accept(document);
          await this.readKeys(KEYS_AGE);
        }
      } catch (error) {
        onError?.(error);
      }
      // At random, so that readers spread. At least twice per bound.
      const seconds = Math.min(interval, bound / 2) * (0.8 + Math.random() * 0.2);
      await pause(seconds * 1000, null, { signal }).catch(() => {});
    }
  }
}

async function* linesOf(response) {
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    rest += text;
    if (rest.length > MAX_BYTES) throw new Error("The event is too large.");
    if (!text.includes("\n")) continue;
    const lines = rest.split("\n");
    rest = lines.pop();
    yield* lines;
  }
}
