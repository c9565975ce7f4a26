export interface Options {
  /** The claim `iss` of the tokens, which is the authority's TOKENS_ISSUER. */
  issuer: string;
  /** The claim `aud` of the tokens, which is the authority's TOKENS_AUDIENCE. */
  audience: string;
  keysUrl?: string;
  feedUrl?: string;
  /** The key from the authority's admin, if the authority requires one for its feed. */
  credential?: string;
  /** For how many seconds the list is used without hearing from the authority. */
  bound?: number;
  leeway?: number;
  /** Seconds between two polls, if the authority does not push. */
  interval?: number;
  onSilence?: "refuse" | "accept";
  /** Allow plain http to hosts other than this one. */
  allowHttp?: boolean;
  /** Called with each error while the feed is followed. */
  onError?: (error: Error) => void;
  clock?: () => number;
  ticks?: () => number;
}

export interface Token {
  readonly sub: string;
  readonly sid: string;
  readonly jti: string;
  readonly exp: number;
  readonly iat: number;
  readonly claims: Readonly<Record<string, unknown>>;
}

export class Verifier {
  constructor(authority: string | URL, options: Options);
  verify(token: string): Promise<Token>;
  start(): void;
  close(): void;
}

export class VerifyError extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: { detail: string; code?: string };
}
export class InvalidToken extends VerifyError {}
export class NoToken extends InvalidToken {}
export class Unavailable extends VerifyError {}

export function credentialOf(header: string | null | undefined): string;
