import {
  type Discarded,
  discardRecord,
  getQuarantined,
  listQuarantine,
  PAYLOAD_BYTES_MAX,
  previewRedrive,
  type QuarantinedPayload,
  type QuarantinedRecordJson,
  type QuarantineList,
  type RedriveAnswer,
  redriveRecord,
} from '@twinstream/api-contract';
import { redrive, type Transform, unchanged } from '@twinstream/projection';
import {
  keyOfRecordId,
  type QuarantinedEntry,
  type QuarantinedRecord,
  recordIdOf,
} from '@twinstream/quarantine';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { isoTime } from '../device-json.ts';
import { endpoint, jsonAnswer } from '../endpoint.ts';
import { momentMs } from '../moment.ts';
import { badBody, badCursor, badParameter, problemResponse } from '../problem.ts';
import type { QuarantineServices } from '../services.ts';

/** Objects that one answer of the list reads, and at the same time. */
const READS_MAX = 1_024;
const READS_AT_ONCE = 16;
/** Bytes of payload in one answer: a Lambda function answers with 6 MB at most, and base64 takes a third more. */
const PAYLOADS_BYTES_MAX = 3 * 1024 * 1024;

export const quarantineListEndpoint = endpoint(
  listQuarantine,
  async ({ query: { limit, cursor, ...filter }, getSignal }, { quarantine, clock }: QuarantineServices) => {
    const { rejection, partitionKey, from, to } = filter;
    const fromMs = from === undefined ? undefined : momentMs(from, clock.now());
    const toMs = to === undefined ? undefined : momentMs(to, clock.now());
    if (fromMs !== undefined && toMs !== undefined && fromMs > toMs)
      return badParameter('to', 'must not be before from');
    const bound = { operation: 'listQuarantine', ...filter };
    const after = cursor === undefined ? undefined : decodeCursor(cursor, bound, z.string());
    if (cursor !== undefined && after === undefined) return badCursor();
    const admits = ({ arrivalTime, entries }: QuarantinedRecord) =>
      arrivalTime >= (fromMs ?? 0) &&
      arrivalTime < (toMs ?? Number.POSITIVE_INFINITY) &&
      entries.some(
        (entry) =>
          (rejection === undefined || entry.reason === rejection) &&
          (partitionKey === undefined || entry.partitionKey === partitionKey),
      );
    const range = {
      signal: getSignal(),
      ...(fromMs === undefined ? {} : { from: fromMs }),
      ...(toMs === undefined ? {} : { to: toMs }),
      ...(after === undefined ? {} : { after }),
    };
    const keys: string[] = [];
    let cut: string | undefined;
    for await (const { key } of quarantine.list(range)) {
      if (keys.length === READS_MAX) {
        cut = keys.at(-1);
        break;
      }
      keys.push(key);
    }
    const records: QuarantinedRecordJson[] = [];
    const page = (end: string | undefined) =>
      jsonAnswer<QuarantineList>({
        records,
        ...(end === undefined ? {} : { cursor: encodeCursor(bound, end) }),
      });
    for (let first = 0; first < keys.length; first += READS_AT_ONCE) {
      const batch = keys.slice(first, first + READS_AT_ONCE);
      const read = await Promise.all(batch.map((key) => quarantine.read(key, getSignal())));
      for (const [index, key] of batch.entries()) {
        if (records.length === limit) return page(keys[first + index - 1]);
        const record = read[index];
        if (record !== undefined && admits(record)) records.push(recordJson(key, record));
      }
    }
    return page(cut);
  },
);

export const quarantinedEndpoint = endpoint(
  getQuarantined,
  async ({ params: { recordId }, getSignal }, { quarantine }: QuarantineServices) => {
    const found = await find(quarantine, recordId, getSignal());
    if (found === undefined) return notInQuarantine(recordId);
    const json = recordJson(found.key, found.record);
    let room = PAYLOADS_BYTES_MAX;
    return jsonAnswer<QuarantinedPayload>({
      ...json,
      entries: found.record.entries.map((entry) => {
        const shown = entry.data.subarray(0, Math.min(PAYLOAD_BYTES_MAX, room));
        room -= shown.length;
        return { ...entryJson(entry), base64: Buffer.from(shown).toString('base64') };
      }),
    });
  },
);

export const redrivePreviewEndpoint = endpoint(
  previewRedrive,
  ({ params: { recordId }, body: { entries }, getSignal }, services: QuarantineServices) =>
    redriveOne(services, { recordId, entries, signal: getSignal() }),
);

