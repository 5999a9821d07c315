import { z } from 'zod';
import { positionSchema } from './device.ts';
import { jsonValueSchema } from './json-value.ts';

export const eventSchema = z
  .object({
    v: z.int(),
    deviceId: z.string(),
    type: z.string().meta({
      description: '`reported`, `connected`, `disconnected`, `corrected`, or a type of the device’s own.',
    }),
    time: z.string().meta({ description: 'Device time, as the device wrote it.' }),
    session: z.int().optional(),
    counter: z.int().optional(),
    data: z.record(z.string(), jsonValueSchema).optional(),
    correctionId: z.string().optional().meta({ description: 'Set in a correction, like the next three.' }),
    reason: z.string().optional(),
    actor: z.string().optional(),
    corrects: z.looseObject({ session: z.int(), counter: z.int() }).optional(),
    position: positionSchema,
    arrivalTime: z.iso.datetime().meta({ description: 'Arrival in the stream, UTC.' }),
    late: z.literal(true).optional().meta({
      description: 'It arrived after newer events, and changed only attributes that nothing newer wrote.',
    }),
    repaired: z
      .literal(true)
      .optional()
      .meta({ description: 'A repair appended it; it was never accepted live.' }),
    otherMembers: z.record(z.string(), jsonValueSchema).optional().meta({
      description:
        'Members that the device sent beside those above and that have no meaning here, whatever their names.',
    }),
  })
  .meta({
    id: 'Event',
    description:
      'One stored event as it was sent, with its place and arrival. `position`, `arrivalTime`, `late` and `repaired` are ours; a device’s members of such names are in `otherMembers`.',
  });
export type EventJson = z.infer<typeof eventSchema>;

export const eventListSchema = z.object({ events: z.array(eventSchema), cursor: z.string().optional() });
export type EventList = z.infer<typeof eventListSchema>;
