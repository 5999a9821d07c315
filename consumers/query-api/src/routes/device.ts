import { type DeviceId, type DeviceState, eventTimeMs } from '@twinstream/device-model';
import { asOfTime, asOfTimeFault } from '@twinstream/event-store';
import { z } from 'zod';
import { attributeVersions, attributeVersionsSchema } from '../attribute-versions.ts';
import { deviceChanges, deviceChangesSchema } from '../device-changes.ts';
import { type DeviceJson, deviceJson, deviceSchema, isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { deviceTag, isKnown } from '../entity-tag.ts';
import {
  type FieldSelection,
  fieldsParameter,
  readFieldSelection,
  selectFields,
} from '../field-selection.ts';
import { troublesOf, troublesSchema } from '../fleet/trouble.ts';
import { deviceIdParameter, headerText, storedTimeParameter } from '../parameters.ts';
import { BASES, type Basis, pastState } from '../past-state.ts';
import { badParameter, problemResponse } from '../problem.ts';
import type { QueryApiServices } from '../services.ts';
import { hasPages } from '../stored-pages.ts';

/** Members that a device has only where `fields` or `diff` ask for them. */
const EXTRAS = {
  troubles: troublesSchema.optional(),
  attributeVersions: attributeVersionsSchema.optional(),
  changes: deviceChangesSchema.optional(),
};
const NOW = 'now';
/** A browser may keep the answer, and asks whether it still holds. */
const REVALIDATE = 'private, no-cache';

const query = z.strictObject({
  at: storedTimeParameter.optional().meta({
    description: 'The state as it was at this moment, which must not lie in the future. Default: now.',
  }),
  basis: z
    .enum(BASES, `must be one of ${BASES.join(', ')}`)
    .optional()
    .meta({
      description:
        '`accepted` (default): what was known then, all that had arrived. `known`: what was true then by the clock of the device, whenever it arrived. With `at` or `diff` only.',
    }),
  diff: z
    .union([z.literal(NOW), storedTimeParameter], `must be ${NOW}, or ISO 8601 with an offset`)
    .optional()
    .meta({
      description: `Adds \`changes\`: what differs between the state answered and that of this moment, or \`${NOW}\`.`,
    }),
  fields: fieldsParameter(['troubles', 'attributeVersions']),
});

export const deviceEndpoint = endpoint(
  {
    method: 'get',
    path: '/v1/devices/{deviceId}',
    operationId: 'getDevice',
    summary: 'One device, now or as it was',
    description:
      'Always read as it stands, not from the view that lists use. The entity tag is of the content: it changes with every accepted event, with the liveness, and with a repair.',
    scope: 'read',
    params: z.strictObject({ deviceId: deviceIdParameter }),
    query,
    headers: z.object({ 'if-none-match': headerText('Tags of answers that the caller has.') }),
    answers: {
      200: {
        description: 'The device; with `fields`, those members of it.',
        schema: z.union([
          deviceSchema.extend(EXTRAS),
          deviceSchema.partial().required({ deviceId: true }).extend(EXTRAS),
        ]),
        headers: { ETag: 'Tag of this answer; absent with `diff`.' },
      },
      304: { description: 'The caller has this answer.', headers: { ETag: 'Tag of the answer.' } },
    },
    problems: ['DEVICE_NOT_FOUND', 'STATE_MISSING', 'NO_STATE_AT_TIME'],
  },
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
    const tag = deviceTag(moment.state, moment.device.liveness, [fields, at, basis].join(' ').trim());
    const tagged = { etag: tag, 'cache-control': REVALIDATE };
    if (diff === undefined && isKnown(headers['if-none-match'], tag)) {
      return new Response(null, { status: 304, headers: tagged });
    }
    // What is known of then may have arrived later.
    const then = at === undefined ? [] : [moment.timeMs + 1];
    const befores = at === undefined || basis === 'known' ? [...then, undefined] : then;
    const body = await presentDevice(moment.device, selection, () =>
      attributeVersions(services.events, moment.state, befores, getSignal()),
    );
    if (diff === undefined) return jsonAnswer(body, tagged);
    const other = await read(diff);
    const [earlier, later] = other.timeMs < moment.timeMs ? [other, moment] : [moment, other];
    return jsonAnswer({ ...body, changes: deviceChanges(asMoment(earlier), asMoment(later)) });
  },
);

/** Refuses moments that have not come: what is stored of them until then is not known. */
function futureFault(moments: Readonly<Record<string, string | undefined>>, nowMs: number) {
  for (const [name, time] of Object.entries(moments)) {
    if (time === undefined || time === NOW) continue;
    const fault = asOfTimeFault(eventTimeMs(time), nowMs);
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
  | { readonly timeMs: number; readonly state: DeviceState; readonly device: DeviceJson }
  | { readonly timeMs: number; readonly device: undefined };

async function readMoment(services: QueryApiServices, asked: MomentQuery): Promise<Moment> {
  const { deviceId, time, basis = 'accepted', getSignal } = asked;
  const isNow = time === undefined || time === NOW;
  const nowMs = services.clock.now();
  const timeMs = isNow ? nowMs : eventTimeMs(time);
  const state = isNow
    ? await services.deviceStates.read(deviceId, { consistent: true })
    : await pastState(services.events, deviceId, asOfTime(timeMs, nowMs), basis, getSignal());
  if (state === undefined) return { timeMs, device: undefined };
  return { timeMs, state, device: deviceJson(state, services.liveness, timeMs) };
}

function asMoment({ timeMs, device }: Moment) {
  return { time: isoTime(timeMs), device };
}

async function presentDevice(
  device: DeviceJson,
  selection: FieldSelection | undefined,
  versions: () => Promise<unknown>,
): Promise<Readonly<Record<string, unknown>>> {
  if (selection === undefined) return device;
  const { members } = selection;
  const selected = selectFields(device, selection);
  if (members.has('troubles')) selected.troubles = troublesOf({ device }, device.liveness);
  if (members.has('attributeVersions')) selected.attributeVersions = await versions();
  return selected;
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
  if (!isStored) return problemResponse('DEVICE_NOT_FOUND', { detail: `nothing is stored of ${deviceId}` });
  if (at !== undefined) {
    return problemResponse('NO_STATE_AT_TIME', { detail: `nothing was known of ${deviceId} at ${at}` });
  }
  return problemResponse('STATE_MISSING', {
    detail: `${deviceId} has a history, but no state: it is larger than an item, or was deleted`,
  });
}
