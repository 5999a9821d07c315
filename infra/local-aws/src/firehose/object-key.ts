import type { DeliveryStreamDefinition } from './delivery-stream-definition.ts';
import { evaluatePrefix } from './prefix-expression.ts';

/** What names one object. */
export interface ObjectIdentity {
  /** Arrival of its oldest record. */
  readonly oldestArrivalMs: number;
  readonly uuid: string;
  /** Draws from [0, 1). */
  readonly random: () => number;
}

/**
 * `<prefix><stream>-<version>-yyyy-MM-dd-HH-mm-ss-<uuid><extension>`. A file extension that was asked for replaces the
 * `.gz` of GZIP. Source: "Configure Amazon S3 object name format", developer guide, read 2026-11, and recordings against
 * AWS published with the emulator floci (issue 1857).
 */
export function objectKey(definition: DeliveryStreamDefinition, identity: ObjectIdentity): string {
  const { name, versionId, destination } = definition;
  const { oldestArrivalMs: timeMs, uuid, random } = identity;
  const time = new Date(timeMs).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
  const extension = destination.fileExtension ?? (destination.compression === 'GZIP' ? '.gz' : '');
  return `${evaluatePrefix(destination.prefix, { timeMs, random })}${name}-${versionId}-${time}-${uuid}${extension}`;
}
