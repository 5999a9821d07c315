import { EVENT_LIMITS, isJsonObject, type JsonObject } from '@twinstream/device-model';
import { z } from 'zod';
import { deviceAnswerSchema, deviceListSchema, positionSchema } from './device.ts';
import { eventListSchema } from './event.ts';
import { ATTRIBUTE_PREFIX, fieldsParameter } from './field-selection.ts';
import { FILTER_PARAMETERS } from './fleet.ts';
import { ATTRIBUTE_VALUE } from './json-value.ts';
import { CSV, NDJSON, NO_PARAMETERS, operation, TAG_HEADERS, UNCHANGED } from './operation.ts';
import {
  choiceParameter,
  cursorParameter,
  deviceIdParameter,
  IF_NONE_MATCH,
  limitParameter,
  momentParameter,
  NOW,
  orderParameter,
  timeParameter,
} from './parameters.ts';
import { BASES, PAST_DEVICES_MAX, SORT_NAMES, TEXT_CHARACTERS_MAX } from './values.ts';

const NEXT_CURSOR = {
  'Next-Cursor': 'Where the answer is not JSON: the cursor of the next page; absent on the last.',
};

export const listDevices = operation({
  method: 'get',
  path: '/v1/devices',
  operationId: 'listDevices',
  summary: 'The fleet',
  description:
    'Read from a view of the whole fleet that is refreshed at a bounded rate; `asOf` says how fresh it is. A single device is always read from its table. Pages that follow by `cursor` list each device once, in the order and for the filter of the first page’s moment, with its present state; that order is kept for five minutes after its last use, by the process that answered. A list by `deviceId` needs no kept order: a device never moves in it, and its cursors do not expire. As CSV, a page has a column for each attribute on it; where `fields` names the attributes, all pages have the same columns. Cells hold the values as they are: a spreadsheet program may take a text that begins with `=`, `+`, `-` or `@` for a formula, so import such columns as text.',
  scope: 'read',
  params: NO_PARAMETERS,
  query: z.strictObject({
    ...FILTER_PARAMETERS,
    sort: z
      .union(
        [
          z.enum(SORT_NAMES),
          z.templateLiteral([ATTRIBUTE_PREFIX, z.string().min(1).max(TEXT_CHARACTERS_MAX)]),
        ],
        `must be one of ${SORT_NAMES.join(', ')}, or ${ATTRIBUTE_PREFIX}<name>`,
      )
      .default('deviceId')
      .meta({
        description:
          'Sort key of the list, or attributes.<name>: numbers come before texts. Rows without a value come last.',
      }),
    order: orderParameter('Rising or falling.', true),
    fields: fieldsParameter(['troubles', 'retirement', 'processedTime']),
    limit: limitParameter,
    cursor: cursorParameter,
    at: momentParameter.optional().meta({
      description: `The fleet as it was at this moment, read from the histories of devices: up to ${PAST_DEVICES_MAX} of them in one request, in the order of their ids, those included that the filter leaves out. A page may be empty, and the next one not. Only devices that are known now are looked at; \`acknowledged\` and \`retired\` do not apply. \`past\` says what it took.`,
    }),
    basis: choiceParameter(BASES).optional().meta({
      description: 'As of one device. With `at` only.',
    }),
  }),
  headers: IF_NONE_MATCH,
  answers: {
    ...UNCHANGED,
    200: {
      description:
        'A page of the fleet, perhaps with fewer devices than the limit: it ends before 2 MiB, too. Without `cursor` it is the last.',
      schema: deviceListSchema,
      otherMediaTypes: [NDJSON, CSV],
      headers: { ...NEXT_CURSOR, ...TAG_HEADERS },
    },
  },
  problems: ['BAD_CURSOR', 'CURSOR_EXPIRED'],
});

export const getDevice = operation({
  method: 'get',
  path: '/v1/devices/{deviceId}',
  operationId: 'getDevice',
  summary: 'One device, now or as it was',
  description:
    'Always read from the table, not from the view that lists use. The entity tag is of the content: it changes with every accepted event, with the liveness, and with a repair.',
  scope: 'read',
  params: z.strictObject({ deviceId: deviceIdParameter }),
  query: z.strictObject({
    at: momentParameter.optional().meta({
      description: 'The state as it was at this moment, which must not lie in the future. Default: now.',
    }),
    basis: choiceParameter(BASES).optional().meta({
      description:
        '`arrival` (default), as of arrival: what was stored by then. `event-time`, as of event time: what was true then by the clock of the device, whenever it arrived. With `at` or `diff` only.',
    }),
    diff: momentParameter.optional().meta({
      description: `Adds \`changes\`: what differs between the state answered and that of this moment, or \`${NOW}\`.`,
    }),
    fields: fieldsParameter(['troubles', 'retirement', 'processedTime', 'attributeVersions']),
  }),
  headers: IF_NONE_MATCH,
  answers: {
    200: {
      description: 'The device; with `fields`, those members of it.',
      schema: deviceAnswerSchema,
      headers: { ETag: 'Tag of this answer; absent with `diff`.' },
    },
    304: { description: 'The caller has the current representation.', headers: { ETag: 'Entity tag.' } },
  },
  problems: ['DEVICE_NOT_FOUND', 'STATE_MISSING', 'NO_STATE_AT_TIME'],
});

