import { createHash } from 'node:crypto';
import type { Liveness } from '@twinstream/api-contract';
import { formatVersion } from '@twinstream/device-model';
import type { DescribedState } from '@twinstream/event-store';
import { timelessDeviceJson } from './device-json.ts';

/**
 * A strong entity tag of a device: a digest of everything that is told of its state, its liveness, which changes by
 * itself, and what was asked for. Equal tags, equal answers, also after a repair that left the state at its page.
 */
export function deviceTag(state: DescribedState, liveness: Liveness, question: string): string {
  // A tag holds visible ASCII alone (RFC 9110, 8.8.3), so the question is written in base64url.
  return `"${state.page ?? 0}-${digestOf(state)}-${liveness}${question === '' ? '' : `-${Buffer.from(question).toString('base64url')}`}"`;
}

/** Equal for equal answers, in whatever order a store gives the members of an object. */
function digestOf(state: DescribedState): string {
  const versions = [...state.attributes].map(([name, { version }]) => [name, formatVersion(version)]);
  const told = [timelessDeviceJson(state), Object.fromEntries(versions)];
  return createHash('sha256').update(JSON.stringify(told, byName)).digest('base64url').slice(0, 22);
}

/** For `JSON.stringify`: members of objects in the order of their names. */
export function byName(_: string, member: unknown): unknown {
  if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
  return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether `If-None-Match` names this tag. The comparison is weak (RFC 9110, 13.1.2). */
export function isKnown(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((part) => {
    const known = part.trim();
    return known === '*' || known === tag || known === `W/${tag}`;
  });
}

/**
 * The answer to a question about the fleet, with a weak tag of what it tells (RFC 9110, 8.8.1): equal tags, equal content, whatever
 * `asOf` says. The caller that has it gets 304, and `As-Of` says as of when that holds. Caches keep nothing: a browser
 * that revalidated by itself would hand on the `asOf` of before.
 *
 * @param content all that the tag is of
 */
export function taggedAnswer(
  ifNoneMatch: string | undefined,
  { content, asOf, text }: { readonly content: string; readonly asOf: string; readonly text: () => string },
): Response {
  const tag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  const headers = { etag: `W/${tag}`, 'as-of': asOf, 'cache-control': 'no-store' };
  if (isKnown(ifNoneMatch, tag)) return new Response(null, { status: 304, headers });
  return new Response(text(), { headers: { 'content-type': 'application/json', ...headers } });
}
