import { RESUME_TOKEN_CHARACTERS_MAX } from '@twinstream/api-contract';
import { isSequenceNumber, isShardId, type SequenceNumber, type ShardId } from '@twinstream/stream-model';
import { z } from 'zod';
import type { ShardVector } from './coverage.ts';

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
