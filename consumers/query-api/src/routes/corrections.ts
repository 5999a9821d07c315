import { type CorrectionTaken, correctDevice, LOOK_BACK_EVENTS } from '@twinstream/api-contract';
import {
  correctionAhead,
  type DeviceEvent,
  type DeviceState,
  EVENT_LIMITS,
  encodeEvent,
  lookUp,
  newDevice,
  readEvent,
} from '@twinstream/device-model';
import { completeReceipts, readHistory } from '@twinstream/event-store';
import { CodedError } from '@twinstream/runtime';
import type { Position } from '@twinstream/stream-model';
import { isoTime, positionJson } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { byName } from '../entity-tag.ts';
import type { KeyedRequest } from '../idempotency-keys.ts';
import { badBody, problemResponse } from '../problem.ts';
import type { CorrectionServices } from '../services.ts';
import { hasPages } from '../stored-pages.ts';

/** How long the stream may take, in milliseconds. */
const PUT_TIMEOUT_MS = 5_000;

export const correctionsEndpoint = endpoint(
  correctDevice,
  async ({ params: { deviceId }, headers, body, actor: caller, getSignal }, services: CorrectionServices) => {
    const { actor = caller, data, reason, corrects, time, newDevice: mayBeNew = false } = body;
    const key = headers['idempotency-key'];
    const id = key ?? services.newId();
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
    const signal = getSignal();
    const state = await services.deviceStates.read(deviceId, { consistent: true, signal });
    const content = contentOf(event, time !== undefined);
    const earlier =
      key === undefined ? undefined : await findEarlier(services, state, event, content, signal);
    if (earlier !== undefined && earlier.content !== content) {
      return problemResponse('IDEMPOTENCY_KEY_REUSED', {
        detail: `${key} is the key of another correction of ${deviceId}`,
      });
    }
    if (earlier?.position !== undefined) return taken(event, id, earlier.position);
    if (state === undefined && !mayBeNew && !(await hasPages(services.events, deviceId, signal))) {
      return problemResponse('DEVICE_NOT_FOUND', {
        detail: `no events of ${deviceId} are stored; send "newDevice": true to begin it with this correction`,
      });
    }
    const fault = await targetFault(services, state ?? newDevice(deviceId), event, signal);
    if (fault !== undefined) return fault;
    if (key !== undefined) services.correctionKeys.note(deviceId, key, { content });
    const position = await put(services, event, bytes, signal);
    if (key !== undefined) services.correctionKeys.note(deviceId, key, { content, position });
    return taken(event, id, position);
  },
);

function taken({ deviceId }: DeviceEvent, correctionId: string, position: Position): Response {
  const body = { deviceId, correctionId, position: positionJson(position) };
  return jsonAnswer<CorrectionTaken>(body, {}, 202);
}

/** Text that is equal for equal corrections. The time is left out where the caller did not give one. */
function contentOf({ data, time, correction }: DeviceEvent, hasTime: boolean): string {
  return JSON.stringify([data, correction, hasTime ? time : null], byName);
}

/** What was put under the same key: as this process remembers it, or as it is stored. */
async function findEarlier(
  { correctionKeys, events }: CorrectionServices,
  state: DeviceState | undefined,
  { deviceId, correction }: DeviceEvent,
  content: string,
  signal: AbortSignal,
): Promise<KeyedRequest | undefined> {
  const key = correction?.correctionId ?? '';
  const remembered = correctionKeys.find(deviceId, key);
  if (remembered !== undefined || state === undefined) return remembered;
  const { corrections, correctionsDropped } = state.receipts;
  if (correctionsDropped === 0 && !corrections.some(({ correctionId }) => correctionId === key))
    return undefined;
  const answer = await readHistory(events, {
    deviceId,
    order: 'descending',
    limit: LOOK_BACK_EVENTS,
    signal,
  });
  const stored = answer.events.find(({ event }) => event.correction?.correctionId === key);
  if (stored === undefined) return undefined;
  const hasTime = contentOf(stored.event, false) !== content;
  return {
    content: contentOf(stored.event, hasTime),
    position: { shardId: stored.shardId, ...stored.place },
  };
}

/** Why the target of a correction cannot be corrected; undefined where it can, or where none is named. */
async function targetFault(
  { events }: CorrectionServices,
  state: DeviceState,
  event: DeviceEvent,
  signal: AbortSignal,
): Promise<Response | undefined> {
  const target = event.correction?.corrects;
  if (target === undefined) return undefined;
  const ahead = correctionAhead(state, event);
  if (ahead !== undefined) return problemResponse('CORRECTION_AHEAD', { detail: ahead.detail });
  const isWriter = Object.keys(event.data).some((name) => {
    const version = state.attributes.get(name)?.version;
    return version?.session === target.session && version.counter === target.counter;
  });
  if (isWriter) return undefined;
  const known = lookUp(state.receipts, target);
  const receipts = known === 'unknown' ? await completeReceipts(events, state, signal) : state.receipts;
  if (lookUp(receipts, target) === 'received') return undefined;
  return problemResponse('CORRECTED_EVENT_NOT_STORED', {
    detail: `no event ${target.session}:${target.counter} of ${event.deviceId} is stored`,
  });
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
