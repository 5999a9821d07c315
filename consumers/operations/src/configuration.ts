import { NAMES, PAGE_WRITING, PAGES_PER_SNAPSHOT_MAX, type PageWriting } from '@twinstream/pipeline-settings';
import { type Environment, readConfiguration } from '@twinstream/runtime';
import { z } from 'zod';

const SCHEMA = z.object({
  TWINSTREAM_STREAM: z.string().default(NAMES.stream),
  TWINSTREAM_EVENTS_TABLE: z.string().default(NAMES.eventsTable),
  TWINSTREAM_DEVICE_STATE_TABLE: z.string().default(NAMES.deviceStateTable),
  TWINSTREAM_SHARD_PROGRESS_TABLE: z.string().default(NAMES.shardProgressTable),
  TWINSTREAM_OPERATIONS_TABLE: z.string().default(NAMES.operationsTable),
  TWINSTREAM_ARCHIVE_BUCKET: z.string().default(NAMES.archiveBucket),
  TWINSTREAM_MAPPING: z.string().default(''),
  TWINSTREAM_PROJECTOR_FUNCTION: z.string().default(NAMES.projectorFunction),
  TWINSTREAM_PAGES_PER_SNAPSHOT: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGES_PER_SNAPSHOT_MAX)
    .default(PAGE_WRITING.pagesPerSnapshot),
});

/** What the commands work on, and how the projector lays out pages, from the environment or from the pipeline that runs beside. */
export function operationsConfiguration(environment: Environment) {
  const values = readConfiguration(SCHEMA, environment);
  const pageWriting: PageWriting = {
    ...PAGE_WRITING,
    pagesPerSnapshot: values.TWINSTREAM_PAGES_PER_SNAPSHOT,
  };
  return {
    streamName: values.TWINSTREAM_STREAM,
    tables: {
      eventsTable: values.TWINSTREAM_EVENTS_TABLE,
      deviceStateTable: values.TWINSTREAM_DEVICE_STATE_TABLE,
    },
    shardProgressTable: values.TWINSTREAM_SHARD_PROGRESS_TABLE,
    operationsTable: values.TWINSTREAM_OPERATIONS_TABLE,
    archiveBucket: values.TWINSTREAM_ARCHIVE_BUCKET,
    projectorFunction: values.TWINSTREAM_PROJECTOR_FUNCTION,
    /** Places of the mapping documents that the projector uses, separated by commas. */
    mapping: values.TWINSTREAM_MAPPING,
    pageWriting,
  };
}
export type OperationsConfiguration = ReturnType<typeof operationsConfiguration>;
