import { z } from 'zod';
import { acknowledgementSchema, deviceSchema, retirementSchema } from './device.ts';
import { idempotencyKey, reasonOrActor } from './device-operations.ts';
import { NO_PARAMETERS, operation } from './operation.ts';
import { deviceIdParameter } from './parameters.ts';
import { TROUBLES } from './values.ts';

const actor = reasonOrActor('who acts, in 1-1024 characters').optional().meta({
  description: 'Who acts. Required if the API does not authenticate callers; otherwise the caller is used.',
});
const KEYED = z.object({
  'idempotency-key': idempotencyKey.optional().meta({
    description:
      'Repeating the last request of its kind with its key changes nothing, also after the device has come back, and answers how it stands; with another body it is refused.',
  }),
});
const PROBLEMS = [
  'BAD_BODY',
  'DEVICE_NOT_FOUND',
  'IDEMPOTENCY_KEY_REUSED',
  'NO_OPERATIONS_TABLE',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
] as const;

const acknowledgedSchema = z.object({
  deviceId: z.string(),
  trouble: z.enum(TROUBLES),
  acknowledgement: acknowledgementSchema.nullable().meta({
    description: 'Null where it was withdrawn, or no longer holds.',
  }),
});
export type Acknowledged = z.infer<typeof acknowledgedSchema>;

export const acknowledgeTrouble = operation({
  method: 'post',
  path: '/v1/devices/{deviceId}/acknowledgements',
  operationId: 'acknowledgeTrouble',
  summary: 'Acknowledge a trouble of a device, or withdraw that',
  description:
    'Records who knows of the trouble, and why it may stand. It ends by itself: that of `silent` when the device is heard again, that of `gaps` when another gap opens. It changes no state: it is kept beside the stream, in the table of operators.',
  scope: 'write',
  params: z.strictObject({ deviceId: deviceIdParameter }),
  query: NO_PARAMETERS,
  headers: KEYED,
  body: z
    .strictObject({
      trouble: z.enum(TROUBLES, `must be one of ${TROUBLES.join(', ')}`),
      note: reasonOrActor('a note of 1-1024 characters'),
      actor,
      withdraw: z.boolean('must be true or false').optional().meta({
        description: 'True: takes the acknowledgement back.',
      }),
    })
    .meta({ id: 'AcknowledgementRequest' }),
  answers: { 200: { description: 'It is kept.', schema: acknowledgedSchema } },
  problems: [...PROBLEMS, 'NO_SUCH_TROUBLE'],
});

const retiredSchema = z.object({
  deviceId: z.string(),
  retired: z.boolean().meta({ description: 'Whether the device is retired now.' }),
  preview: z.boolean().meta({ description: 'True where nothing was changed.' }),
  retirement: retirementSchema.nullable().meta({
    description: 'The retirement that holds, or would hold; null where the device is not retired.',
  }),
  device: deviceSchema.pick({ status: true, counts: true, lastArrivalTime: true }),
});
export type Retired = z.infer<typeof retiredSchema>;

export const retireDevice = operation({
  method: 'post',
  path: '/v1/devices/{deviceId}/retirement',
  operationId: 'retireDevice',
  summary: 'Retire a device, or bring it back',
  description:
    'A retired device is in no list and no count unless `retired` asks for it. Its state and history stay as they are. It comes back by itself with its next stored event, a correction among them; a duplicate stores nothing. It is kept beside the stream, in the table of operators.',
  scope: 'write',
  params: z.strictObject({ deviceId: deviceIdParameter }),
  query: NO_PARAMETERS,
  headers: KEYED,
  body: z
    .strictObject({
      reason: reasonOrActor('a reason of 1-1024 characters'),
      actor,
      withdraw: z.boolean('must be true or false').optional().meta({ description: 'True: brings it back.' }),
      preview: z.boolean('must be true or false').optional().meta({
        description: 'True: answers what the request would do, and changes nothing.',
      }),
    })
    .meta({ id: 'RetirementRequest' }),
  answers: { 200: { description: 'Whether the device is retired.', schema: retiredSchema } },
  problems: PROBLEMS,
});
