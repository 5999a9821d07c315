import {
  type AttributeVersions,
  type Basis,
  type DeviceAnswer,
  type DeviceJson,
  getDevice,
  NOW,
} from '@twinstream/api-contract';
import type { DeviceId } from '@twinstream/device-model';
import { asOfTime, asOfTimeFault, type DescribedState } from '@twinstream/event-store';
import { retirementOf } from '../annotations/annotation-json.ts';
import { deviceJson, type Notes, readNotes } from '../annotations/noted-state.ts';
import { attributeVersions } from '../attribute-versions.ts';
import { deviceChanges } from '../device-changes.ts';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { deviceTag, isKnown } from '../entity-tag.ts';
import { type FieldSelection, readFieldSelection, selectFields } from '../field-selection.ts';
import { troublesJson } from '../fleet/trouble.ts';
import { isRelative, momentMs } from '../moment.ts';
import { pastState } from '../past-state.ts';
import { badParameter, problemResponse } from '../problem.ts';
import type { QueryApiServices } from '../services.ts';
import { hasPages } from '../stored-pages.ts';

/** A browser may keep the answer, and asks whether it still holds. */
const REVALIDATE = 'private, no-cache';

export const deviceEndpoint = endpoint(
  getDevice,
  async ({ params: { deviceId }, query: { at, basis, diff, fields }, headers, getSignal }, services) => {
    if (basis !== undefined && at === undefined && diff === undefined) {
      return badParameter('basis', 'has a meaning with at or diff only');
    }
    const future = futureFault({ at, diff }, services.clock.now());
    if (future !== undefined) return future;
    const read = (time: string | undefined) => readMoment(services, { deviceId, time, basis, getSignal });
    const moment = await read(at);
    if (moment.device === undefined) return notFound(services, deviceId, at, getSignal());
    const selection = readFieldSelection(fields);
    const processedTime = moment.processedMs === undefined ? null : isoTime(moment.processedMs);
    const { noted } = moment;
    const asked = [
      fields,
      at,
      basis,
      ...(selection?.members.has('processedTime') ? [processedTime] : []),
      ...notesTag(noted),
    ];
    const tag = deviceTag(moment.state, moment.device.liveness, asked.join(' ').trim());
    const tagged = { etag: tag, 'cache-control': REVALIDATE };
    // A relative moment is another each time: its state is not the one that the caller has.
    const isFixed = at === undefined || !isRelative(at);
    if (diff === undefined && isFixed && isKnown(headers['if-none-match'], tag)) {
      return new Response(null, { status: 304, headers: tagged });
    }
    // What is known of then may have arrived later.
    const then = at === undefined || at === NOW ? [] : [moment.timeMs + 1];
    const befores = then.length === 0 || basis === 'event-time' ? [...then, undefined] : then;
    const body = await presentDevice(moment.device, selection, {
      processedTime,
      versions: () => attributeVersions(services.events, moment.state, befores, getSignal()),
      noted,
    });
    if (diff === undefined) return jsonAnswer<DeviceAnswer>(body, tagged);
    const other = await read(diff);
    const [earlier, later] = other.timeMs < moment.timeMs ? [other, moment] : [moment, other];
    return jsonAnswer<DeviceAnswer>({ ...body, changes: deviceChanges(asMoment(earlier), asMoment(later)) });
  },
);

/** What is noted of a device changes without its state. */
function notesTag(noted: Notes | undefined): (string | number)[] {
  const times = Object.values(noted?.annotations ?? {}).map(({ time }) => time);
  return noted === undefined || (noted.notes === 0 && times.length === 0) ? [] : [noted.notes, ...times];
}

/** Refuses moments that have not come: what is stored of them until then is not known. */
function futureFault(moments: Readonly<Record<string, string | undefined>>, nowMs: number) {
  for (const [name, time] of Object.entries(moments)) {
    if (time === undefined) continue;
    const fault = asOfTimeFault(momentMs(time, nowMs), nowMs);
    if (fault !== undefined) return badParameter(name, fault);
  }
  return undefined;
}

interface MomentQuery {
  readonly deviceId: DeviceId;
  readonly time: string | undefined;
  readonly basis: Basis | undefined;
  readonly getSignal: () => AbortSignal;
}

/** A device at a moment, or that nothing was known of it. */
type Moment =
  | {
      readonly timeMs: number;
      readonly state: DescribedState;
      readonly device: DeviceJson;
      /** Whatever had arrived in its shards before then is in it, milliseconds since 1970. */
      readonly processedMs: number | undefined;
      /** Absent in the past. */
      readonly noted: Notes | undefined;
    }
  | { readonly timeMs: number; readonly device: undefined };

async function readMoment(services: QueryApiServices, asked: MomentQuery): Promise<Moment> {
  const { deviceId, time, basis = 'arrival', getSignal } = asked;
  const isNow = time === undefined || time === NOW;
  const nowMs = services.clock.now();
  const timeMs = isNow ? nowMs : momentMs(time, nowMs);
  // Read before the state, which then holds at least as much.
  const processed = await services.processed();
  const latest = isNow ? await services.deviceStates.read(deviceId, { consistent: true }) : undefined;
  const state = isNow
    ? latest
    : await pastState(services.events, deviceId, asOfTime(timeMs, nowMs), basis, getSignal());
  if (state === undefined) return { timeMs, device: undefined };
  const processedMs = processed.of(latest?.marks.keys() ?? []);
  const noted = isNow ? await readNotes(services, state, timeMs, getSignal()) : undefined;
  const device = deviceJson(state, services, timeMs, processedMs, noted?.notes ?? 0);
  return { timeMs, state, processedMs, device, noted };
}

function asMoment({ timeMs, device }: Moment) {
  return { time: isoTime(timeMs), device };
}

/** What an answer holds only where it was asked for. */
interface Extras {
  readonly processedTime: string | null;
  readonly versions: () => Promise<AttributeVersions>;
  readonly noted: Notes | undefined;
}

async function presentDevice(
  device: DeviceJson,
  selection: FieldSelection | undefined,
  { processedTime, versions, noted }: Extras,
): Promise<DeviceAnswer> {
  if (selection === undefined) return device;
  const { members } = selection;
  return {
    ...selectFields(device, selection),
    ...(members.has('troubles') ? { troubles: await troublesOf(device, noted) } : {}),
    ...(members.has('retirement') ? { retirement: retirementOf(noted?.annotations, noted?.notes ?? 0) } : {}),
    ...(members.has('processedTime') ? { processedTime } : {}),
    ...(members.has('attributeVersions') ? { attributeVersions: await versions() } : {}),
  };
}

async function troublesOf(device: DeviceJson, noted: Notes | undefined) {
  const { annotations, notes = 0, gaps } = noted ?? {};
  return troublesJson(device, device.liveness, { annotations, notes, gaps: await gaps?.() });
}

async function notFound(
  services: QueryApiServices,
  deviceId: DeviceId,
  at: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const isStored =
    (at !== undefined && (await services.deviceStates.read(deviceId)) !== undefined) ||
    (await hasPages(services.events, deviceId, signal));
  if (!isStored)
    return problemResponse('DEVICE_NOT_FOUND', { detail: `no events of ${deviceId} are stored` });
  if (at !== undefined) {
    return problemResponse('NO_STATE_AT_TIME', { detail: `nothing was known of ${deviceId} at ${at}` });
  }
  return problemResponse('STATE_MISSING', {
    detail: `${deviceId} has a history, but no state: it is larger than an item, or was deleted`,
  });
}
