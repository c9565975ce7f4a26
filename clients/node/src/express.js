// Middleware for Express: request.token is the token, or null if none is required.

import { refusalOf } from "./middleware.js";

export function tokenRequired(verifier, { required = true } = {}) {
  const answer = (response, { status, headers, body }) =>
    response.status(status).set(headers).json(body);
  return (request, response, next) =>
    refusalOf(verifier, request, required).then(
      (refusal) => (refusal ? answer(response, refusal) : next()),
      next,
    );
}
