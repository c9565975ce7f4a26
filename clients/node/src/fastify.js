// A hook for Fastify: request.token is the token, or null if none is required.

import { refusalOf } from "./middleware.js";

export function tokenRequired(verifier, { required = true } = {}) {
  return async (request, reply) => {
    const refusal = await refusalOf(verifier, request, required);
    if (refusal) return reply.code(refusal.status).headers(refusal.headers).send(refusal.body);
  };
}
