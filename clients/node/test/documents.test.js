// What a reader makes of documents and tokens, good and forged. Time is handed in.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { RefusedDocument } from "../src/errors.js";
import { Follower } from "../src/follower.js";
import { InvalidToken, NoToken, Unavailable, Verifier, credentialOf } from "../src/index.js";
import { AUDIENCE, Authority, ISSUER, Key } from "./authority.js";

let authority, clock, verifier, follower, keysRead;

beforeEach(async () => {
  authority = await Authority.make();
  clock = { now: 1_764_460_000, ticked: 500 };
  authority.now = () => clock.now;
  keysRead = 0;
  // A verifier without a network: documents are handed to it.
  const { start, get } = Follower.prototype;
  Follower.prototype.start = function () {
    follower = Object.assign(this, { start: () => {} });
    follower.settle();
  };
  Follower.prototype.get = async () => {
    keysRead++;
    return JSON.stringify({ keys: authority.published });
  };
  verifier = new Verifier("https://nowhere.invalid", {
    issuer: ISSUER,
    audience: AUDIENCE,
    clock: () => clock.now,
    ticks: () => clock.ticked,
  });
  verifier.start();
  Follower.prototype.start = start;
  follower.get = Follower.prototype.get;
  Follower.prototype.get = get;
});

const pass = (seconds) => {
  clock.now += seconds;
  clock.ticked += seconds;
};
const accept = async (options) => follower.accept(await authority.document(options));
const isRefused = (promise) => assert.rejects(promise, RefusedDocument);
const isInvalid = (promise) => assert.rejects(promise, InvalidToken);

for (const kind of ["sid", "jti"]) {
  test(`a token is accepted until its ${kind} is denied`, async () => {
    const token = await authority.token({ [kind]: "taken" });
    await accept();
    assert.equal((await verifier.verify(token)).sub, "ada");
    authority.deny(kind, "taken");
    await accept({ after: 0 });
    await isInvalid(verifier.verify(token));
  });
}

test("a denied key signs neither tokens nor documents", async () => {
  const [token, old] = [await authority.token(), authority.key];
  await accept();
  await verifier.verify(token);
  authority.key = await Key.make("second");
  authority.published.push(authority.key.jwk);
  authority.deny("kid", "first");
  pass(1);
  await accept();
  await isInvalid(verifier.verify(token));
  await verifier.verify(await authority.token());
  await isRefused(accept({ key: old }));
});

for (const sub of [null, "ada", "*"]) {
  test(`a cut-off of ${sub ?? "everybody"} refuses what was issued up to its second`, async () => {
    const { now } = clock;
    authority.cutOffs = [[sub, now, now + 320], [sub, now - 50, now + 270]];
    await accept();
    const token = (iat) => authority.token({ iat, sub: sub ?? "ada" });
    for (const iat of [now - 1, now]) await isInvalid(verifier.verify(await token(iat)));
    await verifier.verify(await token(now + 1));
    if (sub) await verifier.verify(await authority.token({ sub: "eve" }));
  });
}

test("a user whose key is an asterisk is not everybody", async () => {
  const { now } = clock;
  authority.cutOffs = [[null, now - 50, now + 270], ["*", now - 50, now + 270]];
  await accept();
  await isInvalid(verifier.verify(await authority.token({ iat: now - 50 })));
  await verifier.verify(await authority.token());
});

test("what no longer matters is forgotten as the digest does", async () => {
  const { now } = clock;
  authority.deny("sid", "b", now + 9);
  authority.deny("sid", "a", now + 7);
  authority.cutOffs = [["bob", now, now + 5]];
  await accept();
  assert.equal(follower.denials.entries.size, 3);
  for (const [seconds, left] of [[5, 2], [2, 1], [2, 0]]) {
    pass(seconds);
    authority.cutOffs = [];
    await accept({ after: 2 });
    assert.equal(follower.denials.entries.size, left);
  }
  assert.equal(follower.denials.before.size, 0);
});

test("an id that is listed twice keeps the later instant", async () => {
  const { now } = clock;
  authority.deny("sid", "a", now + 5);
  await accept();
  authority.entries = [["sid", "a", now + 9]];
  await accept({ after: 0, from: "one:1" });
  await accept({ after: 1, denied: { sid: { [now + 7]: ["a"] }, jti: {}, kid: {} } });
  pass(6);
  await accept({ after: 1 });
  assert.deepEqual([...follower.denials.entries], [["sid a", now + 9]]);
});

test("an increment from which an entry was dropped costs the cursor", async () => {
  await accept();
  authority.deny("sid", "session-1");
  await isRefused(accept({ after: 1, from: "one:0" }));
  await isRefused(accept({ after: 0 })); // The cursor is gone.
  await accept();
  await isInvalid(verifier.verify(await authority.token()));
});

test("an older document is never accepted again", async () => {
  const before = await authority.document();
  await follower.accept(before);
  pass(2);
  authority.deny("sid", "session-1");
  await accept();
  await isRefused(follower.accept(before));
  await isInvalid(verifier.verify(await authority.token()));
});

