import { NAMES, PAGES_PER_SNAPSHOT_MAX } from '@twinstream/pipeline-settings';
import { type Environment, LOG_LEVELS, readConfiguration } from '@twinstream/runtime';
import { z } from 'zod';
import { PROJECTOR_OPTIONS, type ProjectorOptions } from './options.ts';

const count = (fallback: number, max: number) => z.coerce.number().int().min(1).max(max).default(fallback);

const SCHEMA = z.object({
  TWINSTREAM_EVENTS_TABLE: z.string().default(NAMES.eventsTable),
  TWINSTREAM_DEVICE_STATE_TABLE: z.string().default(NAMES.deviceStateTable),
  TWINSTREAM_SHARD_PROGRESS_TABLE: z.string().default(NAMES.shardProgressTable),
  TWINSTREAM_OPERATIONS_TABLE: z.string().optional(),
  TWINSTREAM_ARCHIVE_BUCKET: z.string('the bucket whose prefix quarantine/ takes invalid records'),
  TWINSTREAM_DEVICES_AT_ONCE: count(PROJECTOR_OPTIONS.devicesAtOnce, 1_000),
  TWINSTREAM_HEADS_MAX: count(PROJECTOR_OPTIONS.headsMax, 10_000_000),
  TWINSTREAM_PAGES_PER_SNAPSHOT: count(PROJECTOR_OPTIONS.pagesPerSnapshot, PAGES_PER_SNAPSHOT_MAX),
  TWINSTREAM_PARALLELIZATION_FACTOR: count(PROJECTOR_OPTIONS.parallelizationFactor, 10),
  TWINSTREAM_MAPPING: z.string().optional(),
  TWINSTREAM_LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
});

/** Settings of the projector, from the environment. */
export function projectorConfiguration(environment: Environment) {
  const values = readConfiguration(SCHEMA, environment);
  const options: ProjectorOptions = {
    ...PROJECTOR_OPTIONS,
    devicesAtOnce: values.TWINSTREAM_DEVICES_AT_ONCE,
    headsMax: values.TWINSTREAM_HEADS_MAX,
    pagesPerSnapshot: values.TWINSTREAM_PAGES_PER_SNAPSHOT,
    parallelizationFactor: values.TWINSTREAM_PARALLELIZATION_FACTOR,
  };
  return {
    options,
    logLevel: values.TWINSTREAM_LOG_LEVEL,
    tables: {
      eventsTable: values.TWINSTREAM_EVENTS_TABLE,
      deviceStateTable: values.TWINSTREAM_DEVICE_STATE_TABLE,
    },
    operationsTable: values.TWINSTREAM_OPERATIONS_TABLE,
    shardProgressTable: values.TWINSTREAM_SHARD_PROGRESS_TABLE,
    /** Files and `s3://` URLs of mapping documents, separated by commas. */
    mapping: values.TWINSTREAM_MAPPING,
    archiveBucket: values.TWINSTREAM_ARCHIVE_BUCKET,
  };
}