export const listDeviceEvents = operation({
  method: 'get',
  path: '/v1/devices/{deviceId}/events',
  operationId: 'listDeviceEvents',
  summary: 'History of one device',
  description:
    'Stored events in chain order: the order in which they were accepted. `from` and `to` go by arrival.',
  scope: 'read',
  params: z.strictObject({ deviceId: deviceIdParameter }),
  query: z.strictObject({
    from: momentParameter.optional().meta({ description: 'Events that arrived then or later.' }),
    to: momentParameter.optional().meta({ description: 'Events that arrived before then.' }),
    limit: limitParameter,
    cursor: cursorParameter,
    order: orderParameter('`asc`: accepted first comes first.', true),
  }),
  answers: {
    200: {
      description:
        'A stretch of history, perhaps with fewer events than the limit, or none: it ends before 2 MiB of events, too. Without `cursor` it is the last.',
      schema: eventListSchema,
      otherMediaTypes: [NDJSON],
      headers: NEXT_CURSOR,
    },
  },
  problems: ['DEVICE_NOT_FOUND', 'BAD_CURSOR'],
});

export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'must be 1-128 visible ASCII characters')
  .max(EVENT_LIMITS.correctionIdCharactersMax, 'must be 1-128 visible ASCII characters');
/** Text that is recorded with a change: why, or by whom. */
export const reasonOrActor = (what: string) =>
  z
    .string(`must be ${what}`)
    .min(1, `must be ${what}`)
    .max(EVENT_LIMITS.correctionTextCharactersMax, `must be ${what}`);
const ordinal = z.int('must be a whole number from 0').min(0, 'must be a whole number from 0');

/** What is checked of attributes, as far as JSON Schema can state it. */
const attributesSchema = {
  propertyNames: { minLength: 1 },
  additionalProperties: { $ref: `#/$defs/${ATTRIBUTE_VALUE}` },
} as const;

const correctionSchema = z
  .strictObject({
    // Not a record of zod, which drops a member named __proto__.
    data: z.custom<JsonObject>(isJsonObject, 'must be an object').meta({
      type: 'object',
      ...attributesSchema,
      description: 'The corrected attributes. A value replaces the old one whole; null removes it.',
    }),
    reason: reasonOrActor('a reason of 1-1024 characters'),
    actor: reasonOrActor('who corrects, in 1-1024 characters').optional().meta({
      description:
        'Who corrects. Required if the API does not authenticate callers; otherwise the caller is used.',
    }),
    corrects: z.strictObject({ session: ordinal, counter: ordinal }).optional().meta({
      description:
        'The event that is corrected, which must be stored, unless an attribute of `data` already has its version. Default: the newest among those that wrote the attributes, when the correction is accepted.',
    }),
    time: timeParameter.optional().meta({ description: 'When it was corrected. Default: now.' }),
    newDevice: z.boolean('must be true or false').optional().meta({
      description:
        'True: the device may be unknown, and begins with this correction. Default: an unknown device is refused.',
    }),
  })
  .meta({ id: 'Correction' });

const correctionTakenSchema = z.object({
  deviceId: z.string(),
  correctionId: z.string(),
  position: positionSchema,
});
export type CorrectionTaken = z.infer<typeof correctionTakenSchema>;

export const correctDevice = operation({
  method: 'post',
  path: '/v1/devices/{deviceId}/corrections',
  operationId: 'correctDevice',
  summary: 'Correct attributes of a device',
  description:
    'Puts a `corrected` event on the stream, which is processed like any other event: this request changes no state, and the state shows the correction once the projector has accepted it. Repeating the `Idempotency-Key` with the same content stores nothing and answers as before; with other content it is refused.',
  scope: 'write',
  params: z.strictObject({ deviceId: deviceIdParameter }),
  query: NO_PARAMETERS,
  headers: z.object({
    'idempotency-key': idempotencyKey.optional().meta({
      description: 'Becomes the id of the correction. Without it each request is another correction.',
    }),
  }),
  body: correctionSchema,
  answers: {
    202: {
      description: 'The stream has accepted the correction.',
      schema: correctionTakenSchema,
    },
  },
  problems: [
    'BAD_BODY',
    'DEVICE_NOT_FOUND',
    'CORRECTION_AHEAD',
    'CORRECTED_EVENT_NOT_STORED',
    'IDEMPOTENCY_KEY_REUSED',
    'BODY_TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
  ],
});