test("an epoch that was left is not accepted again", async () => {
  const left = await authority.document();
  pass(1);
  authority.epoch = "two";
  authority.deny("sid", "session-1");
  await accept();
  await isRefused(follower.accept(left));
  authority.epoch = "one";
  await isRefused(accept({ after: 1 }));
  await isInvalid(verifier.verify(await authority.token()));
});

test("a new epoch begins anew", async () => {
  authority.deny("sid", "lost in the restore");
  await accept();
  pass(1);
  authority.epoch = "two";
  authority.entries = [];
  await accept();
  assert.equal(follower.denials.entries.size, 0);
});

const FORGED_DOCUMENTS = {
  "another key of the same name": async (a) => a.document({ key: await Key.make("first") }),
  "an unknown key": async (a) => a.document({ key: await Key.make("unknown") }),
  "an access token's type": (a) => a.document({ typ: "at+jwt" }),
  "another issuer": (a) => a.document({ iss: "https://evil.example" }),
  "a wrong digest": (a) => a.document({ digest: "AAAAAAAAAAAAAAAAAAAAAB" }),
  "a wrong count": (a) => a.document({ count: 5 }),
  "a stamp in the future": (a) => a.document({ at: a.now() * 1000 + 10_001 }),
  "an old stamp": (a) => a.document({ at: a.now() * 1000 - 10_001 }),
  "a stamp that is text": (a) => a.document({ at: "now" }),
  "no stamp": (a) => a.document({ at: null }),
  "a huge stamp": (a) => a.document({ at: 1e300 }),
  "no denials": (a) => a.document({ denied: null }),
  "an odd instant": (a) => a.document({ denied: { sid: { soon: ["x"] } } }),
  "odd ids": (a) => a.document({ denied: { sid: { 5: 7 } } }),
  "an odd cut-off": (a) => a.document({ cut_offs: [null] }),
  "a gap": (a) => a.document({ after: 7 }),
  "an access token": (a) => a.token(),
  "a payload that is no document": (a) => a.key.sign({ iss: ISSUER }, "denials+jwt"),
  "a payload of null": (a) => a.key.sign(null, "denials+jwt"),
  "a document that was cut": async (a) => (await a.document()).slice(0, -4),
  nothing: () => "",
  junk: () => "é.é.é",
  dots: () => ".".repeat(1_000_000),
};
for (const [name, forge] of Object.entries(FORGED_DOCUMENTS)) {
  test(`a document with ${name} changes nothing`, async () => {
    authority.deny("sid", "session-1");
    await accept();
    const { until } = follower;
    pass(1);
    await assert.rejects(follower.accept(await forge(authority)));
    assert.equal(follower.until, until);
    assert.deepEqual([...follower.denials.entries.keys()], ["sid session-1"]);
  });
}

test("a document whose stamp is no number is refused, although nothing is denied", async () => {
  await accept();
  for (const at of ["now", 1.5, [], true]) await isRefused(accept({ at }));
});

test("past the bound everything is unavailable until there is news", async () => {
  const [good, revoked] = [await authority.token(), await authority.token({ sid: "revoked" })];
  authority.deny("sid", "revoked");
  await accept();
  pass(10);
  await verifier.verify(good);
  pass(0.01);
  await assert.rejects(verifier.verify(good), Unavailable);
  for (let call = 0; call < 100_000; call++) {
    const error = await verifier.verify(revoked).catch((reason) => reason);
    if (!(error instanceof Unavailable)) assert.fail("A call was answered.");
  }
  await accept();
  await verifier.verify(good);
  await isInvalid(verifier.verify(revoked));
});

test("news is as old as its stamp, however late it comes", async () => {
  const document = await authority.document();
  pass(8);
  await follower.accept(document);
  pass(2.01);
  await assert.rejects(verifier.verify(await authority.token()), Unavailable);
  await isRefused(follower.accept(document));
});

for (const step of [-3600, -5, 3600]) {
  test(`a clock that steps by ${step} s makes no news younger`, async () => {
    const token = await authority.token({ exp: clock.now + 9000, iat: clock.now - 4000 });
    await accept();
    clock.now += step;
    pass(10.01);
    await assert.rejects(verifier.verify(token), Unavailable);
  });
}

test("news that came late grows old, although the clock steps back", async () => {
  const document = await authority.document();
  pass(8);
  await follower.accept(document);
  clock.now -= 60;
  pass(2.01);
  await assert.rejects(verifier.verify(await authority.token()), Unavailable);
});

test("news that came late grows old, although the machine sleeps", async () => {
  const document = await authority.document();
  pass(8);
  await follower.accept(document);
  clock.now += 2.01;
  await assert.rejects(verifier.verify(await authority.token()), Unavailable);
});

