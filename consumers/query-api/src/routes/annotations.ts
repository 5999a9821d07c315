import {
  type Acknowledged,
  acknowledgeTrouble,
  type Retired,
  retireDevice,
  type Trouble,
} from '@twinstream/api-contract';
import type { DeviceId } from '@twinstream/device-model';
import type { DescribedState } from '@twinstream/event-store';
import {
  type AnnotatedDevice,
  type Annotation,
  type AnnotationName,
  type AnnotationStore,
  annotationBits,
  type DeviceAnnotations,
  NOTE,
  retirement,
  withAcknowledgement,
} from '@twinstream/table-generation/annotations';
import { acknowledgementOf, retirementOf } from '../annotations/annotation-json.ts';
import { deviceJson, readNotes } from '../annotations/noted-state.ts';
import { timelessDeviceJson } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { byName } from '../entity-tag.ts';
import { hasTrouble, troubleIndexOf } from '../fleet/trouble.ts';
import { badBody, problemResponse } from '../problem.ts';
import type { AnnotationServices } from '../services.ts';

export const acknowledgementEndpoint = endpoint(
  acknowledgeTrouble,
  async ({ params: { deviceId }, headers, body, actor: caller, getSignal }, services: AnnotationServices) => {
    const { trouble, note, withdraw = false } = body;
    const by = caller ?? body.actor;
    if (by === undefined) return actorMissing();
    const found = await find(services, deviceId, getSignal());
    if ('answer' in found) return found.answer;
    const { store, state, annotations } = found;
    const keyed = keyedRequest(annotations[trouble], headers['idempotency-key'], [note, by, withdraw]);
    if (keyed === 'reused') return keyReused(deviceId);
    const signal = getSignal();
    if (keyed === 'repeated') {
      await store.raise(signal);
      return acknowledged(deviceId, trouble, annotations, state);
    }
    if (!withdraw && !(await hasTroubleNow(services, state, trouble, signal))) {
      return problemResponse('NO_SUCH_TROUBLE', {
        detail: `${deviceId} is not in trouble by ${trouble} now`,
      });
    }
    const said = { by, time: services.clock.now(), note, ...keyed, ...(withdraw ? WITHDRAWN : {}) };
    const after = withAcknowledgement(annotations, trouble, annotated(state), said);
    await write(store, deviceId, trouble, after, signal);
    services.logger.info({ deviceId, trouble, by, withdraw }, 'trouble acknowledged');
    return acknowledged(deviceId, trouble, after, state);
  },
);

export const retirementEndpoint = endpoint(
  retireDevice,
  async ({ params: { deviceId }, headers, body, actor: caller, getSignal }, services: AnnotationServices) => {
    const { reason, withdraw = false, preview = false } = body;
    const by = caller ?? body.actor;
    if (by === undefined) return actorMissing();
    const signal = getSignal();
    const found = await find(services, deviceId, signal);
    if ('answer' in found) return found.answer;
    const { store, state, annotations } = found;
    const content = [reason, by, withdraw];
    const keyed = keyedRequest(annotations.retirement, headers['idempotency-key'], content);
    if (keyed === 'reused') return keyReused(deviceId);
    const answer = (after: DeviceAnnotations) => retired(state, after, preview);
    // A device that is retired already keeps the reason for which it was.
    const isAlready = (notesOf(state, annotations) & NOTE.retired) !== 0;
    if (keyed === 'repeated' || isAlready !== withdraw) {
      // The first attempt may have failed when it was half written.
      if (!preview) await store.raise(signal);
      return answer(annotations);
    }
    const said = { by, time: services.clock.now(), reason, ...keyed, ...(withdraw ? WITHDRAWN : {}) };
    const after = { ...annotations, retirement: retirement(annotated(state), said) };
    if (preview) return answer(after);
    await write(store, deviceId, 'retirement', after, signal);
    services.logger.info({ deviceId, by, withdraw }, 'device retired');
    return answer(after);
  },
);

const WITHDRAWN = { withdrawn: true } as const;

function actorMissing(): Response {
  return badBody('actor', 'is missing, and the API does not know its caller');
}

function keyReused(deviceId: DeviceId): Response {
  return problemResponse('IDEMPOTENCY_KEY_REUSED', {
    detail: `the key is that of another request of ${deviceId}`,
  });
}

interface Found {
  readonly store: AnnotationStore;
  readonly state: DescribedState;
  readonly annotations: DeviceAnnotations;
}

async function find(
  { annotations: store, deviceStates }: AnnotationServices,
  deviceId: DeviceId,
  signal: AbortSignal,
): Promise<Found | { readonly answer: Response }> {
  if (store === undefined) {
    return {
      answer: problemResponse('NO_OPERATIONS_TABLE', { detail: 'set TWINSTREAM_OPERATIONS_TABLE' }),
    };
  }
  const state = await deviceStates.read(deviceId, { consistent: true, signal });
  if (state === undefined) {
    return { answer: problemResponse('DEVICE_NOT_FOUND', { detail: `there is no state of ${deviceId}` }) };
  }
  return { store, state, annotations: await store.read(deviceId, signal) };
}

/** What a request is kept with, so that its repetition is known; or that it is one, or takes the key of another. */
function keyedRequest(
  before: Annotation | undefined,
  key: string | undefined,
  what: readonly unknown[],
): 'repeated' | 'reused' | { readonly request?: { readonly key: string; readonly content: string } } {
  if (key === undefined) return {};
  const content = JSON.stringify(what, byName);
  if (before?.request?.key !== key) return { request: { key, content } };
  return before.request.content === content ? 'repeated' : 'reused';
}

/** By the clock alone: a device may be acknowledged while the pipeline lags, too. */
async function hasTroubleNow(
  services: AnnotationServices,
  state: DescribedState,
  trouble: Trouble,
  signal: AbortSignal,
): Promise<boolean> {
  const nowMs = services.clock.now();
  const { notes } = await readNotes(services, state, nowMs, signal);
  const device = deviceJson(state, services, nowMs, undefined, notes);
  return hasTrouble(troubleIndexOf(device, device.liveness, notes), trouble);
}

function notesOf(state: DescribedState, annotations: DeviceAnnotations): number {
  return annotationBits(annotations, annotated(state));
}

function annotated({ lastArrivalTime, counts }: DescribedState): AnnotatedDevice {
  return { lastArrivalTime, counts };
}

async function write(
  store: AnnotationStore,
  deviceId: DeviceId,
  name: AnnotationName,
  annotations: DeviceAnnotations,
  signal: AbortSignal,
): Promise<void> {
  const annotation = annotations[name];
  if (annotation !== undefined) await store.write(deviceId, name, annotation, signal);
}

function acknowledged(
  deviceId: DeviceId,
  trouble: Trouble,
  annotations: DeviceAnnotations,
  state: DescribedState,
): Response {
  const acknowledgement = acknowledgementOf(annotations, notesOf(state, annotations), trouble);
  return jsonAnswer<Acknowledged>({ deviceId, trouble, acknowledgement });
}

function retired(state: DescribedState, annotations: DeviceAnnotations, preview: boolean): Response {
  const notes = notesOf(state, annotations);
  const { status, counts, lastArrivalTime } = timelessDeviceJson(state);
  return jsonAnswer<Retired>({
    deviceId: state.deviceId,
    retired: (notes & NOTE.retired) !== 0,
    preview,
    retirement: retirementOf(annotations, notes),
    device: { status, counts, lastArrivalTime },
  });
}
