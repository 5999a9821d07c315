import { SERVICE_TASKS } from './fleet-service.ts';

/** Projector and archiver. */
export const CONSUMERS = 2;

/**
 * Readers of a stream, which share what each of its shards gives out (2 MiB a second, Kinesis quotas): the two functions, and each task of the
 * long-lived API, which reads every record to know what has changed. A third reader takes from the projector what shards for two would give it.
 */
export function streamReaders(hasFleetService: boolean): number {
  return CONSUMERS + (hasFleetService ? SERVICE_TASKS : 0);
}
