import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Clock, systemClock } from '@twinstream/runtime';
import { readGeneration } from './generation-item.ts';
import {
  configuredGeneration,
  GENERATION_FRESH_MS,
  type TableGeneration,
  type TableNames,
} from './table-generation.ts';

export interface FollowGenerationOptions {
  readonly client: DynamoDBClient;
  /** Where the active generation is named. Without it the configured tables are all there is. */
  readonly operationsTable: string | undefined;
  /** The tables in use until another generation is activated. */
  readonly configured: TableNames;
  readonly clock?: Clock;
  /** Default: {@link GENERATION_FRESH_MS}. */
  readonly freshMs?: number;
}

/**
 * Answers with the generation in use, at most `freshMs` old, for one small read in that time. Rejects with the codes of
 * DynamoDB when it cannot be read: what writes must not guess. Concurrent callers share a read.
 */
export function followGeneration(options: FollowGenerationOptions): () => Promise<TableGeneration> {
  const { client, operationsTable, clock = systemClock, freshMs = GENERATION_FRESH_MS } = options;
  const configured = configuredGeneration(options.configured);
  if (operationsTable === undefined) return async () => configured;
  let answer: Promise<TableGeneration> | undefined;
  let askedTime = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.now();
    // A clock that was set back must not make an old answer fresh.
    if (answer !== undefined && now - askedTime < freshMs && now >= askedTime) return answer;
    askedTime = now;
    const reading = readGeneration(client, operationsTable).then((found) => found ?? configured);
    answer = reading;
    reading.catch(() => {
      if (answer === reading) answer = undefined;
    });
    return reading;
  };
}

/** What is made of a generation's tables, made again whenever another generation is in use. */
export function perGeneration<Made>(
  follow: () => Promise<TableGeneration>,
  make: (generation: TableGeneration) => Made,
): () => Promise<Made> {
  let current: { readonly id: string; readonly made: Made } | undefined;
  return async () => {
    const generation = await follow();
    if (current?.id !== generation.id) current = { id: generation.id, made: make(generation) };
    return current.made;
  };
}
