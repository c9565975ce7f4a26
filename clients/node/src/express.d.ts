import type { Token, Verifier } from "./index.js";

declare global {
  namespace Express {
    interface Request {
      /** Set by tokenRequired. */
      token?: Token | null;
    }
  }
}

export function tokenRequired(
  verifier: Verifier,
  options?: { required?: boolean },
): (request: any, response: any, next: (error?: unknown) => void) => Promise<void>;
