import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceId, EventPage } from '@twinstream/device-model';
import { PAGE_WRITING } from '@twinstream/pipeline-settings';
import { CodedError } from '@twinstream/runtime';
import { sequenceNumber } from '@twinstream/stream-model';
import { describe, expect, test, vi } from 'vitest';
import { createPace } from '../../../src/replay/pace.ts';
import { previewRepair, runRepair } from '../../../src/replay/repair/run-repair.ts';
import type { ReplayEntry } from '../../../src/replay/replay-entry.ts';
import { noCounts, type ReplayJob, type ReplayPass } from '../../../src/replay/replay-job.ts';
import type { ReplayRun } from '../../../src/replay/replay-run.ts';
import type { ReplaySpec } from '../../../src/replay/replay-spec.ts';
import { readDispositions, runReplay } from '../../../src/replay/run-replay.ts';
import { memorySource } from '../../../src/replay/sources/replay-source.ts';
import type { Stores } from '../../../src/services.ts';
import {
  jobOf,
  type MemoryReplay,
  memoryReplay,
  memoryStores,
  recordedEntries,
  STREAM,
} from '../memory-replay.ts';

const RUNNER = { token: 'a', host: 'here', pid: 7 };
/** Of bus-0 and bus-3 in one shard, bus-1 and bus-2 in shards of their own; eight pages and four. */
const ENTRIES = recordedEntries(4, 8);
const [BUS_0, BUS_1, BUS_2, BUS_3] = ['bus-0', 'bus-1', 'bus-2', 'bus-3'] as DeviceId[] as [
  DeviceId,
  DeviceId,
  DeviceId,
  DeviceId,
];

type Missing = Readonly<Record<string, readonly number[]>>;

/** Stores with what a projector made of these entries, less the pages that are missing, and less all of `lost` devices. */
async function storesOf(
  missing: Missing,
  lost: readonly string[] = [],
  of: readonly ReplayEntry[] = ENTRIES,
) {
  const services = memoryReplay({ entries: of, sourceOf: () => memorySource(of, 2) });
  await runReplay(services, jobOf({ target: 'fresh' }), new AbortController().signal);
  const stores = memoryStores();
  for await (const deviceId of services.fresh.eventStore.deviceIds()) {
    if (lost.includes(deviceId)) continue;
    for await (const page of services.fresh.eventStore.pages(deviceId)) {
      if (missing[deviceId]?.includes(page.page) !== true) await stores.eventStore.appendPage(page);
    }
    const state = await services.fresh.latestState.read(deviceId);
    if (state !== undefined) await stores.latestState.write(state);
  }
  return stores;
}

interface Watched {
  readonly run: ReplayRun;
  readonly job: ReplayJob;
  readonly stop: AbortController;
  /** What the job said each time it was saved. */
  readonly saved: { pass: ReplayPass; part: number; pause: ReplayJob['pause'] }[];
  /** The pass of each step that was noted. */
  readonly steps: ReplayPass[];
  /** The pass of each reading of the source. */
  readonly readings: ReplayPass[];
  /** The pass of each pause of the live projector. */
  readonly pauses: ReplayPass[];
}

interface Wanted {
  readonly spec?: Partial<ReplaySpec>;
  readonly job?: Partial<ReplayJob>;
  readonly services?: Partial<MemoryReplay>;
  readonly entries?: readonly ReplayEntry[];
  /** Runs when the live projector has paused. */
  readonly onPause?: () => Promise<void>;
  /** Runs when the source was read to its end. */
  readonly onRead?: (watched: Watched) => void;
}

