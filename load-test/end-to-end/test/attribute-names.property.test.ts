import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DecodedEvent,
  decodeEvent,
  newDevice,
  ownFormatDecoder,
  planPage,
} from '@twinstream/device-model';
import { type PlannedEvent, readRecording, recordingSource } from '@twinstream/device-simulator';
import { memoryEventStore } from '@twinstream/event-store';
import { memoryLatestStateTable } from '@twinstream/latest-state';
import { NO_PROCESSED_TIMES } from '@twinstream/pipeline-status';
import { memoryQuarantine } from '@twinstream/quarantine';
import { DEFAULT_LIVENESS_POLICY, type QueryApiServices } from '@twinstream/query-api';
import { createApp } from '@twinstream/query-api/routes';
import { createLogger, systemClock } from '@twinstream/runtime';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Names that every object of the language has, or that make one into another. */
const NAMES = [
  'constructor',
  'toString',
  'valueOf',
  '__proto__',
  'hasOwnProperty',
  'isPrototypeOf',
  '__defineGetter__',
  'prototype',
  '_proto__',
  '___proto__',
  'length',
  'speed',
] as const;
const SHARD = shardId('shardId-000000000000');
const ARRIVAL = Date.parse('2026-11-02T08:00:00Z');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-names-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function eventOfCsv(columns: readonly string[], cells: readonly string[]): Promise<DecodedEvent> {
  const path = join(folder, 'rows.csv');
  writeFileSync(
    path,
    `${['id', 'at', ...columns].join(',')}\nbus-1,2026-11-02T08:00:00Z,${cells.join(',')}\n`,
  );
  const source = recordingSource(
    readRecording({ path, columns: { id: 'id', time: 'at' }, offset: undefined }),
    {
      order: 'file',
      pace: { kind: 'max' },
      session: 1,
      onBadRow: ({ reason }) => {
        throw new Error(reason);
      },
    },
  );
  const planned: PlannedEvent | undefined = await source.next();
  await source.close();
  const decoded = decodeEvent(planned?.bytes ?? new Uint8Array());
  if ('rejected' in decoded) throw new Error(decoded.detail);
  return decoded;
}

const notAsked = (): never => {
  throw new Error('this test does not ask for it');
};

async function apiWith({ event, text }: DecodedEvent) {
  const events = memoryEventStore();
  const deviceStates = memoryLatestStateTable();
  const place = { sequenceNumber: sequenceNumber('1'), subSequenceNumber: 0 };
  const plan = planPage(newDevice(event.deviceId), SHARD, [{ place, arrivalTime: ARRIVAL, event, text }]);
  if (plan.kind !== 'page') throw new Error(plan.kind);
  await events.appendPage(plan.page);
  await deviceStates.write(plan.next);
  const services: QueryApiServices = {
    deviceStates,
    events,
    fleet: { current: notAsked, watch: notAsked, stayAwake: notAsked, close: notAsked },
    lists: { keep: notAsked, find: notAsked },
    updates: { clientCount: 0, open: notAsked, close: notAsked },
    pipeline: notAsked,
    stream: { putRecords: notAsked },
    processed: async () => NO_PROCESSED_TIMES,
    identifiesCallers: false,
    correctionKeys: { find: notAsked, note: notAsked },
    quarantine: memoryQuarantine(),
    redriving: {
      tablesInUse: notAsked,
      shardProgress: { read: notAsked },
      streamName: 'device-events',
      decoder: ownFormatDecoder,
    },
    liveness: DEFAULT_LIVENESS_POLICY,
    clock: systemClock,
    logger: createLogger('test', 'silent'),
    newId: notAsked,
  };
  const app = createApp(services, () => ({ allowed: true }));
  return async (path: string) => JSON.parse(await (await app.request(`http://127.0.0.1${path}`)).text());
}

test('columns and cells with the names of every object come through: CSV, event, state, API', async () => {
  const name = fc.constantFrom(...NAMES);
  const rows = fc.uniqueArray(fc.tuple(name, name), { minLength: 1, selector: ([column]) => column });
  await fc.assert(
    fc.asyncProperty(rows, async (row) => {
      const ask = await apiWith(
        await eventOfCsv(
          row.map(([column]) => column),
          row.map(([, cell]) => cell),
        ),
      );
      const said = new Map<string, unknown>(row);
      const device = await ask('/v1/devices/bus-1?fields=*,attributeVersions');
      expect(new Map(Object.entries(device.attributes))).toEqual(said);
      expect(new Set(Object.keys(device.attributeVersions))).toEqual(new Set(said.keys()));
      const past = await ask('/v1/devices/bus-1?at=2026-11-03T08:00:00Z&diff=2026-11-01T08:00:00Z');
      expect(new Map(Object.entries(past.attributes))).toEqual(said);
      expect(new Set(Object.keys(past.changes.attributes))).toEqual(new Set(said.keys()));
      const { events } = await ask('/v1/devices/bus-1/events');
      expect(new Map(Object.entries(events[0].data))).toEqual(said);
      for (const [column, cell] of row) {
        const one = await ask(`/v1/devices/bus-1?fields=attributes.${column}`);
        expect(Object.entries(one.attributes)).toEqual([[column, cell]]);
      }
    }),
    { numRuns: 100 },
  );
});

test.each(NAMES)('a query parameter %j is refused like any that is unknown', async (name) => {
  const ask = await apiWith(await eventOfCsv(['x'], ['1']));
  expect(await ask(`/v1/devices/bus-1?${name}=1`)).toMatchObject({
    code: 'BAD_PARAMETER',
    detail: expect.stringContaining(name),
  });
});
