import type { EventJson } from '@twinstream/api-contract';
import { splitEvent } from '@twinstream/device-model';
import type { HistoryEvent } from '@twinstream/event-store';
import { isoTime, positionJson } from './device-json.ts';

/** The members of an event that are not the device's. */
type OurMembers = Pick<EventJson, 'position' | 'arrivalTime' | 'late' | 'repaired'>;

/**
 * The JSON text of an event: its own members that have a meaning, as they came, byte for byte, then ours, then what else the
 * device sent, in `otherMembers`, so that no name of the device's passes for ours. Nothing of the device's is parsed or
 * written again: numbers keep their digits, and no depth of nesting is too deep.
 */
export function eventJsonText(stored: HistoryEvent): string {
  const { known, other } = splitEvent(stored.text, stored.event.type);
  const ours: OurMembers = {
    position: positionJson({ shardId: stored.shardId, ...stored.place }),
    arrivalTime: isoTime(stored.arrivalTime),
    ...(stored.late === undefined ? {} : { late: true }),
    ...(stored.repaired === undefined ? {} : { repaired: true }),
  };
  const theirs = other === undefined ? '' : `,"otherMembers":${other}`;
  return `${known.slice(0, -1)},${JSON.stringify(ours).slice(1, -1)}${theirs}}`;
}
