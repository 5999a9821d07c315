import {
  type DeviceEvent,
  EVENT_LIMITS,
  encodeEvent,
  isJsonObject,
  type JsonObject,
  readEvent,
} from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import type { Position } from '@twinstream/stream-model';
import { z } from 'zod';
import { isoTime, positionSchema } from '../device-json.ts';
import { endpoint, jsonAnswer, NO_PARAMETERS } from '../endpoint.ts';
import { deviceIdParameter, timeParameter } from '../parameters.ts';
import { problemResponse } from '../problem.ts';
import type { QueryApiServices } from '../services.ts';

/** How long the stream may take, in milliseconds. */
const PUT_TIMEOUT_MS = 5_000;

const correctionId = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'must be 1-128 visible ASCII characters')
  .max(EVENT_LIMITS.correctionIdCharactersMax, 'must be 1-128 visible ASCII characters');
const text = (what: string) =>
  z
    .string(`must be ${what}`)
    .min(1, `must be ${what}`)
    .max(EVENT_LIMITS.correctionTextCharactersMax, `must be ${what}`);
const ordinal = z.int('must be a whole number from 0').min(0, 'must be a whole number from 0');

const bodySchema = z
  .strictObject({
    // Not a record of zod, which drops a member named __proto__.
    data: z.custom<JsonObject>(isJsonObject, 'must be an object').meta({
      type: 'object',
      additionalProperties: true,
      description: 'The corrected attributes. A value replaces the old one whole; null removes it.',
    }),
    reason: text('a reason of 1-1024 characters'),
    actor: text('who corrects, in 1-1024 characters').optional().meta({
      description:
        'Who corrects. Needed where the API does not know its caller; where it does, the caller stands.',
    }),
    corrects: z.strictObject({ session: ordinal, counter: ordinal }).optional().meta({
      description:
        'The event that is corrected. Default: the newest among those that wrote the attributes, when the correction is accepted.',
    }),
    time: timeParameter.optional().meta({ description: 'When it was corrected. Default: now.' }),
  })
  .meta({ id: 'Correction' });

export const correctionsEndpoint = endpoint(
  {
    method: 'post',
    path: '/v1/devices/{deviceId}/corrections',
    operationId: 'correctDevice',
    summary: 'Correct what a device said',
    description:
      'Puts a `corrected` event on the stream, which takes the way of every event: nothing is changed here, and the state shows it once the projector has accepted it. The same `Idempotency-Key` again stores nothing.',
    scope: 'write',
    params: z.strictObject({ deviceId: deviceIdParameter }),
    query: NO_PARAMETERS,
    headers: z.object({
      'idempotency-key': correctionId.optional().meta({
        description: 'Becomes the id of the correction. Without it each request is another correction.',
      }),
    }),
    body: bodySchema,
    answers: {
      202: {
        description: 'The stream has it.',
        schema: z.object({ deviceId: z.string(), correctionId: z.string(), position: positionSchema }),
      },
    },
    problems: ['BAD_BODY', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
  },
  async ({ params: { deviceId }, headers, body, actor: caller, getSignal }, services) => {
    const { actor = caller, data, reason, corrects, time } = body;
    const id = headers['idempotency-key'] ?? services.newId();
    if (actor === undefined) return badBody('actor', 'is missing, and the API does not know its caller');
    // The event is read like any other, so that nothing is put that the projector would send to quarantine.
    const event = readEvent({
      v: 1,
      deviceId,
      type: 'corrected',
      time: time ?? isoTime(services.clock.now()),
      data,
      correctionId: id,
      reason,
      actor: caller ?? actor,
      ...(corrects === undefined ? {} : { corrects }),
    });
    if ('rejected' in event) return badBody('data', `${event.rejected}: ${event.detail}`);
    const bytes = encodeEvent(event);
    if (bytes.length > EVENT_LIMITS.bytesMax) {
      return badBody(
        'data',
        `too-large: the event would have ${bytes.length} bytes; the limit is ${EVENT_LIMITS.bytesMax}`,
      );
    }
    const position = await put(services, event, bytes, getSignal());
    return jsonAnswer({ deviceId, correctionId: id, position }, {}, 202);
  },
);

function badBody(member: string, detail: string): Response {
  const parameter = `body.${member}`;
  return problemResponse('BAD_BODY', { detail: `${parameter}: ${detail}`, faults: [{ parameter, detail }] });
}

async function put(
  { stream }: QueryApiServices,
  { deviceId }: DeviceEvent,
  data: Uint8Array,
  signal: AbortSignal,
): Promise<Position> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(PUT_TIMEOUT_MS)]);
  const [answer] = await stream.putRecords([{ partitionKey: deviceId, data }], deadline);
  if (answer?.status === 'stored') {
    return { shardId: answer.shardId, sequenceNumber: answer.sequenceNumber, subSequenceNumber: 0 };
  }
  throw new CodedError('CORRECTION_NOT_TAKEN', answer?.message ?? 'the stream gave no answer', {
    retryable: true,
  });
}
