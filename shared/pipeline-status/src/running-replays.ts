import { type DynamoDBClient, paginateQuery } from '@aws-sdk/client-dynamodb';
import { dynamoDbPages, type Item, requireText, textValue } from '@twinstream/aws/dynamodb';
import type { Clock, Logger } from '@twinstream/runtime';
import { z } from 'zod';
import { isJobAlive } from './job-liveness.ts';

/** Where a replay may write: tables of its own, those in use, or standard output. */
export const REPLAY_TARGETS = ['fresh', 'repair', 'stdout'] as const;
export type ReplayTarget = (typeof REPLAY_TARGETS)[number];

/** A replay that somebody is at work on. */
export interface RunningReplay {
  readonly id: string;
  /** `none` in a dry run. */
  readonly target: ReplayTarget | 'none';
  readonly step: string;
  readonly reason?: string;
  /** Milliseconds since 1970, as is `updatedMs`, the last sign of life. */
  readonly startedMs: number;
  readonly updatedMs: number;
  /** Outcomes of the entries read so far, over all shards. */
  readonly entries: Readonly<Record<(typeof ENTRY_COUNTS)[number], number>>;
}

/** Replays that are under way. */
export type RunningReplays = (signal?: AbortSignal) => Promise<readonly RunningReplay[]>;

export interface DynamoDbReplaysOptions {
  readonly client: DynamoDBClient;
  /** Where operators' jobs live. */
  readonly tableName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long an answer stands, in milliseconds. Default 5,000. */
  readonly freshMs?: number;
}

/** Partition of the table `operations` that holds the jobs of replays. */
export const REPLAY_JOB_KIND = 'replay';
/** Megabytes of jobs that are looked at. Finished ones stay in the table until somebody takes them out. */
const PAGES_MAX = 1_000;
const ENTRY_COUNTS = ['read', 'applied', 'late', 'duplicate', 'redelivered', 'failed'] as const;

const count = z.number();
/** The part of a job's document that is shown here. */
const jobSchema = z.object({
  id: z.string(),
  status: z.string(),
  pass: z.string(),
  createdTime: z.number(),
  updatedTime: z.number(),
  runner: z.object({ host: z.string(), pid: z.number() }).optional(),
  spec: z.object({ target: z.enum(REPLAY_TARGETS).optional(), reason: z.string().optional() }),
  ledger: z.record(
    z.string(),
    z.object({
      read: count,
      applied: count,
      late: count,
      duplicate: count,
      redelivered: count,
      failed: count,
    }),
  ),
});

/**
 * Reads the jobs of the table `operations`, at most once in `freshMs`. A job whose runner is gone or silent is stalled and
 * left out; one that cannot be read is logged and left out.
 */
export function dynamoDbReplays(options: DynamoDbReplaysOptions): RunningReplays {
  const { client, tableName, clock, logger, freshMs = 5_000 } = options;
  let answer: readonly RunningReplay[] = [];
  let readTime = Number.NEGATIVE_INFINITY;
  return async (signal) => {
    if (clock.now() - readTime <= freshMs) return answer;
    const replays: RunningReplay[] = [];
    for (const item of await replayJobItems(client, tableName, signal)) {
      try {
        const replay = readRunning(item, clock.now());
        if (replay !== undefined) replays.push(replay);
      } catch (error) {
        logger.warn({ error, job: item.id?.S }, 'job not read');
      }
    }
    answer = replays;
    readTime = clock.now();
    return answer;
  };
}

/** All jobs of replays as they are stored. Rejects with the codes of `dynamoDbRequest`. */
export async function replayJobItems(
  client: DynamoDBClient,
  tableName: string,
  signal?: AbortSignal,
): Promise<readonly Item[]> {
  const input = {
    TableName: tableName,
    KeyConditionExpression: 'kind = :kind',
    ExpressionAttributeValues: { ':kind': textValue(REPLAY_JOB_KIND) },
  };
  const items: Item[] = [];
  let pages = 0;
  for await (const { Items = [] } of dynamoDbPages(signal, (options) =>
    paginateQuery({ client }, input, options),
  )) {
    items.push(...Items);
    pages += 1;
    if (pages === PAGES_MAX) break;
  }
  return items;
}

function readRunning(item: Item, nowMs: number): RunningReplay | undefined {
  const job = jobSchema.parse(JSON.parse(requireText(item, 'document')));
  if (!isJobAlive(job, nowMs)) return undefined;
  const entries = { read: 0, applied: 0, late: 0, duplicate: 0, redelivered: 0, failed: 0 };
  for (const shard of Object.values(job.ledger)) {
    for (const name of ENTRY_COUNTS) entries[name] += shard[name];
  }
  return {
    id: job.id,
    target: job.spec.target ?? 'none',
    step: job.pass,
    ...(job.spec.reason === undefined ? {} : { reason: job.spec.reason }),
    startedMs: job.createdTime,
    updatedMs: job.updatedTime,
    entries,
  };
}
