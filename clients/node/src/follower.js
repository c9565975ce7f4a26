// Follow the keys and the feed of denials.

import { compactVerify, decodeProtectedHeader, importJWK } from "jose";
import { setTimeout as pause } from "node:timers/promises";
import { Denials } from "./denials.js";
import { RefusedDocument } from "./errors.js";

// The key decides the algorithm. An HMAC key would let each verifier sign tokens.
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];
const KEYS_PAUSE = 5; // Anyone can invent the kid of a token, so tokens cause no more requests than this.
const KEYS_AGE = 300;
const LONGEST_PAUSE = 5;
const PUSH_PAUSE = 30;
const MAX_BYTES = 32 * 1024 * 1024; // Some 700,000 denials.

export class Follower {
  keys = new Map();
  denials = new Denials();
  // The list is complete until these times, by the clock and by a monotonic clock: if the clock steps
  // back, an old document does not become young again.
  until = -Infinity;
  untilTicks = -Infinity;
  running = false;
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
    if (this.running || this.#stop.signal.aborted) return;
    this.running = true;
    this.begun = this.options.ticks();
    this.#run();
  }

  close() {
    this.#stop.abort();
    this.settle();
  }

  hasNews(now = this.options.clock()) {
    return now <= this.until && this.options.ticks() <= this.untilTicks;
  }

  /** Return the key, after reading the keys again if it is unknown. */
  async keyOf(kid, pauseAtLeast = KEYS_PAUSE) {
    if (!this.keys.has(kid) && this.options.ticks() - this.#keysRead >= pauseAtLeast) {
      this.#reading ??= this.readKeys().finally(() => (this.#reading = null));
    }
    if (!this.keys.has(kid)) await this.#reading;
    return this.keys.get(kid);
  }

  async readKeys() {
    this.#keysRead = this.options.ticks();
    const read = new Map();
    for (const jwk of JSON.parse(await this.get(this.options.keysUrl, {})).keys) {
      const { kid, alg } = jwk ?? {};
      if (typeof kid !== "string" || !ALGORITHMS.includes(alg)) continue;
      const text = JSON.stringify(jwk);
      const known = this.keys.get(kid);
      try {
        read.set(kid, known?.text === text ? known : { alg, text, key: await importJWK(jwk, alg) });
      } catch {
        // A key that this version cannot read.
      }
    }
    this.keys = read;
  }

  /** Apply a document of the feed. Throws RefusedDocument if it must not be applied. */
  async accept(document) {
    let told;
    try {
      const { typ, kid } = decodeProtectedHeader(document);
      if (typ !== "denials+jwt" || this.denials.entries.has(`kid ${kid}`)) throw new Error("typ");
      const { key, alg } = await this.keyOf(kid, 0.1);
      const { payload } = await compactVerify(document, key, { algorithms: [alg] });
      told = JSON.parse(new TextDecoder().decode(payload));
      if (told.iss !== this.options.issuer || !Number.isSafeInteger(told.at)) throw new Error("iss");
    } catch (error) {
      throw new RefusedDocument("It is not a document of this feed.", { cause: error });
    }
    this.#apply(told);
  }

  #apply(told) {
    const { bound, leeway, clock, ticks } = this.options;
    const age = clock() - told.at / 1000;
    if (told.at < this.#at || age > bound || age < -leeway) {
      throw new RefusedDocument(`It is older than another one, or ${age.toFixed(1)} s old.`);
    }
    const follows = told.from === this.#cursor && told.epoch === this.denials.epoch;
    const denials = told.from === null ? new Denials(told.epoch) : this.denials;
    if (told.from !== null) this.#cursor = ""; // Until all is applied, so that the whole list is read after an error.
    if (told.from !== null && !follows) throw new RefusedDocument("It does not continue what is known.");
    try {
      denials.apply(told);
    } catch (error) {
      throw new RefusedDocument("It is malformed, or something is missing.", { cause: error });
    }
    this.denials = denials;
    // Another key signs now, so the next token may cause the keys to be read.
    if (Object.keys(told.denied.kid).length > 0) this.#keysRead = -Infinity;
    this.#cursor = told.to;
    this.#at = told.at;
    this.until = told.at / 1000 + bound;
    this.untilTicks = ticks() + bound - Math.max(age, 0);
    this.settle();
  }

  async get(url, headers) {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.timeout * 1000)]);
    const response = await fetch(url, { headers, redirect: "error", signal });
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}.`);
    let body = "";
    for await (const text of texts(response)) {
      body += text;
      if (body.length > MAX_BYTES) throw new Error(`${url} answered too much.`);
    }
    return body;
  }

  #address(path) {
    const after = this.#cursor && `?after=${encodeURIComponent(this.#cursor)}`;
    return `${this.options.feedUrl}${path}${after}`;
  }

  #headers() {
    const { credential } = this.options;
    return credential ? { Authorization: `Bearer ${credential}` } : {};
  }

  async #poll() {
    await this.accept(await this.get(this.#address(""), this.#headers()));
  }

  /** Apply what the authority pushes, until the stream ends. Some servers do not push. */
  async #push() {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), this.timeout * 1000);
    const signal = AbortSignal.any([this.#stop.signal, silence.signal]);
    this.#pushAgain = this.options.ticks() + PUSH_PAUSE;
    try {
      const url = this.#address("events/");
      const response = await fetch(url, { headers: this.#headers(), redirect: "error", signal });
      const type = response.headers.get("content-type") ?? "";
      if (response.status !== 200 || !type.startsWith("text/event-stream")) {
        return void (await response.body?.cancel());
      }
      for await (const document of events(response)) {
        await this.accept(document);
        timer.refresh();
        this.#pushAgain = this.options.ticks() + 1;
        await this.#refreshKeys();
      }
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }

  async #refreshKeys() {
    if (this.options.ticks() - this.#keysRead > KEYS_AGE) await this.readKeys();
  }

  async #run() {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      try {
        if (this.options.ticks() >= this.#pushAgain) await this.#push();
        await this.#poll();
        await this.#refreshKeys();
        failures = 0;
      } catch (error) {
        failures = error instanceof RefusedDocument ? 1 : failures + 1;
        if (failures === 1) this.#pushAgain = Math.min(this.#pushAgain, this.options.ticks() + 2);
        this.options.onError?.(error);
      }
      const seconds = Math.min(this.options.interval * 2 ** Math.max(failures - 1, 0), LONGEST_PAUSE);
      const spread = 0.8 + Math.random() * 0.2; // So that readers do not ask all at once.
      await pause(seconds * spread * 1000, null, { signal: this.#stop.signal }).catch(() => {});
    }
  }
}

async function* texts(response) {
  const decoder = new TextDecoder();
  for await (const chunk of response.body) yield decoder.decode(chunk, { stream: true });
}

/** Yield the data of each server-sent event. */
async function* events(response) {
  let buffer = "";
  for await (const text of texts(response)) {
    buffer += text;
    if (buffer.length > MAX_BYTES) throw new Error("The event is too large.");
    const parts = text.includes("\n") ? buffer.split("\n\n") : [buffer];
    buffer = parts.pop();
    for (const line of parts.flatMap((event) => event.split("\n"))) {
      if (line.startsWith("data:")) yield line.slice(5).trim();
    }
  }
}