async function watched(
  stores: Stores,
  {
    spec = { target: 'repair' },
    job: fields = {},
    entries = ENTRIES,
    onPause,
    onRead,
    ...other
  }: Wanted = {},
): Promise<Watched> {
  const job: ReplayJob = { ...jobOf(spec), runner: RUNNER, ...fields };
  const stop = new AbortController();
  const lists = {
    saved: [] as Watched['saved'],
    steps: [] as ReplayPass[],
    readings: [] as ReplayPass[],
    pauses: [] as ReplayPass[],
  };
  const source = memorySource(entries, 2);
  const services = memoryReplay({ entries, stores, ...other.services });
  for (const { shardId } of entries) {
    const finishedThrough = sequenceNumber('99999999');
    await services.shardProgress.advance(STREAM, {
      shardId,
      finishedThrough,
      arrivalTime: 0,
      updatedTime: 0,
    });
  }
  const run: ReplayRun = {
    ...services,
    sourceOf: () => ({
      read: async (query, take) => {
        lists.readings.push(job.pass);
        await source.read(query, take);
        onRead?.(watching);
      },
    }),
    whilePaused: async (work) => {
      lists.pauses.push(job.pass);
      await onPause?.();
      await work();
    },
    job,
    pace: createPace(undefined, services.clock),
    checkpointing: {
      noteStep: async () => {
        lists.steps.push(job.pass);
      },
      save: async () => {
        lists.saved.push({ pass: job.pass, part: job.part, pause: job.pause });
      },
    },
    devices: undefined,
    ...(await readDispositions(services, stop.signal)),
    signal: stop.signal,
  };
  const watching: Watched = { run, job, stop, ...lists };
  return watching;
}

const numbersOf = async ({ eventStore }: Stores, deviceId: DeviceId) =>
  (await Array.fromAsync(eventStore.pages(deviceId))).map(({ page }) => page);
const ALL = [1, 2, 3, 4];
const ALL_OF_SHARED = [1, 2, 3, 4, 5, 6, 7, 8];

/** Stores whose page of a device is an item that cannot be read. */
function unreadable(
  stores: Stores,
  deviceId: DeviceId,
  number: number,
  code: 'DAMAGED_PAGE' | 'UNKNOWN_EVENT_VERSION',
) {
  const { eventStore } = stores;
  const withDamage: Stores = {
    ...stores,
    eventStore: {
      ...eventStore,
      auditPages: async function* (device, options) {
        for await (const item of eventStore.auditPages(device, options)) {
          const page = item.kind === 'page' ? item.page : undefined;
          if (device !== deviceId || page?.page !== number) yield item;
          else yield { kind: 'damaged', key: page, code, fault: 'cut off' };
        }
      },
    },
  };
  return withDamage;
}

