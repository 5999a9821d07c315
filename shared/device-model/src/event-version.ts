import { compareWithinShard, type Position, sequenceNumber, shardId } from '@twinstream/stream-model';

/**
 * What decides which of two events of one device is newer, most significant first. Total: two different events of a
 * device never have equal versions.
 */
export interface EventVersion {
  readonly session: number;
  readonly counter: number;
  /** 0 for a counted event; k for the k-th uncounted event since that counter. */
  readonly ordinal: number;
  /** 0 for what a device said; from 1 for corrections of it. */
  readonly revision: number;
  /** Only in an uncounted event that was found below the high-water mark of its shard. Breaks the tie: the event has the stamp of its predecessor and is ordered after it. */
  readonly position?: Position;
}

/** Before anything a device can say: what uncounted events carry until a counted one has come. */
export const NO_VERSION: EventVersion = { session: -1, counter: -1, ordinal: 0, revision: 0 };

/** Negative when `a` is older than `b`. Positions decide last, and the shard's name before them, since sequence numbers of two shards say nothing of each other. */
export function compareVersions(a: EventVersion, b: EventVersion): number {
  return (
    a.session - b.session ||
    a.counter - b.counter ||
    a.ordinal - b.ordinal ||
    a.revision - b.revision ||
    comparePositions(a.position, b.position)
  );
}

function comparePositions(a: Position | undefined, b: Position | undefined): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1);
  if (a.shardId !== b.shardId) return a.shardId < b.shardId ? -1 : 1;
  return compareWithinShard(a, b);
}

/** `session.counter`, then `+ordinal`, `r` revision and `@shard:sequence:sub` where they apply. */
export function formatVersion(version: EventVersion): string {
  const { session, counter, ordinal, revision, position } = version;
  const place =
    position === undefined
      ? ''
      : `@${position.shardId}:${position.sequenceNumber}:${position.subSequenceNumber}`;
  return `${session}.${counter}${ordinal === 0 ? '' : `+${ordinal}`}${revision === 0 ? '' : `r${revision}`}${place}`;
}

const VERSION = /^(-?\d+)\.(-?\d+)(?:\+(\d+))?(?:r(\d+))?(?:@([^:]+):(\d+):(\d+))?$/;

/** Inverse of {@link formatVersion}. Throws RangeError on any other text. */
export function parseVersion(text: string): EventVersion {
  const parts = VERSION.exec(text);
  if (parts === null) throw new RangeError(`not a version: ${JSON.stringify(text)}`);
  const [, session, counter, ordinal, revision, shard, sequence, sub] = parts;
  const version = {
    session: Number(session),
    counter: Number(counter),
    ordinal: Number(ordinal ?? 0),
    revision: Number(revision ?? 0),
  };
  if (shard === undefined || sequence === undefined) return version;
  const position = {
    shardId: shardId(shard),
    sequenceNumber: sequenceNumber(sequence),
    subSequenceNumber: Number(sub),
  };
  return { ...version, position };
}
