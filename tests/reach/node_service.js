// A service that asks the Node verifier about each token it is given, until the token is refused.
// Arguments and lines are those of python_service.py.

import { createInterface } from "node:readline";
import { Verifier } from "../../clients/node/src/index.js";

const [authority, issuer, audience, bound] = process.argv.slice(2);
const verifier = new Verifier(authority, { issuer, audience, bound: Number(bound) });
const watched = new Map();
const say = (name, word) => process.stdout.write(`${name} ${word} ${Date.now() / 1000}\n`);

async function ask(token, number) {
  const said = {};
  for (let call = 0; call < number; call++) {
    const word = await verifier.verify(token).then(() => "accepted", (error) => error.name);
    said[word] = (said[word] ?? 0) + 1;
  }
  return Object.entries(said).map((each) => each.join(":")).join(",");
}

verifier.start();
createInterface({ input: process.stdin }).on("line", async (line) => {
  const [name, token, number] = line.split(" ");
  if (number) return say(name, await ask(token, Number(number)));
  try {
    await verifier.verify(token);
    watched.set(name, token);
    say(name, "accepted");
  } catch (error) {
    say(name, `not-accepted:${error.message.replaceAll(" ", "-")}`);
  }
});
setInterval(async () => {
  for (const [name, token] of watched) {
    try {
      await verifier.verify(token);
    } catch (error) {
      if (watched.delete(name)) say(name, error.name === "InvalidToken" ? "refused" : error.name);
    }
  }
}, 2);
