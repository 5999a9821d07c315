import { isoText } from '@twinstream/command-line';
import { formatVersion, jsonAt, splitEvent } from '@twinstream/device-model';
import type { HistoryEvent } from '@twinstream/event-store';

/** What an event has before it is stored: `version`, `page` and how it came are decided then. */
type ArrivedLine = Pick<HistoryEvent, 'event' | 'text' | 'place' | 'arrivalTime' | 'shardId'>;

/**
 * A stored event as one line of JSON says it: stable, for scripts. `data` is in the device's own words, and so is what it
 * sent beside the members that have a meaning: `otherMembers`, absent where there are none.
 */
export function eventLine(stored: HistoryEvent): string {
  const { version, late, repaired, page } = stored;
  return lineOf(stored, {
    version: formatVersion(version),
    late: late !== undefined,
    repaired: repaired === true,
    page,
  });
}

/** The same of an event that is not stored. */
export function arrivedLine(arrived: ArrivedLine): string {
  return lineOf(arrived, {});
}

function lineOf({ event, text, place, arrivalTime, shardId }: ArrivedLine, decided: object): string {
  const { v: _, identity, correction, data: __, ...head } = event;
  const ours = JSON.stringify({
    ...head,
    ...(identity ?? {}),
    ...(correction ?? {}),
    arrivalTime: isoText(arrivalTime),
    ...decided,
    shardId,
    sequenceNumber: place.sequenceNumber,
    subSequenceNumber: place.subSequenceNumber,
  });
  const { other } = splitEvent(text, event.type);
  const theirs = other === undefined ? '' : `,"otherMembers":${other}`;
  return `${ours.slice(0, -1)},"data":${jsonAt(text, ['data']) ?? '{}'}${theirs}}`;
}
