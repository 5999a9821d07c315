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

const FUNCTION_REFERENCE = /^(?:(?:arn:[^:]+:lambda:[^:]*:)?\d{12}:function:)?([^:]+)(?::[^:]+)?$/;

/**
 * The name of a function, from any of the forms in which AWS and operators name it: name, ARN or a part of it, each also with a version or an
 * alias ("CreateAlias", "Invoke": name formats, Lambda API reference, read 2026-12). Any other text comes back as it is.
 */
export function functionNameOf(reference: string): string {
  return FUNCTION_REFERENCE.exec(reference)?.[1] ?? reference;
}
