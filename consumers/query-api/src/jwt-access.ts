import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Access, AccessDecision } from './access.ts';
import { problemResponse } from './problem.ts';
import { tokenDecision } from './token-scopes.ts';

export interface JwtAccessOptions {
  /** As the tokens name it; its keys are found by OpenID Connect Discovery 1.0. */
  readonly issuer: string;
  /** One of them must be the token's `aud`, or its `client_id`, as the authorizer of an HTTP API asks. */
  readonly audience: readonly string[];
  /** Default: those of the issuer, read when they are needed. */
  readonly keys?: JWTVerifyGetKey;
}

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
const BEARER = /^Bearer +(\S+)$/i;
const DISCOVERY_MS_MAX = 5_000;
const discoverySchema = z.object({ jwks_uri: z.url() });

/** Access by tokens that this process checks itself: signature, issuer, audience, times and scope. Throws where the issuer is away. */
export function jwtAccess({ issuer, audience, keys = keysOf(issuer) }: JwtAccessOptions): Access {
  return async (scope, { header }) => {
    if (scope === 'open') return { allowed: true };
    const [, token] = BEARER.exec(header('authorization') ?? '') ?? [];
    if (token === undefined) return refused('send Authorization: Bearer with a token of the issuer');
    let claims: JWTPayload;
    try {
      ({ payload: claims } = await jwtVerify(token, keys, { issuer, algorithms: ALGORITHMS }));
    } catch (error) {
      if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout)) {
        return refused('the token is not valid here, or has expired');
      }
      throw error;
    }
    const named = [claims.aud ?? claims.client_id].flat();
    if (!named.some((name) => typeof name === 'string' && audience.includes(name))) {
      return refused('the token is for another audience');
    }
    return tokenDecision(scope, claims);
  };
}

/** Keys of an issuer. A discovery that failed is tried again with the next token. */
function keysOf(issuer: string): JWTVerifyGetKey {
  let found: Promise<JWTVerifyGetKey> | undefined;
  return async (...token) => {
    found ??= discover(issuer).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return (await found)(...token);
  };
}

async function discover(issuer: string): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(DISCOVERY_MS_MAX) });
  if (!response.ok) throw new TypeError(`${url} answered with ${response.status}`);
  return createRemoteJWKSet(new URL(discoverySchema.parse(await response.json()).jwks_uri));
}

function refused(detail: string): AccessDecision {
  const headers = { 'www-authenticate': 'Bearer realm="twinstream"' };
  return { allowed: false, answer: problemResponse('UNAUTHENTICATED', { detail, headers }) };
}
