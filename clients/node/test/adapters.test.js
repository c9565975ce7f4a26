// The middleware for Express and the hook for Fastify. tests/clients runs both with the real ones.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenRequired as express } from "../src/express.js";
import { tokenRequired as fastify } from "../src/fastify.js";
import { InvalidToken, Unavailable } from "../src/index.js";

const good = { sub: "ada" };
const verifier = (error) => ({ verify: async () => (error ? Promise.reject(error) : good) });

const byExpress = async (verifier, authorization, options) => {
  const request = { headers: { authorization } };
  const seen = {};
  const response = {
    status: (status) => Object.assign(seen, { status }) && response,
    set: (headers) => Object.assign(seen, { headers }) && response,
    json: (body) => Object.assign(seen, { body }) && response,
  };
  await express(verifier, options)(request, response, (error) => Object.assign(seen, { passed: true, error }));
  return { ...seen, token: request.token };
};
const byFastify = async (verifier, authorization, options) => {
  const request = { headers: { authorization } };
  const seen = {};
  const reply = {
    code: (status) => Object.assign(seen, { status }) && reply,
    headers: (headers) => Object.assign(seen, { headers }) && reply,
    send: (body) => Object.assign(seen, { body }) && reply,
  };
  try {
    const sent = await fastify(verifier, options)(request, reply);
    return { ...seen, passed: sent === undefined, token: request.token };
  } catch (error) {
    return { ...seen, error };
  }
};

for (const [name, ask] of Object.entries({ byExpress, byFastify })) {
  test(`a good token reaches the app ${name}`, async () => {
    const seen = await ask(verifier(), "Bearer x");
    assert.deepEqual([seen.passed, seen.token], [true, good]);
  });

  test(`no token is challenged ${name}`, async () => {
    const seen = await ask(verifier(), undefined);
    assert.deepEqual([seen.status, seen.headers["WWW-Authenticate"]], [401, 'Bearer realm="api"']);
    assert.ok(!seen.passed);
  });

  test(`no token may pass where none is required ${name}`, async () => {
    const seen = await ask(verifier(), undefined, { required: false });
    assert.deepEqual([seen.passed, seen.token], [true, null]);
    const bad = await ask(verifier(new InvalidToken()), "Bearer bad", { required: false });
    assert.equal(bad.status, 401);
  });

  test(`a refused token is told apart from no token ${name}`, async () => {
    const seen = await ask(verifier(new InvalidToken()), "Bearer bad");
    assert.equal(seen.headers["WWW-Authenticate"], 'Bearer realm="api", error="invalid_token"');
    assert.equal(seen.body.code, "token_not_valid");
  });

  test(`without news the answer is 503 ${name}`, async () => {
    const seen = await ask(verifier(new Unavailable()), "Bearer x");
    assert.deepEqual([seen.status, seen.headers["Retry-After"]], [503, "1"]);
    assert.ok(!seen.passed);
  });

  test(`an error that is no verdict reaches the app's own handler ${name}`, async () => {
    const broken = new Error("broken");
    assert.equal((await ask(verifier(broken), "Bearer x")).error, broken);
  });
}
