import type { DeviceState } from '@twinstream/device-model';
import type { Liveness } from './liveness.ts';

/**
 * A strong entity tag of a device: the page and the position that its state stands at, its liveness, which changes by
 * itself, and what was asked for. Equal tags, equal answers.
 */
export function deviceTag(state: DeviceState, liveness: Liveness, question: string): string {
  const { page, position } = state;
  const place =
    position === undefined
      ? '-'
      : `${position.shardId}:${position.sequenceNumber}:${position.subSequenceNumber}`;
  // A tag holds visible ASCII alone (RFC 9110, 8.8.3), so the question is written in base64url.
  return `"${page}-${place}-${liveness}${question === '' ? '' : `-${Buffer.from(question).toString('base64url')}`}"`;
}

/** Whether `If-None-Match` names this tag. The comparison is weak (RFC 9110, 13.1.2). */
export function isKnown(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((part) => {
    const known = part.trim();
    return known === '*' || known === tag || known === `W/${tag}`;
  });
}
