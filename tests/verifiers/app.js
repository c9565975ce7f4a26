// An Express app with one route for each verifier library, each set up as its manual says.
// Arguments: the address of the JWK Set, issuer, audience, algorithm. It prints its port.

import express from "express";
import { expressjwt } from "express-jwt";
import { auth } from "express-oauth2-jwt-bearer";
import { createRemoteJWKSet, jwtVerify } from "jose";
import jwksRsa from "jwks-rsa";

const [jwksUri, issuer, audience, algorithm] = process.argv.slice(2);
const app = express();

app.use(
  "/express-jwt",
  expressjwt({
    secret: jwksRsa.expressJwtSecret({ jwksUri, cache: true, rateLimit: true }),
    audience,
    issuer,
    algorithms: [algorithm],
  }),
);

app.use(
  "/express-oauth2-jwt-bearer",
  auth({ jwksUri, issuer, audience, tokenSigningAlg: algorithm }),
);

const keys = createRemoteJWKSet(new URL(jwksUri));
app.use("/jose", async (request, response, next) => {
  const token = request.get("authorization").split(" ")[1];
  await jwtVerify(token, keys, { issuer, audience });
  next();
});

app.use((request, response) => response.status(200).end("accepted"));
app.use((error, request, response, next) => response.status(401).end(String(error)));

const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
