import type { Scope } from '@twinstream/api-contract';
import type { AccessDecision } from './access.ts';
import { problemResponse } from './problem.ts';

/** Scopes that a JWT must hold, as the authorizer of the HTTP API is set up to check them too. */
export const READ_SCOPE = 'twinstream/read';
export const WRITE_SCOPE = 'twinstream/write';

/**
 * What the claims of a valid token allow.
 *
 * @param scopes those that an authorizer has read; those of the claim `scope` where it has read none
 */
export function tokenDecision(
  scope: Exclude<Scope, 'open'>,
  claims: Readonly<Record<string, unknown>>,
  scopes?: readonly string[] | null,
): AccessDecision {
  const granted = scopes ?? (typeof claims.scope === 'string' ? claims.scope.split(' ') : []);
  const needed = scope === 'read' ? READ_SCOPE : WRITE_SCOPE;
  if (!granted.includes(needed)) {
    return {
      allowed: false,
      answer: problemResponse('NOT_ALLOWED', { detail: `the token lacks the scope ${needed}` }),
    };
  }
  return typeof claims.sub === 'string' ? { allowed: true, actor: claims.sub } : { allowed: true };
}