describe('the passes of a repair', () => {
  test('read the source once, pause nothing and write nothing where nothing is wrong', async () => {
    const stores = await storesOf({});
    const { run, job, readings, pauses, saved } = await watched(stores);
    await runRepair(run);
    expect(readings).toEqual(['apply']);
    expect(pauses).toEqual([]);
    expect(saved.map(({ pass }) => pass)).toEqual(['states', 'apply', 'apply', 'apply']);
    expect(job).toMatchObject({ pass: 'apply', part: 1, failureCount: 0 });
    expect(job.repair).toMatchObject({ pagesMissing: 0, statesDiffering: 0, hasLostDevices: false });
  });

  test('restore pages that are missing alone before the projector is paused for neighbours', async () => {
    const stores = await storesOf({ 'bus-0': [2, 3], 'bus-1': [2], 'bus-2': [1, 3, 4] });
    const atPause: Record<string, readonly number[]> = {};
    const { run, job, pauses, readings } = await watched(stores, {
      onPause: async () => {
        for (const device of [BUS_0, BUS_1, BUS_2]) atPause[device] = await numbersOf(stores, device);
      },
    });
    await runRepair(run);
    expect(atPause).toEqual({ 'bus-0': [1, 4, 5, 6, 7, 8], 'bus-1': ALL, 'bus-2': [2] });
    expect(pauses).toEqual(['restore']);
    expect(readings).toEqual(['survey', 'restore', 'apply']);
    expect(await numbersOf(stores, BUS_0)).toEqual(ALL_OF_SHARED);
    for (const device of [BUS_1, BUS_2]) expect(await numbersOf(stores, device)).toEqual(ALL);
    expect(job.repair).toMatchObject({ pagesMissing: 6, pagesRestored: 6 });
    expect(job.failures).toEqual([]);
  });

  test('pause nothing where no neighbours are missing, and gather nothing where only they are', async () => {
    const alone = await watched(await storesOf({ 'bus-1': [2] }));
    await runRepair(alone.run);
    expect(alone).toMatchObject({ pauses: [], readings: ['survey', 'apply'] });
    const neighbours = await watched(await storesOf({ 'bus-1': [2, 3] }));
    await runRepair(neighbours.run);
    expect(neighbours).toMatchObject({ pauses: ['restore'], readings: ['restore', 'apply'] });
  });

  test('say in the job that the projector is paused, before it is, and no longer when it is not', async () => {
    const { run, job, saved } = await watched(await storesOf({ 'bus-1': [2, 3] }), {
      onPause: async () => {
        expect(saved.at(-1)?.pause).toMatchObject({ purpose: 'repair', host: 'here', pid: 7 });
        expect(Math.abs((saved.at(-1)?.pause?.since ?? 0) - Date.now())).toBeLessThan(60_000);
      },
    });
    await runRepair(run);
    expect(saved.filter(({ pause }) => pause !== undefined).map(({ pass }) => pass)).toContain('restore');
    expect(saved.at(-1)?.pause).toBeUndefined();
    expect(job).not.toHaveProperty('pause');
  });

  test('say nothing of a pause where nobody is named who would end it', async () => {
    const { run, job, saved, pauses } = await watched(await storesOf({ 'bus-1': [2, 3] }));
    delete job.runner;
    await runRepair(run);
    expect(pauses).toEqual(['restore']);
    expect(saved.every(({ pause }) => pause === undefined)).toBe(true);
  });

  test('note steps and save while the source is read for what is missing, without moving the job', async () => {
    const { run, job, steps, saved } = await watched(await storesOf({ 'bus-1': [2] }), {
      onRead: () => expect(job.checkpoints).toEqual(job.pass === 'survey' ? {} : job.checkpoints),
    });
    await runRepair(run);
    // A step for each batch of each shard, one for the device; and for each device in the pass `states`.
    expect(steps.filter((pass) => pass === 'survey').length).toBeGreaterThan(4);
    expect(steps.filter((pass) => pass === 'states')).toHaveLength(4);
    expect(saved[0]).toMatchObject({ pass: 'survey', part: 0 });
    expect(job.ledger['shardId-000000000001']?.read).toBe(8);
  });

  test('leave nothing on disk, whatever was spilled', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'run-repair-'));
    vi.stubEnv('TMPDIR', scratch);
    try {
      let spilled = 0;
      const { run } = await watched(await storesOf({ 'bus-1': [2], 'bus-2': [2, 3] }), {
        services: { heldCharactersMax: 0 },
        onRead: () => {
          spilled = Math.max(spilled, readdirSync(scratch).length);
        },
      });
      await runRepair(run);
      expect(spilled).toBe(2);
      expect(readdirSync(scratch)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      rmSync(scratch, { recursive: true });
    }
  });

  test('lay out and fold as the projector does that remembers less', async () => {
    const { pageLimits } = PAGE_WRITING;
    const receipts = { ...pageLimits.receipts, marksMax: 1, rangesMax: 1 };
    const limits: unknown[] = [];
    const pageWriting = {
      ...PAGE_WRITING,
      get pageLimits() {
        limits.push('asked');
        return { ...pageLimits, receipts };
      },
    };
    const { run } = await watched(await storesOf({ 'bus-1': [2] }), { services: { pageWriting } });
    await runRepair(run);
    expect(limits.length).toBeGreaterThan(4);
  });
});

