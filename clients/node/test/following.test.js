// How the feed is followed over HTTP, and what happens while it cannot be.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Follower } from "../src/follower.js";
import { InvalidToken, Unavailable, Verifier } from "../src/index.js";
import { AUDIENCE, Authority, ISSUER, becomes } from "./authority.js";

let authority, address, verifier;

beforeEach(async () => {
  authority = await Authority.make();
  address = await authority.serve();
  verifier = make();
});
afterEach(() => {
  verifier.close();
  authority.close();
});

function make(options) {
  return new Verifier(address, { issuer: ISSUER, audience: AUDIENCE, interval: 0.02, ...options });
}
async function outcome(token) {
  return verifier.verify(token).then(() => "accepted", (error) => error.name);
}

for (const pushes of [false, true]) {
  test(`a denial arrives by itself, ${pushes ? "pushed" : "by polling"}`, async () => {
    authority.pushes = pushes;
    const [token, other] = [await authority.token(), await authority.token({ sid: "session-2" })];
    assert.equal((await verifier.verify(token)).sub, "ada");
    authority.deny("sid", "session-1");
    assert.ok(await becomes(async () => (await outcome(token)) === "InvalidToken"));
    await verifier.verify(other);
    assert.ok(authority.asked.some((path) => path.includes("/events/")));
  });
}

test("nothing starts before the first token", async () => {
  assert.equal(authority.asked.length, 0);
  await verifier.verify(await authority.token());
  assert.notEqual(authority.asked.length, 0);
});

for (const mode of ["down", "huge", "slow", "redirect"]) {
  test(`an authority that is ${mode} makes everything unavailable until it recovers`, async () => {
    verifier = make({ bound: 1 });
    const [good, revoked] = [await authority.token(), await authority.token({ sid: "revoked" })];
    authority.deny("sid", "revoked");
    await verifier.verify(good);
    authority.mode = mode;
    assert.ok(await becomes(async () => (await outcome(good)) === "Unavailable"));
    for (let call = 0; call < 10_000; call++) assert.equal(await outcome(revoked), "Unavailable");
    authority.mode = "serve";
    assert.ok(await becomes(async () => (await outcome(good)) === "accepted"));
    assert.equal(await outcome(revoked), "InvalidToken");
  });
}

test("an answer without end is given up when it is too large", async () => {
  authority.mode = "huge";
  const follower = new Follower({ bound: 120 });
  await assert.rejects(follower.get(`${address}/`, {}), /answered too much/);
});

test("a redirect does not get the credential", async () => {
  authority.mode = "redirect";
  verifier = make({ credential: "secret" });
  verifier.start();
  assert.ok(await becomes(() => authority.asked.length > 1));
  assert.ok(!authority.asked.includes("/elsewhere/"));
});

test("a verifier that begins without its authority is unavailable", async () => {
  authority.mode = "down";
  const token = await authority.token();
  const errors = await Promise.all([1, 2].map(() => verifier.verify(token).catch((error) => error)));
  for (const error of errors) assert.ok(error instanceof Unavailable);
});

test("an address without TLS is refused, unless it is allowed", () => {
  const options = { issuer: ISSUER, audience: AUDIENCE };
  for (const url of ["http://accounts.example.com", "ftp://127.0.0.1", "file:///etc/passwd", "accounts"]) {
    assert.throws(() => new Verifier(url, options), TypeError);
  }
  new Verifier("http://web:8000", { ...options, allowHttp: true });
  assert.throws(() => new Verifier("https://a.example", { ...options, onSilence: "x" }), TypeError);
  assert.throws(() => new Verifier("https://a.example", { issuer: ISSUER }), TypeError);
});

test("on silence, accept goes on with what is known", async () => {
  let later = 0;
  verifier = make({ onSilence: "accept", clock: () => Date.now() / 1000 + later });
  authority.deny("sid", "revoked");
  await verifier.verify(await authority.token());
  authority.mode = "down";
  later = 60;
  assert.equal(await outcome(await authority.token()), "accepted");
  await assert.rejects(verifier.verify(await authority.token({ sid: "revoked" })), InvalidToken);
});

test("it stops, so that a process can end", async () => {
  authority.pushes = true;
  await verifier.verify(await authority.token());
  verifier.close();
  const asked = authority.asked.length;
  assert.ok(await becomes(() => new Promise((resolve) => authority.server.getConnections((_, count) => resolve(count === 0)))));
  assert.equal(authority.asked.length, asked);
});
