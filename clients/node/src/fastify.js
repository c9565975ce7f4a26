// A hook for Fastify: request.token is the token, or null where `required` is false.

import { NoToken, VerifyError, credentialOf } from "./index.js";

export function tokenRequired(verifier, { required = true } = {}) {
  return async (request, reply) => {
    try {
      request.token = await verifier.verify(credentialOf(request.headers.authorization));
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      if (required || !(error instanceof NoToken)) {
        return reply.code(error.status).headers(error.headers).send(error.body);
      }
      request.token = null;
    }
  };
}