describe('a repair that is stopped', () => {
  test('puts no page back once the source was read', async () => {
    const stores = await storesOf({ 'bus-1': [2] });
    const appended: unknown[] = [];
    const eventStore = {
      ...stores.eventStore,
      appendPage: async (page: EventPage) => {
        appended.push(page);
        return { outcome: 'appended' as const };
      },
    };
    const { run } = await watched(
      { ...stores, eventStore },
      {
        onRead: ({ stop }) => stop.abort(new Error('Ctrl-C')),
      },
    );
    await expect(runRepair(run)).rejects.toThrow('Ctrl-C');
    expect(appended).toEqual([]);
  });

  test('looks at no further state', async () => {
    const stores = await storesOf({});
    const audited: DeviceId[] = [];
    const { run, stop } = await watched(
      {
        ...stores,
        latestState: {
          ...stores.latestState,
          audit: (deviceId) => {
            audited.push(deviceId);
            stop.abort(new Error('Ctrl-C'));
            return stores.latestState.audit(deviceId);
          },
        },
      },
      { spec: { target: 'repair', devices: [BUS_0, BUS_1] }, job: { pass: 'states' } },
    );
    await expect(runRepair(run)).rejects.toThrow('Ctrl-C');
    expect(audited).toEqual([BUS_0]);
  });

  test('stops the requests of the device it is at', async () => {
    for (const pass of ['survey', 'states', 'apply'] as const) {
      const stores = await storesOf({ 'bus-1': [2] });
      const signals = new Set<AbortSignal | undefined>();
      const { eventStore, latestState } = stores;
      const { run, stop } = await watched(
        {
          eventStore: {
            ...eventStore,
            appendPage: (page, signal) => {
              signals.add(signal);
              return eventStore.appendPage(page, signal);
            },
            auditPages: (deviceId, options) => {
              signals.add(options?.signal);
              return eventStore.auditPages(deviceId, options);
            },
          },
          latestState: {
            ...latestState,
            audit: (deviceId, signal) => {
              signals.add(signal);
              return latestState.audit(deviceId, signal);
            },
          },
        },
        { job: { pass } },
      );
      await runRepair(run);
      expect([...signals]).toEqual([stop.signal]);
    }
  });
});

describe('what goes wrong in a repair', () => {
  const ofDevice = new CodedError('STATE_TOO_LARGE', 'too large');
  const failures = [
    ['no code', new Error('a bug')],
    ['a code of the table', new CodedError('DYNAMODB_REFUSED', 'refused')],
    ['a code, but is none of ours', Object.assign(new Error('too large'), { code: 'STATE_TOO_LARGE' })],
  ] as const;

  /** Stores of which asking for the pages of bus-1 fails. */
  function failing(stores: Stores, error: Error): Stores {
    const { eventStore } = stores;
    return {
      ...stores,
      eventStore: {
        ...eventStore,
        auditPages: (deviceId, options) => {
          if (deviceId === BUS_1) throw error;
          return eventStore.auditPages(deviceId, options);
        },
      },
    };
  }

  test.each(failures)('ends it when it has %s', async (_, error) => {
    for (const pass of ['survey', 'states', 'apply'] as const) {
      const { run, job } = await watched(failing(await storesOf({}), error), { job: { pass } });
      await expect(runRepair(run)).rejects.toBe(error);
      expect(job.failures).toEqual([]);
    }
  });

  test('is noted of the device when it concerns that alone, which is then left as it is', async () => {
    const stores = await storesOf({ 'bus-1': [4], 'bus-2': [2] });
    const before = await numbersOf(stores, BUS_1);
    const { run, job } = await watched(failing(stores, ofDevice));
    await runRepair(run);
    expect(job.failures).toEqual([
      { subject: 'bus-1', detail: 'too large', pass: 'survey' },
      { subject: 'bus-1', detail: 'too large', pass: 'states' },
    ]);
    expect(await numbersOf(stores, BUS_1)).toEqual(before);
    expect(await numbersOf(stores, BUS_2)).toEqual(ALL);
    expect(job.ledger['shardId-000000000001']).toMatchObject({ skipped: 8, applied: 0 });
  });

  test('a chain that is still broken takes nothing that was never accepted', async () => {
    const last = ENTRIES.filter(({ partitionKey }) => partitionKey === 'bus-1').at(-1);
    const stores = await storesOf(
      { 'bus-1': [2] },
      [],
      ENTRIES.filter((entry) => entry !== last),
    );
    const before = await numbersOf(stores, BUS_1);
    // The source has nothing of the missing page.
    const entries = ENTRIES.filter(({ partitionKey }) => partitionKey !== 'bus-1').concat(last ?? []);
    const { run, job } = await watched(stores, { entries });
    await runRepair(run);
    expect(await numbersOf(stores, BUS_1)).toEqual(before);
    expect(job.failures.map(({ subject, pass }) => `${subject} ${pass}`)).toEqual([
      'bus-1 survey',
      'bus-1 states',
    ]);
    expect(job.ledger['shardId-000000000001']).toMatchObject({ read: 1, skipped: 1, applied: 0 });
    expect(job.repair).toMatchObject({ pagesMissing: 1, pagesRestored: 0, hasLostDevices: false });
  });

  test('a chain with a page of newer code is left alone', async () => {
    const stores = await storesOf({});
    const { run, job } = await watched(unreadable(stores, BUS_1, 2, 'UNKNOWN_EVENT_VERSION'), {
      job: { pass: 'apply' },
    });
    await runRepair(run);
    expect(job.ledger['shardId-000000000001']).toMatchObject({ skipped: 8, redelivered: 0 });
    expect(job.ledger['shardId-000000000002']).toMatchObject({ skipped: 0, redelivered: 8 });
  });

  test('is named of a device whose page cannot be written, in both passes that append', async () => {
    const last = new Set(ENTRIES.slice(-4));
    const stores = await storesOf(
      {},
      ['bus-3'],
      ENTRIES.filter((entry) => !last.has(entry)),
    );
    const eventStore = {
      ...stores.eventStore,
      appendPage: () => Promise.reject(new CodedError('PAGE_TOO_LARGE', 'too large')),
    };
    const { run, job } = await watched({ ...stores, eventStore });
    await runRepair(run);
    expect(new Set(job.failures.map(({ subject, pass }) => `${subject} ${pass}`))).toEqual(
      new Set([
        'bus-0 apply',
        'bus-1 apply',
        'bus-2 apply',
        'bus-0 rebuild',
        'bus-1 rebuild',
        'bus-2 rebuild',
        'bus-3 rebuild',
      ]),
    );
    expect(job.ledger['shardId-000000000001']).toMatchObject({ failed: 4 });
  });
});

