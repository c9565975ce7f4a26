// Measure a call of verify beside jose's jwtVerify, with 100,000 denials. `npm run bench` takes rounds in
// turns, and fails if a figure falls short: the best round for a token that was seen, and the median ratio
// for a new one.

import { jwtVerify } from "jose";
import { Follower } from "../src/follower.js";
import { Verifier } from "../src/index.js";
import { AUDIENCE, Authority, ISSUER } from "../test/authority.js";

const [CALLS, ROUNDS, DENIALS] = [2000, 15, 100_000];
const [SEEN_AT_MOST, NEW_AT_MOST] = [5, 1.2]; // Microseconds; times jose's jwtVerify.

async function microseconds(call, calls) {
  const begun = performance.now();
  for (let index = 0; index < calls; index++) await call();
  return ((performance.now() - begun) / calls) * 1000;
}
const median = (numbers) => numbers.toSorted((one, other) => one - other)[numbers.length >> 1];

const authority = await Authority.make();
let follower;
Follower.prototype.start = function () {
  follower = this;
};
Follower.prototype.get = async () => JSON.stringify({ keys: authority.published });
const verifier = new Verifier("https://nowhere.invalid", { issuer: ISSUER, audience: AUDIENCE, bound: 300 });
verifier.start();
const until = Math.floor(Date.now() / 1000) + 300;
for (let number = 0; number < DENIALS; number++) authority.deny("sid", `${number}`.padStart(32, "0"), until - (number % 299));
await follower.accept(await authority.document());

const token = await authority.token();
const make = (_, number) => authority.token({ jti: `${number}` });
const fresh = await Promise.all(Array.from({ length: ROUNDS * (CALLS / 10) }, make));
const others = [...fresh];
const { key } = follower.keys.get("first");
const options = { issuer: ISSUER, audience: AUDIENCE, typ: "at+jwt", algorithms: ["ES256"] };
const [seen, added, ratios] = [[], [], []];
for (let round = 0; round < ROUNDS; round++) {
  seen.push(await microseconds(() => verifier.verify(token), CALLS * 10));
  const tokens = fresh.splice(0, CALLS / 10);
  const took = await microseconds(() => verifier.verify(tokens.pop()), tokens.length);
  added.push(took);
  ratios.push(took / (await microseconds(() => jwtVerify(others.pop(), key, options), CALLS / 10)));
}
const [best, ratio] = [Math.min(...seen), median(ratios)];
console.log(`${DENIALS.toLocaleString("en")} denials, ES256, Node.js ${process.versions.node}`);
console.log(`a token that was seen: ${best.toFixed(2)} us (at most ${SEEN_AT_MOST})`);
console.log(`a new token: ${median(added).toFixed(0)} us, ${ratio.toFixed(2)} times jose's jwtVerify (at most ${NEW_AT_MOST})`);
process.exitCode = Number(best > SEEN_AT_MOST || ratio > NEW_AT_MOST);
