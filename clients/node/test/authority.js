// An authority for tests: it signs tokens and documents, and serves them as it is told.

import { CompactSign, exportJWK, generateKeyPair } from "jose";
import { createHash } from "node:crypto";
import { createServer } from "node:http";

export const ISSUER = "https://accounts.example.com";
export const AUDIENCE = "https://api.example.com";

export class Key {
  static async make(kid) {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" };
    return Object.assign(new Key(), { kid, privateKey, jwk });
  }

  sign(payload, typ, header = {}) {
    const bytes = new TextEncoder().encode(JSON.stringify(payload));
    const protectedHeader = { alg: "ES256", kid: this.kid, typ, ...header };
    return new CompactSign(bytes).setProtectedHeader(protectedHeader).sign(this.privateKey);
  }
}

function digestOf(entries) {
  const total = Buffer.alloc(16);
  for (const [text, until] of entries) {
    const added = createHash("sha256").update(`${text} ${until}`).digest();
    for (let index = 0; index < 16; index++) total[index] ^= added[index];
  }
  return total.toString("base64url");
}

export class Authority {
  entries = []; // [kind, id, until]
  cutOffs = []; // [sub, before, until]
  epoch = "one";
  pushes = false;
  mode = "serve";
  asked = [];
  now = () => Date.now() / 1000;

  static async make() {
    const key = await Key.make("first");
    return Object.assign(new Authority(), { key, published: [key.jwk] });
  }

  token({ key = this.key, typ = "at+jwt", header, ...claims } = {}) {
    const iat = Math.floor(this.now());
    const told = { iss: ISSUER, aud: AUDIENCE, sub: "ada", iat, exp: iat + 300 };
    return key.sign({ ...told, sid: "session-1", jti: "token-1", ...claims }, typ, header);
  }

  document({ after = null, key = this.key, typ = "denials+jwt", ...changes } = {}) {
    const at = Math.floor(this.now() * 1000);
    const everything = [
      ...this.entries.map(([kind, id, until]) => [`${kind} ${id}`, until]),
      ...this.cutOffs.map(([sub, before, until]) => [sub === null ? `all ${before}` : `cut ${sub} ${before}`, until]),
    ].filter(([, until]) => until * 1000 > at);
    const denied = { sid: {}, jti: {}, kid: {} };
    for (const [kind, id, until] of this.entries.slice(after ?? 0)) (denied[kind][until] ??= []).push(id);
    const payload = {
      iss: ISSUER,
      at,
      epoch: this.epoch,
      from: after === null ? null : `${this.epoch}:${after}`,
      to: `${this.epoch}:${this.entries.length}`,
      count: everything.length,
      digest: digestOf(everything),
      denied,
      cut_offs: this.cutOffs.map(([sub, before, until]) => ({ sub, before, until })),
    };
    return key.sign({ ...payload, ...changes }, typ);
  }

  deny(kind, id, until = Math.floor(this.now()) + 320) {
    this.entries.push([kind, id, until]);
  }

  /** Serve until `close` is called. Return the address. */
  async serve() {
    this.server = createServer((request, response) => this.#answer(request, response).catch(() => response.destroy()));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  close() {
    this.pushes = false;
    this.server.closeAllConnections();
    this.server.close();
  }

  async #answer(request, response) {
    const url = new URL(request.url, "http://x");
    this.asked.push(request.url);
    if (this.mode === "down") return response.writeHead(502).end();
    if (this.mode === "huge") return this.#trickle(response, "x".repeat(1 << 20), 0);
    if (this.mode === "slow") return this.#trickle(response, "x", 20);
    if (url.pathname.endsWith("jwks.json")) return response.end(JSON.stringify({ keys: this.published }));
    if (this.mode === "redirect") return response.writeHead(302, { Location: "/elsewhere/" }).end();
    const [epoch, count] = (url.searchParams.get("after") ?? "").split(":");
    let after = epoch === this.epoch ? Number(count) : null;
    if (!url.pathname.endsWith("/events/")) return response.end(await this.document({ after }));
    if (!this.pushes) return response.writeHead(501).end("{}");
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    while (this.pushes && this.mode === "serve" && !response.destroyed) {
      const to = this.entries.length;
      response.write(`event: denials\ndata: ${await this.document({ after })}\n\n`);
      after = to;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return response.end();
  }

  async #trickle(response, piece, milliseconds) {
    response.writeHead(200);
    while (!response.destroyed) {
      if (!response.write(piece)) await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
    }
  }
}

/** Wait until the condition holds. No test measures anything by it. */
export async function becomes(condition) {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}