describe('devices of which nothing is stored', () => {
  test('are rebuilt while the projector is paused, and counted once with what was left alone before', async () => {
    const last = ENTRIES.at(-4);
    const stores = await storesOf(
      {},
      ['bus-3'],
      ENTRIES.filter((entry) => entry !== last),
    );
    const { run, job, pauses } = await watched(stores);
    await runRepair(run);
    expect(pauses).toEqual(['rebuild']);
    expect(last?.partitionKey).toBe('bus-0');
    expect(job.ledger['shardId-000000000000']).toMatchObject({
      read: 16,
      applied: 9,
      redelivered: 7,
      skipped: 0,
    });
    expect(job).not.toHaveProperty('ledgerBeforeRebuild');
    expect(await numbersOf(stores, BUS_3)).toEqual(ALL_OF_SHARED);
  });

  test('add to what was counted before the rebuild, shard by shard', async () => {
    const stores = await storesOf({});
    const before = { ...noCounts(), read: 50, skipped: 20, applied: 3, late: 2, duplicate: 4, failed: 5 };
    const [SHARD_0, SHARD_1] = ['shardId-000000000000', 'shardId-000000000001'];
    /** Counters of bus-9, in the order of their arrival: one that is late, and one a second time. */
    const again = [1, 3, 2, 1].map((counter, index) => recordAt(counter, 90_000_000 + index, 'bus-9'));
    const refused = recordAt(1, 90_000_010, 'bus-8');
    const { eventStore } = stores;
    const { run, job } = await watched(
      {
        ...stores,
        eventStore: {
          ...eventStore,
          appendPage: (page, signal) =>
            page.deviceId === 'bus-8'
              ? Promise.reject(new CodedError('PAGE_TOO_LARGE', 'too large'))
              : eventStore.appendPage(page, signal),
        },
      },
      {
        entries: [...again, refused, ...ENTRIES.filter(({ shardId }) => shardId === SHARD_1)],
        job: {
          pass: 'rebuild',
          ledgerBeforeRebuild: { [SHARD_0 as string]: before, elsewhere: before },
        },
      },
    );
    await runRepair(run);
    const { applied, late, duplicate, failed, skipped, read } = job.ledger[SHARD_0 as string] ?? noCounts();
    expect({ applied, late, duplicate, failed, skipped, read }).toEqual({
      applied: 3 + 2,
      late: 2 + 1,
      duplicate: 4 + 1,
      failed: 5 + 1,
      skipped: 20 - 5,
      read: 50,
    });
    expect(job.ledger.elsewhere).toEqual(before);
    expect(job.ledger[SHARD_1 as string]).toMatchObject({ read: 8, redelivered: 8 });
  });

  test('count from the rebuild alone where nothing is known from before', async () => {
    const { run, job } = await watched(await storesOf({}), { job: { pass: 'rebuild' } });
    await runRepair(run);
    expect(job.ledger['shardId-000000000001']).toMatchObject({ read: 8, redelivered: 8 });
  });

  test('are also those that have other items alone', async () => {
    const stores = await storesOf({}, ['bus-3']);
    const { eventStore } = stores;
    const { run, job, pauses } = await watched({
      ...stores,
      eventStore: {
        ...eventStore,
        auditPages: async function* (deviceId, options) {
          if (deviceId === BUS_3) yield { kind: 'foreign', key: 'x' };
          yield* eventStore.auditPages(deviceId, options);
        },
      },
    });
    await runRepair(run);
    expect(pauses).toEqual(['rebuild']);
    expect(job.repair.hasLostDevices).toBe(true);
    expect(await numbersOf(stores, BUS_3)).toEqual(ALL_OF_SHARED);
  });

  test('are looked for once each', async () => {
    const stores = await storesOf({});
    const audits: DeviceId[] = [];
    const { run } = await watched(
      {
        ...stores,
        latestState: {
          ...stores.latestState,
          audit: (deviceId, signal) => {
            audits.push(deviceId);
            return stores.latestState.audit(deviceId, signal);
          },
        },
      },
      { job: { pass: 'apply' } },
    );
    await runRepair(run);
    // Whether something is stored, and whether it is whole.
    expect(audits.toSorted()).toEqual([BUS_0, BUS_0, BUS_1, BUS_1, BUS_2, BUS_2, BUS_3, BUS_3]);
  });
});

