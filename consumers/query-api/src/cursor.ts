import { createHash } from 'node:crypto';
import type { z } from 'zod';

/** Text by which a cursor knows its query again: equal queries give equal text whatever the order of their members. */
function queryDigest(query: Readonly<Record<string, unknown>>): string {
  const present = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(present)).digest('base64url').slice(0, 16);
}

/**
 * An opaque cursor: where a list goes on, bound to the query that it belongs to. It is not secret and not signed: a
 * forged one that is well-formed only names another place of the same list.
 */
export function encodeCursor(query: Readonly<Record<string, unknown>>, place: unknown): string {
  return Buffer.from(JSON.stringify([queryDigest(query), place])).toString('base64url');
}

/** The place that a cursor names, or undefined when it is not one of this query. */
export function decodeCursor<Place>(
  cursor: string,
  query: Readonly<Record<string, unknown>>,
  placeSchema: z.ZodType<Place>,
): Place | undefined {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (!Array.isArray(content) || content.length !== 2 || content[0] !== queryDigest(query)) return undefined;
  return placeSchema.safeParse(content[1]).data;
}
