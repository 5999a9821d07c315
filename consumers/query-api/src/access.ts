import { createHash, timingSafeEqual } from 'node:crypto';
import type { Scope } from '@twinstream/api-contract';
import { problemResponse } from './problem.ts';

/** What decides on access knows of a request. */
export interface AccessRequest {
  readonly header: (name: string) => string | undefined;
  /** What the driver hands over beside the request: on Lambda, its event. */
  readonly env: unknown;
}

export type AccessDecision =
  | { readonly allowed: true /** Who it is, where that is known. */; readonly actor?: string }
  | { readonly allowed: false; readonly answer: Response };

/** Who may do what. It is asked once for every request, files of the page included. */
export type Access = (scope: Scope, request: AccessRequest) => AccessDecision | Promise<AccessDecision>;

/** An access that need not ask anybody. */
export type ImmediateAccess = (scope: Scope, request: AccessRequest) => AccessDecision;

const ALLOWED: AccessDecision = { allowed: true };
const LOOPBACK_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

export interface LoopbackAccessOptions {
  /** Callers must bring it as `Authorization: Bearer …`. Default: no token is needed. */
  readonly token?: string;
  /** Other origins whose pages may read. Default: none. */
  readonly origins?: readonly string[];
}

/**
 * Access on one machine. The name in `Host` must be a loopback name, and an `Origin` must be this very server: a page from
 * elsewhere that got its own name to resolve to 127.0.0.1 (DNS rebinding), or that sends requests here, is refused. Pages of
 * `origins` may read, and change nothing.
 */
export function loopbackAccess({ token, origins = [] }: LoopbackAccessOptions = {}): ImmediateAccess {
  const expected = token === undefined ? undefined : digest(`Bearer ${token}`);
  return (scope, { header }) => {
    const host = header('host');
    if (host === undefined || !LOOPBACK_HOST.test(host)) {
      return refused('the Host of a request must be 127.0.0.1, localhost or [::1]');
    }
    const origin = header('origin');
    const isOwn = origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`;
    if (!isOwn && (scope === 'write' || !origins.includes(origin))) {
      return refused('a page from another origin may not call this API');
    }
    const site = header('sec-fetch-site');
    if (scope === 'write' && site !== undefined && site !== 'same-origin' && site !== 'none') {
      return refused('a page from another site may not change anything here');
    }
    if (scope === 'open' || expected === undefined) return ALLOWED;
    const given = header('authorization');
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return ALLOWED;
    return {
      allowed: false,
      answer: problemResponse('UNAUTHENTICATED', {
        detail: 'send Authorization: Bearer with the token of this server',
        headers: { 'www-authenticate': 'Bearer realm="twinstream"' },
      }),
    };
  };
}

/** Equal lengths make the comparison take equal time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function refused(detail: string): AccessDecision {
  return { allowed: false, answer: problemResponse('NOT_ALLOWED', { detail }) };
}