const withHeader = (token, changes) => {
  const [header, ...rest] = token.split(".");
  const changed = { ...JSON.parse(Buffer.from(header, "base64url")), ...changes };
  return [Buffer.from(JSON.stringify(changed)).toString("base64url"), ...rest].join(".");
};
const FORGED_TOKENS = {
  "a refresh token's type": (a) => a.token({ typ: "rt+jwt" }),
  "a document's type": (a) => a.document({ sid: "s", jti: "j", aud: AUDIENCE, exp: a.now() + 9, iat: a.now(), sub: "a" }),
  "a type in capitals": (a) => a.token({ typ: "AT+JWT" }),
  "another key of the same name": async (a) => a.token({ key: await Key.make("first") }),
  "an unknown key": async (a) => a.token({ key: await Key.make("unknown") }),
  "another issuer": (a) => a.token({ iss: "https://evil.example" }),
  "another audience": (a) => a.token({ aud: "https://evil.example" }),
  "no audience": (a) => a.token({ aud: undefined }),
  "no end": (a) => a.token({ exp: undefined }),
  "an end that has come": (a) => a.token({ exp: a.now() - 10 }),
  "an end that is a fraction": (a) => a.token({ exp: a.now() + 99.5 }),
  "a beginning in the future": (a) => a.token({ iat: a.now() + 11 }),
  "an nbf in the future": (a) => a.token({ nbf: a.now() + 11 }),
  "no sid": (a) => a.token({ sid: undefined }),
  "a sid that is a number": (a) => a.token({ sid: 7 }),
  "a sub that is a number": (a) => a.token({ sub: 7 }),
  "ten thousand characters": (a) => a.token({ padding: "x".repeat(8192) }),
  "alg none": async (a) => withHeader(await a.token(), { alg: "none" }),
  "alg HS256": async (a) => withHeader(await a.token(), { alg: "HS256" }),
  "a kid that is a number": async (a) => withHeader(await a.token(), { kid: 5 }),
  "a kid in capitals": async (a) => withHeader(await a.token(), { kid: "FIRST" }),
  "a kid of every object": async (a) => withHeader(await a.token(), { kid: "__proto__" }),
  "a critical extension": (a) => a.token({ header: { crit: ["b64"], b64: true } }),
  "a signature that was cut": async (a) => (await a.token()).slice(0, -3),
  nothing: () => "",
  "no text": () => null,
  bytes: () => Buffer.from("a.b.c"),
  junk: () => "\ud800.é.\0",
};
for (const [name, forge] of Object.entries(FORGED_TOKENS)) {
  test(`a token with ${name} is not accepted`, async () => {
    await accept();
    const token = await forge(authority);
    for (let time = 0; time < 2; time++) await isInvalid(verifier.verify(token));
    await verifier.verify(await authority.token());
  });
}

test("a token expires although it has been seen", async () => {
  const token = await authority.token({ exp: clock.now + 5 });
  await accept();
  await verifier.verify(token);
  pass(14);
  await accept();
  await verifier.verify(token);
  pass(1);
  await isInvalid(verifier.verify(token));
});

test("a key that is no longer published verifies nothing", async () => {
  const token = await authority.token();
  await accept();
  await verifier.verify(token);
  authority.published = [(await Key.make("second")).jwk];
  await follower.readKeys(0);
  await isInvalid(verifier.verify(token));
});

test("keys that are read again do not forget what was seen", async () => {
  const token = await authority.token();
  await accept();
  const seen = await verifier.verify(token);
  await follower.readKeys(0);
  assert.equal(await verifier.verify(token), seen);
});

test("keys that could sign for everybody are ignored", async () => {
  const good = authority.key.jwk;
  authority.published = [
    { kty: "oct", kid: "hmac", alg: "HS256", k: "c2VjcmV0" },
    { kty: "EC", kid: "broken", alg: "ES256", crv: "P-256", x: "AA", y: "AA" },
    { ...good, kid: "without alg", alg: null },
    { ...good, kid: 7 },
    null,
    good,
  ];
  await follower.readKeys(0);
  assert.deepEqual([...follower.keys.keys()], ["first"]);
});

test("a flood of unknown kids reads the keys once in five seconds", async () => {
  await accept();
  const read = keysRead;
  const token = await authority.token();
  pass(5);
  for (let kid = 0; kid < 1000; kid++) await isInvalid(verifier.verify(withHeader(token, { kid: `${kid}` })));
  assert.equal(keysRead, read + 1);
  await verifier.verify(token);
});

test("a new key is found by its first token", async () => {
  await accept();
  pass(5);
  authority.key = await Key.make("second");
  authority.published.push(authority.key.jwk);
  await verifier.verify(await authority.token());
});

test("once a key is denied, the next token may ask for another", async () => {
  await accept();
  authority.deny("kid", "first");
  await accept({ after: 0 });
  authority.key = await Key.make("second");
  authority.published = [authority.key.jwk];
  await verifier.verify(await authority.token());
});

test("without an answer about a key the token is not called invalid", async () => {
  await accept();
  pass(5);
  follower.get = async () => "<html>";
  const token = await authority.token({ key: await Key.make("second") });
  await assert.rejects(verifier.verify(token), Unavailable);
});

test("a header has a bearer token, or none", () => {
  for (const header of [undefined, "", "Bearer", "Bearer ", "Basic abc", "Bearerabc", "Bearer a b"]) {
    assert.throws(() => credentialOf(header), NoToken);
  }
  assert.equal(credentialOf("bEARER  abc "), "abc");
});
