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
