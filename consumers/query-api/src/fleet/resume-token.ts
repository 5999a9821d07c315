import { RESUME_TOKEN_CHARACTERS_MAX } from '@twinstream/api-contract';
import {
  compareSequenceNumbers,
  isSequenceNumber,
  isShardId,
  type SequenceNumber,
  type ShardId,
} from '@twinstream/stream-model';
import { z } from 'zod';
import type { ShardVector } from './coverage.ts';
import type { FleetRow } from './fleet-row.ts';

/**
 * A moment of the fleet, as a client carries it: what it has seen by then. It means the same to every process that reads
 * the same tables, also after a restart.
 */
export interface ResumePoint {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  /** Everything at or below was seen. */
  readonly seen: ShardVector;
}

/** A vector of more shards does not fit the header in which browsers send it back; a resume then begins with the whole fleet. */
const SHARDS_MAX = 64;

const contentSchema = z.tuple([
  z.int().min(0).max(9_999_999_999_999),
  z.array(z.tuple([z.string().refine(isShardId), z.string().refine(isSequenceNumber)])).max(SHARDS_MAX),
]);

export function encodeResumeToken({ timeMs, seen }: ResumePoint): string {
  const shards = seen.size > SHARDS_MAX ? [] : [...seen];
  return Buffer.from(JSON.stringify([timeMs, shards])).toString('base64url');
}

/** The point that a token names, or undefined when it is none. A forged one only asks for other devices to be sent again. */
export function decodeResumeToken(token: string): ResumePoint | undefined {
  if (token.length > RESUME_TOKEN_CHARACTERS_MAX) return undefined;
  try {
    const content = contentSchema.safeParse(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')));
    if (!content.success) return undefined;
    const [timeMs, shards] = content.data;
    return { timeMs, seen: new Map(shards as [ShardId, SequenceNumber][]) };
  } catch {
    return undefined;
  }
}

/** False only when the device is as it was at that point. */
export function mayHaveChangedSince(
  row: Pick<FleetRow, 'marks' | 'isBehindMarks' | 'alteredTime'>,
  { seen, timeMs }: ResumePoint,
): boolean {
  if (row.isBehindMarks || (row.alteredTime !== undefined && row.alteredTime >= timeMs)) return true;
  for (const [shardId, mark] of row.marks) {
    const known = seen.get(shardId);
    if (known === undefined || compareSequenceNumbers(mark, known) > 0) return true;
  }
  return false;
}
