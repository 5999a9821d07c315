import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { REPLAY_TARGETS, type ReplayStatus } from '@twinstream/api-contract';
import { dynamoDbRequest, type Item, requireText, textValue } from '@twinstream/aws/dynamodb';
import type { Clock, Logger } from '@twinstream/runtime';
import { z } from 'zod';
import { isoTime } from '../device-json.ts';

/** Replays that are under way. */
export type RunningReplays = () => Promise<readonly ReplayStatus[]>;

export interface DynamoDbReplaysOptions {
  readonly client: DynamoDBClient;
  /** Where operators' jobs live. */
  readonly tableName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long an answer stands, in milliseconds. Default 5,000. */
  readonly freshMs?: number;
}

/** Megabytes of jobs that are looked at. Finished ones stay in the table until somebody takes them out. */
const PAGES_MAX = 20;

const count = z.number();
/** The part of a job's document that is shown here. */
const jobSchema = z.object({
  id: z.string(),
  status: z.string(),
  pass: z.string(),
  createdTime: z.number(),
  updatedTime: z.number(),
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

/** Reads the jobs of the table `operations`, at most once in `freshMs`. A job that cannot be read is logged and left out. */
export function dynamoDbReplays(options: DynamoDbReplaysOptions): RunningReplays {
  const { client, tableName, clock, logger, freshMs = 5_000 } = options;
  let answer: readonly ReplayStatus[] = [];
  let readTime = Number.NEGATIVE_INFINITY;
  return async () => {
    if (clock.now() - readTime <= freshMs) return answer;
    const items = await readItems(client, tableName);
    const replays: ReplayStatus[] = [];
    for (const item of items) {
      try {
        const job = readJob(item);
        if (job !== undefined) replays.push(job);
      } catch (error) {
        logger.warn({ error, job: item.id?.S }, 'job not read');
      }
    }
    answer = replays;
    readTime = clock.now();
    return answer;
  };
}

async function readItems(client: DynamoDBClient, tableName: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  let start: Item | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const command = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'kind = :kind',
      ExpressionAttributeValues: { ':kind': textValue('replay') },
      ...(start === undefined ? {} : { ExclusiveStartKey: start }),
    });
    const { Items = [], LastEvaluatedKey } = await dynamoDbRequest(undefined, (options) =>
      client.send(command, options),
    );
    items.push(...Items);
    if (LastEvaluatedKey === undefined) break;
    start = LastEvaluatedKey;
  }
  return items;
}

function readJob(item: Item): ReplayStatus | undefined {
  const job = jobSchema.parse(JSON.parse(requireText(item, 'document')));
  if (job.status !== 'running') return undefined;
  const total = { read: 0, applied: 0, late: 0, duplicate: 0, redelivered: 0, failed: 0 };
  for (const shard of Object.values(job.ledger)) {
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += shard[name];
  }
  return {
    id: job.id,
    target: job.spec.target ?? 'none',
    step: job.pass,
    ...(job.spec.reason === undefined ? {} : { reason: job.spec.reason }),
    startedTime: isoTime(job.createdTime),
    updatedTime: isoTime(job.updatedTime),
    entries: total,
  };
}
