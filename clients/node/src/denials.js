// What the feed denies in one epoch, and the digest, which proves that nothing is missing.

import { hash } from "node:crypto";
import { RefusedDocument } from "./errors.js";

export class Denials {
  entries = new Map(); // "sid <id>", "jti <id>", "kid <id>", "cut …", "all …": until, in seconds
  before = new Map(); // The latest cut-off for each user; null is for all users.
  #cutOffs = new Map();
  #digest = Buffer.alloc(16);

  constructor(epoch = "") {
    this.epoch = epoch;
  }

  /** Add what a document denies. Throws RefusedDocument if something is then missing. */
  apply({ at, denied, cut_offs: cutOffs, count, digest }) {
    for (const kind of ["sid", "jti", "kid"]) {
      for (const [until, ids] of Object.entries(denied[kind] ?? {})) {
        for (const id of ids) this.#put(`${kind} ${id}`, Number(until));
      }
    }
    for (const { sub, before, until } of cutOffs) {
      const key = sub === null ? `all ${before}` : `cut ${sub} ${before}`;
      this.#cutOffs.set(key, [sub, before]);
      this.#put(key, until);
    }
    for (const [key, until] of this.entries) {
      if (until * 1000 > at) continue; // Otherwise it no longer matters at this millisecond.
      this.entries.delete(key);
      this.#cutOffs.delete(key);
      this.#toggle(key, until);
    }
    this.before = new Map();
    for (const [sub, before] of this.#cutOffs.values()) {
      this.before.set(sub, Math.max(before, this.before.get(sub) ?? before));
    }
    if (count !== this.entries.size || digest !== this.#digest.toString("base64url")) {
      throw new RefusedDocument("The digest differs: something is missing.");
    }
  }

  #put(key, until) {
    const known = this.entries.get(key);
    if (known >= until) return;
    if (known !== undefined) this.#toggle(key, known);
    this.#toggle(key, until);
    this.entries.set(key, until);
  }

  #toggle(key, until) {
    const added = hash("sha256", `${key} ${until}`, "buffer");
    for (let index = 0; index < 16; index++) this.#digest[index] ^= added[index];
  }
}
