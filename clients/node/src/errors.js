// What can be wrong with a call of verify. Neither message nor property holds the token.

export class VerifyError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/** Answer 401: the token is bad, expired or denied. */
export class InvalidToken extends VerifyError {
  status = 401;
  headers = { "WWW-Authenticate": 'Bearer realm="api", error="invalid_token"' };
  body = { detail: "Given token not valid for any token type", code: "token_not_valid" };
}

/** Answer 401: there is no bearer token. */
export class NoToken extends InvalidToken {
  headers = { "WWW-Authenticate": 'Bearer realm="api"' };
  body = { detail: "Authentication credentials were not provided." };
}

/** Answer 503: the token cannot be checked at the moment, so try again later. */
export class Unavailable extends VerifyError {
  status = 503;
  headers = { "Retry-After": "1" };
  body = { detail: "Tokens cannot be checked at the moment." };
}

/** A document of the feed that proves nothing, so the reader keeps what it has. */
export class RefusedDocument extends Error {}
