import { formatVersion } from '@twinstream/device-model';
import type { HistoryEvent } from '@twinstream/event-store';

/** A stored event as one line of JSON says it: stable, for scripts. */
export function eventLine({
  event,
  place,
  arrivalTime,
  version,
  late,
  repaired,
  shardId,
  page,
}: HistoryEvent) {
  const { v: _, identity, correction, data, ...head } = event;
  return {
    ...head,
    ...(identity ?? {}),
    ...(correction ?? {}),
    arrivalTime: new Date(arrivalTime).toISOString(),
    version: formatVersion(version),
    late: late !== undefined,
    repaired: repaired === true,
    page,
    shardId,
    sequenceNumber: place.sequenceNumber,
    subSequenceNumber: place.subSequenceNumber,
    data,
  };
}
