import { type CorrectionTaken, correctDevice } from '@twinstream/api-contract';
import {
  correctionAhead,
  type DeviceEvent,
  EVENT_LIMITS,
  encodeEvent,
  newDevice,
  readEvent,
} from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import type { Position } from '@twinstream/stream-model';
import { isoTime, positionJson } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { problemResponse } from '../problem.ts';
import type { CorrectionServices } from '../services.ts';

/** How long the stream may take, in milliseconds. */
const PUT_TIMEOUT_MS = 5_000;

export const correctionsEndpoint = endpoint(
  correctDevice,
  async ({ params: { deviceId }, headers, body, actor: caller, getSignal }, services: CorrectionServices) => {
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
    if (corrects !== undefined) {
      // A correction that names no target needs no read: it takes one that is there.
      const state = await services.deviceStates.read(deviceId, { consistent: true, signal: getSignal() });
      const ahead = correctionAhead(state ?? newDevice(deviceId), event);
      if (ahead !== undefined) return problemResponse('CORRECTION_AHEAD', { detail: ahead.detail });
    }
    const position = await put(services, event, bytes, getSignal());
    return jsonAnswer<CorrectionTaken>(
      { deviceId, correctionId: id, position: positionJson(position) },
      {},
      202,
    );
  },
);

function badBody(member: string, detail: string): Response {
  const parameter = `body.${member}`;
  return problemResponse('BAD_BODY', { detail: `${parameter}: ${detail}`, faults: [{ parameter, detail }] });
}

async function put(
  { stream }: CorrectionServices,
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
