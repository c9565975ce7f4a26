// What the middleware of each framework does.

import { NoToken, VerifyError, credentialOf } from "./index.js";

/** Set request.token. Return the error with which to answer, if there is one. */
export async function refusalOf(verifier, request, required) {
  try {
    request.token = await verifier.verify(credentialOf(request.headers.authorization));
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    if (required || !(error instanceof NoToken)) return error;
    request.token = null;
  }
}
