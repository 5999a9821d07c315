import { ApiError, invalidArgument } from './api-error.ts';

/** A token may be used for so long (API reference, ListShards: 300 seconds, read 2026-11). */
export const PAGE_TOKEN_AGE_MS_MAX = 300_000;

interface TokenBody {
  readonly list: string;
  readonly issuedMs: number;
  readonly place: unknown;
}

/** A token that says where a list goes on. Callers may not read it. */
export function pageToken(list: string, place: unknown, nowMs: number): string {
  const body: TokenBody = { list, issuedMs: nowMs, place };
  return Buffer.from(JSON.stringify(body)).toString('base64url');
}

/** The place a token holds. Throws InvalidArgumentException or, for an old one, ExpiredNextTokenException. */
export function readPageToken(list: string, token: string, nowMs: number): unknown {
  const body = parse(token);
  if (body?.list !== list) throw invalidArgument('Invalid NextToken.');
  if (nowMs - body.issuedMs > PAGE_TOKEN_AGE_MS_MAX) {
    throw new ApiError(
      'ExpiredNextTokenException',
      `The NextToken has expired: it was issued ${nowMs - body.issuedMs} ms ago, and ${PAGE_TOKEN_AGE_MS_MAX} ms are allowed.`,
    );
  }
  return body.place;
}

function parse(token: string): TokenBody | undefined {
  let body: unknown;
  try {
    body = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    // Not one of ours; the caller is told.
    return undefined;
  }
  if (typeof body !== 'object' || body === null) return undefined;
  if (!('list' in body && 'issuedMs' in body && 'place' in body)) return undefined;
  const { list, issuedMs, place } = body;
  return typeof list === 'string' && typeof issuedMs === 'number' ? { list, issuedMs, place } : undefined;
}
