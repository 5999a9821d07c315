import { z } from 'zod';
import { REPLAY_TARGETS } from './values.ts';

export const shardStatusSchema = z
  .object({
    shardId: z.string(),
    state: z
      .enum(['OPEN', 'CLOSED'])
      .meta({ description: 'A closed shard accepts no more records; it was split or merged.' }),
    lagMs: z.number().min(0).nullable().meta({
      description: 'Age of the oldest unprocessed record; 0 without one; null while unknown.',
    }),
    recordsPerSecond: z.number().min(0).nullable().meta({
      description:
        'Records put into the shard per second, over the last sampled stretch; null until two samples are there.',
    }),
    processedPerSecond: z.number().min(0).nullable().meta({
      description:
        'Records that were processed per second, over the last ten seconds; null where the API does not follow the stream.',
    }),
    backlogRecords: z.int().min(0).nullable().meta({
      description:
        'Records that wait to be processed, as far as they were counted; null where the API does not follow the stream.',
    }),
    finishedThrough: z.string().nullable().meta({
      description:
        'Everything at or below this sequence number is stored or in quarantine; null before the first.',
    }),
  })
  .meta({ id: 'ShardStatus' });
export type ShardStatus = z.infer<typeof shardStatusSchema>;

const count = z.int().min(0);

export const replayStatusSchema = z
  .object({
    id: z.string(),
    target: z.enum(REPLAY_TARGETS).meta({
      description: 'Where it writes: `fresh` tables, `repair` in place, `stdout`; `none` in a dry run.',
    }),
    step: z.string().meta({ description: 'Current step of the replay.' }),
    reason: z.string().optional(),
    startedTime: z.iso.datetime(),
    updatedTime: z.iso.datetime().meta({ description: 'Last heartbeat of the replay.' }),
    entries: z
      .object({
        read: count,
        applied: count,
        late: count,
        duplicate: count,
        redelivered: count,
        failed: count,
      })
      .meta({ description: 'Outcomes of the entries read so far.' }),
  })
  .meta({ id: 'Replay' });
export type ReplayStatus = z.infer<typeof replayStatusSchema>;

export const pipelineStatusSchema = z
  .object({
    asOf: z.iso.datetime().meta({
      description:
        'Whatever was put before then is counted in the lags; answers are shared for a short time.',
    }),
    stream: z.string(),
    retentionHours: z.int(),
    shards: z.array(shardStatusSchema),
    quarantined: z.int().min(0).meta({ description: 'Entries in quarantine.' }),
    archive: z.object({
      lastDeliveryTime: z.iso
        .datetime()
        .nullable()
        .meta({ description: 'When the newest archive object was written.' }),
    }),
    replays: z
      .array(replayStatusSchema)
      .optional()
      .meta({ description: 'Replays under way; absent where the API does not know the table of operators.' }),
  })
  .meta({ id: 'Pipeline' });
export type PipelineStatus = z.infer<typeof pipelineStatusSchema>;
