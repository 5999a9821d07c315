import { z } from 'zod';
import type { Access } from './access.ts';
import { problemResponse } from './problem.ts';

/** Scopes that a JWT must hold, as the authorizer of the HTTP API is set up to check them too. */
export const READ_SCOPE = 'twinstream/read';
export const WRITE_SCOPE = 'twinstream/write';

// "Create AWS Lambda proxy integrations for HTTP APIs" and "Lambda function URLs", payload format 2.0 (read 2026-11).
const eventSchema = z.object({
  event: z.object({
    requestContext: z.object({
      authorizer: z
        .object({
          jwt: z
            .object({ claims: z.record(z.string(), z.unknown()), scopes: z.array(z.string()).nullish() })
            .optional(),
          iam: z.object({ userArn: z.string().nullish() }).optional(),
        })
        .optional(),
    }),
  }),
});

/**
 * Access behind the authorizers of AWS, which have checked who calls. IAM policies have then decided what the caller may do;
 * a JWT must hold the scope. A request that no authorizer has seen is refused, so that a route without one stays closed.
 */
export const lambdaAccess: Access = (scope, { env }) => {
  if (scope === 'open') return { allowed: true };
  const authorizer = eventSchema.safeParse(env).data?.event.requestContext.authorizer;
  const arn = authorizer?.iam?.userArn;
  if (authorizer?.iam !== undefined) {
    return typeof arn === 'string' ? { allowed: true, actor: arn } : { allowed: true };
  }
  if (authorizer?.jwt === undefined) {
    return {
      allowed: false,
      answer: problemResponse('UNAUTHENTICATED', { detail: 'no authorizer has let this in' }),
    };
  }
  const { claims, scopes } = authorizer.jwt;
  const granted = scopes ?? (typeof claims.scope === 'string' ? claims.scope.split(' ') : []);
  const needed = scope === 'read' ? READ_SCOPE : WRITE_SCOPE;
  if (!granted.includes(needed)) {
    return {
      allowed: false,
      answer: problemResponse('NOT_ALLOWED', { detail: `the token lacks the scope ${needed}` }),
    };
  }
  return typeof claims.sub === 'string' ? { allowed: true, actor: claims.sub } : { allowed: true };
};
