// Middleware for Express: request.token is the token, or null where `required` is false.

import { NoToken, VerifyError, credentialOf } from "./index.js";

export function tokenRequired(verifier, { required = true } = {}) {
  return async (request, response, next) => {
    try {
      request.token = await verifier.verify(credentialOf(request.headers.authorization));
    } catch (error) {
      if (!(error instanceof VerifyError)) return next(error);
      if (required || !(error instanceof NoToken)) {
        return response.status(error.status).set(error.headers).json(error.body);
      }
      request.token = null;
    }
    return next();
  };
}
