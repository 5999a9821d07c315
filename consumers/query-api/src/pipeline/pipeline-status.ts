import { z } from 'zod';

export const shardStatusSchema = z
  .object({
    shardId: z.string(),
    state: z
      .enum(['OPEN', 'CLOSED'])
      .meta({ description: 'A closed shard takes no more records; it was split or merged.' }),
    lagMs: z.number().min(0).nullable().meta({
      description:
        'Age of the oldest record that is not finished; 0 when none is; null while it cannot be told.',
    }),
    recordsPerSecond: z.number().min(0).nullable().meta({
      description:
        'Records put into the shard per second, over the last sampled stretch; null until two samples are there.',
    }),
    finishedThrough: z.string().nullable().meta({
      description:
        'Everything at or below this sequence number is stored or in quarantine; null before the first.',
    }),
  })
  .meta({ id: 'ShardStatus' });
export type ShardStatus = z.infer<typeof shardStatusSchema>;

export const pipelineStatusSchema = z
  .object({
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
  })
  .meta({ id: 'Pipeline' });
export type PipelineStatus = z.infer<typeof pipelineStatusSchema>;
