import type { Token, Verifier } from "./index.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by tokenRequired. */
    token?: Token | null;
  }
}

export function tokenRequired(
  verifier: Verifier,
  options?: { required?: boolean },
): (request: any, reply: any) => Promise<unknown>;