export const redriveEndpoint = endpoint(
  redriveRecord,
  async (
    { params: { recordId }, body: { entries, reason, actor: given }, actor: caller, getSignal },
    services: QuarantineServices,
  ) => {
    const actor = caller ?? given;
    if (actor === undefined) return actorMissing();
    return redriveOne(services, { recordId, entries, execution: { reason, actor }, signal: getSignal() });
  },
);

export const discardEndpoint = endpoint(
  discardRecord,
  async (
    { params: { recordId }, body: { reason, actor: given }, actor: caller, getSignal },
    { quarantine, clock }: QuarantineServices,
  ) => {
    const actor = caller ?? given;
    if (actor === undefined) return actorMissing();
    const key = keyOfRecordId(recordId);
    const time = isoTime(clock.now());
    const resolution = { outcome: 'discarded', time, reason, actor, events: [] } as const;
    const isTaken = key !== undefined && (await quarantine.resolve(key, resolution, getSignal()));
    if (!isTaken) return notInQuarantine(recordId);
    return jsonAnswer<Discarded>({ recordId, discarded: true });
  },
);

interface RedriveRequest {
  readonly recordId: string;
  readonly entries: readonly { readonly subSequenceNumber: number; readonly text: string }[] | undefined;
  /** Absent in a preview. */
  readonly execution?: { readonly reason: string; readonly actor: string };
  readonly signal: AbortSignal;
}

async function redriveOne(
  services: QuarantineServices,
  { recordId, entries, execution, signal }: RedriveRequest,
): Promise<Response> {
  const { quarantine, redriving, clock, logger } = services;
  const found = await find(quarantine, recordId, signal);
  if (found === undefined) return notInQuarantine(recordId);
  const known = new Set(found.record.entries.map(({ subSequenceNumber }) => subSequenceNumber));
  const unknown = entries?.find(({ subSequenceNumber }) => !known.has(subSequenceNumber));
  if (unknown !== undefined) {
    return notInQuarantine(`entry ${unknown.subSequenceNumber} of ${recordId}`);
  }
  const { decoder, ...stores } = redriving;
  const redriven = redrive({ ...stores, quarantine, logger, now: clock.now }, one(found), {
    transform: entries === undefined ? unchanged : repaired(entries),
    decoder,
    execute: execution !== undefined,
    reason: execution?.reason ?? '',
    actor: execution?.actor ?? '',
    signal,
  });
  const results: RedriveAnswer['results'] = [];
  for await (const { subSequenceNumber, deviceId, outcome, detail } of redriven)
    results.push({ subSequenceNumber, deviceId, outcome, detail });
  const isResolved = execution !== undefined && (await quarantine.read(found.key, signal)) === undefined;
  return jsonAnswer<RedriveAnswer>({ recordId, results, isResolved });
}

/** Entries that are not named stay in quarantine. */
function repaired(entries: NonNullable<RedriveRequest['entries']>): Transform {
  const texts = new Map(entries.map(({ subSequenceNumber, text }) => [subSequenceNumber, text]));
  return async ({ subSequenceNumber }) => {
    const text = texts.get(subSequenceNumber);
    return text === undefined ? undefined : Buffer.from(text);
  };
}

async function* one<Item>(item: Item): AsyncGenerator<Item> {
  yield item;
}

interface Found {
  readonly key: string;
  readonly record: QuarantinedRecord;
}

async function find(
  quarantine: QuarantineServices['quarantine'],
  recordId: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const key = keyOfRecordId(recordId);
  const record = key === undefined ? undefined : await quarantine.read(key, signal);
  return key === undefined || record === undefined ? undefined : { key, record };
}

function notInQuarantine(name: string): Response {
  return problemResponse('NOT_IN_QUARANTINE', {
    detail: `${name} is not in quarantine; it may have been redriven or discarded`,
  });
}

function actorMissing(): Response {
  return badBody('actor', 'is missing, and the API does not know its caller');
}

function recordJson(key: string, record: QuarantinedRecord): QuarantinedRecordJson {
  const { shardId, sequenceNumber, arrivalTime, partitionKey, entries } = record;
  return {
    recordId: recordIdOf(key) ?? key,
    shardId,
    sequenceNumber,
    arrivalTime: isoTime(arrivalTime),
    partitionKey,
    entries: entries.map(entryJson),
  };
}

function entryJson({ subSequenceNumber, reason, detail, partitionKey, data }: QuarantinedEntry) {
  return { subSequenceNumber, reason, detail, partitionKey, bytes: data.length };
}
