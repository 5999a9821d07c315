/**
 * Default names of a pipeline's resources. The local pipeline uses them as they are, every app falls back to them where its
 * environment names nothing, and the stacks use them for what a stage does not name itself.
 */
export const NAMES = {
  stream: 'device-events',
  deliveryStream: 'device-events-archive',
  archiveBucket: 'twinstream-archive',
  eventsTable: 'events',
  deviceStateTable: 'device-state',
  shardProgressTable: 'shard-progress',
  operationsTable: 'operations',
  projectorFunction: 'state-projector',
  archiverFunction: 'event-archiver',
} as const;
