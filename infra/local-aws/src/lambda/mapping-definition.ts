import { MAPPING_LIMITS, type MappingSettings, type ResolvedSettings } from '@twinstream/pipeline-settings';
import { z } from 'zod';

/** A mapping as it is kept. */
export interface MappingDefinition {
  readonly mappingId: string;
  readonly functionName: string;
  readonly streamArn: string;
  readonly streamName: string;
  readonly settings: MappingSettings;
  /** Bucket for given-up batches. */
  readonly failureBucket?: string;
  /** Queue that is told of given-up batches, in place of a bucket. */
  readonly failureQueue?: string;
  /** Patterns of which one must match a record that is delivered; absent: each record is. */
  readonly filters?: readonly string[];
  readonly enabled: boolean;
  /** LATEST begins here, also after a restart. */
  readonly createdMs: number;
  readonly lastModifiedMs: number;
}

const within = ({ min, max }: { min: number; max: number }) => z.int().min(min).max(max);

export const SETTINGS_SCHEMA = z.strictObject({
  batchSize: within(MAPPING_LIMITS.batchSize),
  batchingWindowMs: within({ min: 0, max: MAPPING_LIMITS.batchingWindowSeconds.max * 1_000 }),
  parallelizationFactor: within(MAPPING_LIMITS.parallelizationFactor),
  reportBatchItemFailures: z.boolean(),
  bisectBatchOnFunctionError: z.boolean(),
  retryAttemptsMax: within(MAPPING_LIMITS.retryAttempts),
  recordAgeSecondsMax: z.union([z.literal(-1), within(MAPPING_LIMITS.recordAgeSeconds)]),
  startingPosition: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('TRIM_HORIZON') }),
    z.strictObject({ type: z.literal('LATEST') }),
    z.strictObject({ type: z.literal('AT_TIMESTAMP'), timestampMs: z.number() }),
  ]),
});

export const DEFINITION_SCHEMA = z.strictObject({
  mappingId: z.string(),
  functionName: z.string(),
  streamArn: z.string(),
  streamName: z.string(),
  settings: SETTINGS_SCHEMA,
  failureBucket: z.string().exactOptional(),
  failureQueue: z.string().exactOptional(),
  filters: z.array(z.string()).exactOptional(),
  enabled: z.boolean(),
  createdMs: z.number(),
  lastModifiedMs: z.number(),
});

/** Settings with LATEST made a time, because an iterator of that type forgets what came while nothing read. */
export function resolvedSettings({ settings, createdMs }: MappingDefinition): ResolvedSettings {
  const { startingPosition } = settings;
  if (startingPosition.type !== 'LATEST') return { ...settings, startingPosition };
  return { ...settings, startingPosition: { type: 'AT_TIMESTAMP', timestampMs: createdMs } };
}