describe('a preview of a repair', () => {
  test('has its numbers, pauses nothing, says nothing of a pause and writes nothing', async () => {
    const stores = await storesOf({ 'bus-0': [2, 3], 'bus-1': [2] }, ['bus-3']);
    const { run, job, pauses, saved } = await watched(stores, { spec: { preview: 'repair' } });
    await previewRepair(run);
    expect(job.repair).toMatchObject({ pagesMissing: 3, pagesRestored: 3, hasLostDevices: true });
    expect(pauses).toEqual([]);
    expect(saved.every(({ pause }) => pause === undefined)).toBe(true);
    expect(await numbersOf(stores, BUS_0)).toEqual([1, 4, 5, 6, 7, 8]);
    expect(await numbersOf(stores, BUS_3)).toEqual([]);
  });

  test('that is resumed begins again', async () => {
    const counts = { ...noCounts(), read: 99 };
    const stores = await storesOf({ 'bus-1': [2] });
    const { run, job, readings } = await watched(stores, {
      spec: { preview: 'repair' },
      job: {
        pass: 'apply',
        part: 1,
        ledger: { elsewhere: counts },
        failures: [{ subject: 'bus-7', detail: 'earlier' }],
        failureCount: 1,
        repair: {
          pagesMissing: 9,
          pagesRestored: 9,
          statesDiffering: 9,
          statesRestored: 9,
          hasLostDevices: true,
        },
      },
    });
    await previewRepair(run);
    expect(readings).toEqual(['survey', 'apply']);
    expect(job).toMatchObject({ failures: [], failureCount: 0 });
    expect(job.repair).toMatchObject({ pagesMissing: 1, pagesRestored: 1, hasLostDevices: false });
    expect(job.ledger).not.toHaveProperty('elsewhere');
  });
});

/** An entry of shard 0 like the recorded ones, of another device and place. */
function recordAt(counter: number, at: number, deviceId: string): ReplayEntry {
  const [first] = ENTRIES;
  if (first === undefined) throw new Error('no entries');
  const event = { ...JSON.parse(Buffer.from(first.data).toString()), deviceId, counter };
  return {
    ...first,
    sequenceNumber: sequenceNumber(String(at)),
    arrivalTime: first.arrivalTime + at - 90_000_000,
    partitionKey: deviceId,
    data: Buffer.from(`${JSON.stringify(event)}\n`),
  };
}
