import type { HistoryEvent } from '@twinstream/event-store';
import { z } from 'zod';
import { isoTime, jsonValueSchema, positionJson, positionSchema } from './device-json.ts';

export const eventSchema = z
  .looseObject({
    v: z.int(),
    deviceId: z.string(),
    type: z.string().meta({
      description: '`reported`, `connected`, `disconnected`, `corrected`, or a type of the device’s own.',
    }),
    time: z.string().meta({ description: 'The device’s clock, as it wrote it.' }),
    session: z.int().optional(),
    counter: z.int().optional(),
    data: z.record(z.string(), jsonValueSchema).optional(),
    position: positionSchema,
    arrivalTime: z.iso.datetime().meta({ description: 'Arrival in the stream, UTC.' }),
    late: z
      .literal(true)
      .optional()
      .meta({ description: 'It came after newer events, and changed only what it is newest for.' }),
    repaired: z
      .literal(true)
      .optional()
      .meta({ description: 'A repair appended it; it was never accepted live.' }),
  })
  .meta({ id: 'Event', description: 'One stored event as it was sent, with its place and arrival.' });

/**
 * The JSON text of an event: its own members as they came, byte for byte, then ours. Nothing of the device's is parsed or
 * written again: numbers keep their digits, and no depth of nesting is too deep.
 */
export function eventJsonText(stored: HistoryEvent): string {
  const ours = JSON.stringify({
    position: positionJson({ shardId: stored.shardId, ...stored.place }),
    arrivalTime: isoTime(stored.arrivalTime),
    ...(stored.late === undefined ? {} : { late: true }),
    ...(stored.repaired === undefined ? {} : { repaired: true }),
  });
  const { text } = stored;
  if (!text.startsWith('{') || !text.endsWith('}'))
    throw new TypeError('a stored event is not a JSON object');
  return `${text.slice(0, -1)},${ours.slice(1)}`;
}
