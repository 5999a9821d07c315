import { z } from 'zod';
import type { ImmediateAccess } from './access.ts';
import { problemResponse } from './problem.ts';
import { tokenDecision } from './token-scopes.ts';

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
export const lambdaAccess: ImmediateAccess = (scope, { env }) => {
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
  return tokenDecision(scope, authorizer.jwt.claims, authorizer.jwt.scopes);
};
