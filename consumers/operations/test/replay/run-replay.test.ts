import type { DeviceId, StoredEvent } from '@twinstream/device-model';
import type { EventStore } from '@twinstream/event-store';
import { CodedError, systemClock } from '@twinstream/runtime';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { canonicalText, verifyDevices } from '@twinstream/verification';
import { describe, expect, test } from 'vitest';
import { allDevices } from '../../src/devices.ts';
import { memoryJobStore } from '../../src/replay/job-store.ts';
import { totalOf } from '../../src/replay/replay-job.ts';
import type { ReplayServices } from '../../src/replay/replay-run.ts';
import { runReplay } from '../../src/replay/run-replay.ts';
import { memorySource } from '../../src/replay/sources/replay-source.ts';
import type { Stores } from '../../src/services.ts';
import {
  jobOf,
  type MemoryReplay,
  memoryReplay,
  memoryStores,
  recordedEntries,
  STREAM,
} from './memory-replay.ts';

const signal = new AbortController().signal;

/** Every stored event with its place, arrival and version, by device. */
async function contentOf({ eventStore }: Stores): Promise<string> {
  const devices = new Map<DeviceId, StoredEvent[]>();
  for await (const deviceId of eventStore.deviceIds()) {
    const events: StoredEvent[] = [];
    for await (const page of eventStore.pages(deviceId)) events.push(...page.events);
    devices.set(deviceId, events);
  }
  return canonicalText(devices);
}

async function expectEqual(stores: Stores): Promise<void> {
  const { differences } = await verifyDevices(stores, allDevices(stores, signal), { clock: systemClock });
  expect(differences).toEqual([]);
}

type PageDamage = 'damaged' | 'misdescribed' | undefined;

/** Stores in which some pages cannot be read, or are not what their attributes say, until they are replaced. */
function damagedStores(
  { eventStore, latestState }: Stores,
  replaced: string[],
  damageOf: (deviceId: DeviceId, page: number) => PageDamage,
): Stores {
  const fault = { attribute: 'eventCount', expected: '1', found: '2' };
  return {
    latestState,
    eventStore: {
      ...eventStore,
      async *auditPages(deviceId, options) {
        for await (const audited of eventStore.auditPages(deviceId, options)) {
          const page = audited.kind === 'page' ? audited.page : undefined;
          const isWhole = page === undefined || replaced.includes(`${deviceId} ${page.page}`);
          const damage = isWhole ? undefined : damageOf(deviceId, page.page);
          if (page === undefined || damage === undefined) yield audited;
          else if (damage === 'misdescribed') yield { kind: 'page', page, faults: [fault] };
          else yield { kind: 'damaged', key: page, code: 'DAMAGED_PAGE', fault: 'garbage' };
        }
      },
      replacePage: async (page, abort) => {
        const result = await eventStore.replacePage(page, abort);
        if (result === 'replaced') replaced.push(`${page.deviceId} ${page.page}`);
        return result;
      },
    },
  };
}

/** Kills a run by ending its source after so many batches, as SIGKILL would: no checkpoint follows. */
function killedAfter(services: ReplayServices, batches: number): ReplayServices {
  let left = batches;
  return {
    ...services,
    sourceOf: (source) => ({
      read: (query, take) =>
        services.sourceOf(source, false).read(query, async (batch) => {
          left -= 1;
          if (left < 0) throw new CodedError('KILLED', 'killed');
          await take(batch);
        }),
    }),
  };
}

describe('a replay', () => {
  test('into fresh tables equals one that was killed ten times and resumed', async () => {
    const entries = recordedEntries(12, 40);
    const whole = memoryReplay({ entries });
    await runReplay(whole, jobOf({ target: 'fresh' }), signal);

    const killed = memoryReplay({ entries });
    const first = jobOf({ target: 'fresh' });
    await killed.jobs.create(first);
    for (let kill = 0; kill < 10; kill += 1) {
      const job = await killed.jobs.read('job');
      if (job === undefined) throw new Error('the job is gone');
      await expect(runReplay(killedAfter(killed, 2), job, signal)).rejects.toMatchObject({ code: 'KILLED' });
      await killed.jobs.read('job');
    }
    const last = await killed.jobs.read('job');
    if (last === undefined) throw new Error('the job is gone');
    await runReplay(killed, last, signal);

    expect(last.status).toBe('completed');
    expect(await contentOf(killed.fresh)).toBe(await contentOf(whole.fresh));
    await expectEqual(killed.fresh);
    const { read, applied } = totalOf(last.ledger);
    expect({ read, applied }).toEqual({ read: entries.length, applied: entries.length });
  });

  test('goes on behind its last checkpoint: no more than one interval is done twice', async () => {
    const entries = recordedEntries(6, 60);
    const services = memoryReplay({ entries });
    const job = jobOf({ target: 'fresh' });
    await expect(runReplay(killedAfter(services, 6), job, signal)).rejects.toMatchObject({ code: 'KILLED' });
    const resumed = await services.jobs.read('job');
    if (resumed === undefined) throw new Error('the job is gone');
    let taken = 0;
    const counting: ReplayServices = {
      ...services,
      sourceOf: () => ({
        read: (query, take) =>
          memorySource(entries, 20).read(query, async (batch) => {
            taken += batch.entries.length;
            await take(batch);
          }),
      }),
    };
    await runReplay(counting, resumed, signal);
    expect(taken).toBe(entries.length - 6 * 20);
  });

  test('ends as cancelled at its next checkpoint, and goes on when it is resumed', async () => {
    const entries = recordedEntries(6, 60);
    const services = memoryReplay({ entries });
    const job = jobOf({ target: 'fresh' });
    let batches = 0;
    const cancelling: ReplayServices = {
      ...services,
      sourceOf: () => ({
        read: (query, take) =>
          memorySource(entries, 20).read(query, async (batch) => {
            batches += 1;
            if (batches === 3) await services.jobs.requestCancel('job');
            await take(batch);
          }),
      }),
    };
    await runReplay(cancelling, job, signal);
    expect(job.status).toBe('cancelled');
    expect(totalOf(job.ledger).applied).toBe(60);
    await runReplay(services, job, signal);
    expect(job.status).toBe('completed');
    expect(totalOf(job.ledger)).toMatchObject({ read: entries.length, applied: entries.length });
  });

  test('stops when somebody else has taken its job over', async () => {
    const entries = recordedEntries(6, 60);
    const jobs = memoryJobStore();
    const services = memoryReplay({ entries, jobs });
    const job = jobOf({ target: 'fresh' });
    const robbed: ReplayServices = {
      ...services,
      sourceOf: () => ({
        read: (query, take) =>
          memorySource(entries, 20).read(query, async (batch) => {
            const other = structuredClone(job);
            await jobs.takeOver(
              { ...other, runner: { token: 'other', host: 'elsewhere', pid: 1 } },
              job.runner,
            );
            await take(batch);
          }),
      }),
    };
    await expect(runReplay(robbed, job, signal)).rejects.toMatchObject({ code: 'JOB_TAKEN_OVER' });
    expect((await jobs.read('job'))?.runner?.token).toBe('other');
  });

  test('is stopped by its signal and stays resumable', async () => {
    const entries = recordedEntries(6, 60);
    const services = memoryReplay({ entries });
    const stop = new AbortController();
    const job = jobOf({ target: 'fresh' });
    const stopping: ReplayServices = {
      ...services,
      sourceOf: () => ({
        read: (query, take) =>
          memorySource(entries, 20).read(query, async (batch) => {
            await take(batch);
            stop.abort(new Error('Ctrl-C'));
          }),
      }),
    };
    await runReplay(stopping, job, stop.signal);
    expect((await services.jobs.read('job'))?.status).toBe('stopped');
    await runReplay(services, job, signal);
    await expectEqual(services.fresh);
  });

  test('that copies chains counts each event once, however often it is throttled', async () => {
    const services = memoryReplay({ entries: [] });
    const entries = recordedEntries(2, 30);
    const lived = memoryReplay({ entries, fresh: services.stores, sourceOf: () => memorySource(entries, 5) });
    await runReplay(lived, jobOf({ target: 'fresh' }), signal);
    let puts = 0;
    const appendPage: EventStore['appendPage'] = async (page) => {
      puts += 1;
      if (puts === 4) throw new CodedError('DYNAMODB_THROTTLED', 'throttled', { retryable: true });
      return services.fresh.eventStore.appendPage(page);
    };
    const fresh = { ...services.fresh, eventStore: { ...services.fresh.eventStore, appendPage } };
    const clock = { ...systemClock, sleep: async () => undefined };
    const job = jobOf({ target: 'fresh', parts: [{ source: 'event-store', fromMs: 0, toMs: 1 }] });
    await runReplay({ ...services, fresh, clock }, job, signal);
    expect(await contentOf(services.fresh)).toBe(await contentOf(services.stores));
    expect(totalOf(job.ledger)).toMatchObject({ read: entries.length, failed: 0 });
  });

  test('without a target counts and writes nothing', async () => {
    const entries = [
      ...recordedEntries(3, 5),
      {
        shardId: shardId('shardId-000000000000'),
        sequenceNumber: sequenceNumber('99999999'),
        subSequenceNumber: 0,
        arrivalTime: Date.parse('2026-11-23T08:00:05Z'),
        partitionKey: 'x',
        data: Buffer.from('not json'),
      },
    ];
    const services = memoryReplay({ entries });
    const job = jobOf({});
    await runReplay(services, job, signal);
    expect(totalOf(job.ledger)).toMatchObject({ read: 16, applied: 15, quarantined: 1 });
    expect(await contentOf(services.fresh)).toBe(await contentOf(memoryStores()));
  });

  test('prints each event once as a line of JSON', async () => {
    const texts: string[] = [];
    const entries = recordedEntries(3, 5);
    const services = memoryReplay({
      entries,
      write: async (text) => {
        texts.push(text);
      },
    });
    await runReplay(services, jobOf({ target: 'stdout', devices: ['bus-1' as DeviceId] }), signal);
    const lines = texts
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ counter }) => counter)).toEqual([1, 2, 3, 4, 5]);
    expect(lines[0]).toEqual({
      deviceId: 'bus-1',
      type: 'reported',
      time: '2026-11-23T08:00:00.001Z',
      session: 1,
      counter: 1,
      arrivalTime: '2026-11-23T08:00:00.001Z',
      shardId: 'shardId-000000000001',
      sequenceNumber: '10000001',
      subSequenceNumber: 0,
      data: { speed: 1, a1: 1 },
    });
  });

  test('puts what was redriven from quarantine in the place of the invalid bytes', async () => {
    const [first, ...rest] = recordedEntries(2, 5);
    if (first === undefined) throw new Error('no entry');
    const services = memoryReplay({ entries: [{ ...first, data: Buffer.from('broken') }, ...rest] });
    const { quarantine } = services;
    const { arrivalTime, partitionKey, sequenceNumber: number, shardId: shard } = first;
    const data = Buffer.from('broken');
    const entry = { reason: 'not-json' as const, detail: 'x', subSequenceNumber: 0, partitionKey, data };
    await quarantine.put({
      shardId: shard,
      sequenceNumber: number,
      arrivalTime,
      partitionKey,
      data,
      entries: [entry],
    });
    for await (const { key } of quarantine.list()) {
      await quarantine.resolve(key, {
        outcome: 'redriven',
        time: '2026-11-23T09:00:00.000Z',
        reason: 'a test',
        actor: 'a tester',
        events: [{ subSequenceNumber: 0, text: Buffer.from(first.data).toString().trim() }],
      });
    }
    const job = jobOf({ target: 'fresh' });
    await runReplay(services, job, signal);
    expect(totalOf(job.ledger)).toMatchObject({ read: 10, applied: 10, quarantined: 0 });
  });
});

describe('a repair', () => {
  async function lived(entries: ReturnType<typeof recordedEntries>): Promise<MemoryReplay> {
    const services = memoryReplay({ entries });
    await runReplay({ ...services, fresh: services.stores }, jobOf({ target: 'fresh' }), signal);
    for (const shard of ['shardId-000000000000', 'shardId-000000000001', 'shardId-000000000002']) {
      const progress = {
        shardId: shardId(shard),
        finishedThrough: sequenceNumber('99999999'),
        arrivalTime: 0,
        updatedTime: 0,
      };
      await services.shardProgress.advance(STREAM, progress);
    }
    return { ...services, jobs: memoryJobStore() };
  }

  test('changes nothing where nothing is wrong', async () => {
    const services = await lived(recordedEntries(6, 30));
    const before = await contentOf(services.stores);
    const job = jobOf({ target: 'repair' });
    await runReplay(services, job, signal);
    expect(job.status).toBe('completed');
    expect(await contentOf(services.stores)).toBe(before);
    expect(totalOf(job.ledger)).toMatchObject({ applied: 0, redelivered: 180, failed: 0 });
  });

  test('appends at the tail what was never accepted, marked repaired, and no further than shard progress', async () => {
    const entries = recordedEntries(3, 20);
    const missed = entries.filter((_, index) => index % 7 === 3);
    const services = await lived(entries.filter((entry) => !missed.includes(entry)));
    const job = jobOf({ target: 'repair' });
    await runReplay({ ...services, sourceOf: () => memorySource(entries, 20) }, job, signal);
    const { applied, late } = totalOf(job.ledger);
    expect(applied + late).toBe(missed.length);
    await expectEqual(services.stores);
    let repaired = 0;
    for await (const deviceId of services.stores.eventStore.deviceIds()) {
      for await (const page of services.stores.eventStore.pages(deviceId)) {
        repaired += page.events.filter((event) => event.repaired === true).length;
      }
    }
    expect(repaired).toBe(missed.length);
  });

  test('rewrites altered states', async () => {
    const services = await lived(recordedEntries(6, 30));
    const { latestState } = services.stores;
    const state = await latestState.read('bus-1' as DeviceId);
    if (state === undefined) throw new Error('no state');
    const [name = ''] = state.attributes.keys();
    const value = { value: 'altered', version: { session: 9, counter: 9, ordinal: 0, revision: 0 } };
    await latestState.replace(
      { ...state, attributes: new Map([...state.attributes, [name, value]]) },
      state.page,
    );
    const job = jobOf({ target: 'repair' });
    await runReplay(services, job, signal);
    expect(job.repair).toMatchObject({ statesDiffering: 1, statesRestored: 1 });
    await expectEqual(services.stores);
  });

  test('restores pages that are missing side by side while the projector is paused', async () => {
    const services = await lived(recordedEntries(6, 30));
    const damaged = memoryStores();
    for await (const deviceId of services.stores.eventStore.deviceIds()) {
      for await (const page of services.stores.eventStore.pages(deviceId)) {
        if (deviceId !== 'bus-1' || page.page > 2) await damaged.eventStore.appendPage(page);
      }
      const state = await services.stores.latestState.read(deviceId);
      if (state !== undefined) await damaged.latestState.write(state);
    }
    const pauses: string[] = [];
    const job = jobOf({ target: 'repair' });
    const restoring: ReplayServices = {
      ...services,
      stores: damaged,
      whilePaused: async (work) => {
        pauses.push(job.pass);
        await work();
      },
    };
    await runReplay(restoring, job, signal);
    expect(pauses).toEqual(['restore']);
    expect(job.repair).toMatchObject({ pagesMissing: 2, pagesRestored: 2 });
    expect(await contentOf(damaged)).toBe(await contentOf(services.stores));
  });

  test('restores a page that cannot be read, and attributes that are not as their body says', async () => {
    const services = await lived(recordedEntries(6, 30));
    const replaced: string[] = [];
    const damaged = damagedStores(services.stores, replaced, (deviceId, page) => {
      if (page !== 2) return undefined;
      return deviceId === 'bus-1' ? 'damaged' : deviceId === 'bus-2' ? 'misdescribed' : undefined;
    });
    const job = jobOf({ target: 'repair' });
    await runReplay({ ...services, stores: damaged }, job, signal);
    expect(job).toMatchObject({ status: 'completed', failureCount: 0 });
    expect(job.repair).toMatchObject({ pagesMissing: 2, pagesRestored: 2 });
    expect(replaced.sort()).toEqual(['bus-1 2', 'bus-2 2']);
    await expectEqual(damaged);
  });

  test('goes on past a page that cannot be read nor restored', async () => {
    const entries = recordedEntries(6, 30);
    const services = await lived(entries);
    const damaged = damagedStores(services.stores, [], (deviceId, page) =>
      deviceId === 'bus-1' && page === 2 ? 'damaged' : undefined,
    );
    const state = await damaged.latestState.read('bus-4' as DeviceId);
    if (state === undefined) throw new Error('no state');
    await damaged.latestState.replace({ ...state, ordinal: 7 }, state.page);
    const job = jobOf({ target: 'repair' });
    const others = entries.filter(({ partitionKey }) => partitionKey !== 'bus-1');
    await runReplay({ ...services, stores: damaged, sourceOf: () => memorySource(others, 20) }, job, signal);
    expect(job.status).toBe('completed');
    expect(job.repair).toMatchObject({ pagesMissing: 1, pagesRestored: 0, statesRestored: 1 });
    expect(new Set(job.failures.map(({ subject }) => subject))).toEqual(new Set(['bus-1']));
    expect(job.failures[0]?.detail).toContain('page 2 of bus-1 cannot be restored');
  });

  test('rebuilds devices of which nothing is stored while the projector is paused', async () => {
    const entries = recordedEntries(6, 30);
    const services = await lived(entries);
    const empty = memoryStores();
    const pauses: string[] = [];
    const job = jobOf({ target: 'repair' });
    const rebuilding: ReplayServices = {
      ...services,
      stores: empty,
      whilePaused: async (work) => {
        pauses.push(job.pass);
        await work();
      },
    };
    await runReplay(rebuilding, job, signal);
    expect(pauses).toEqual(['rebuild']);
    expect(await contentOf(empty)).toBe(await contentOf(services.stores));
    await expectEqual(empty);
    expect(totalOf(job.ledger)).toMatchObject({ read: 180, applied: 180, skipped: 0 });
  });

  test('rebuilds one device that was deleted whole, asked for alone', async () => {
    const services = await lived(recordedEntries(6, 30));
    const damaged = memoryStores();
    for await (const deviceId of services.stores.eventStore.deviceIds()) {
      if (deviceId === 'bus-1') continue;
      for await (const page of services.stores.eventStore.pages(deviceId)) {
        await damaged.eventStore.appendPage(page);
      }
      const state = await services.stores.latestState.read(deviceId);
      if (state !== undefined) await damaged.latestState.write(state);
    }
    const job = jobOf({ target: 'repair', devices: ['bus-1' as DeviceId] });
    await runReplay({ ...services, stores: damaged }, job, signal);
    expect(JSON.parse(await contentOf(damaged)).sort()).toEqual(
      JSON.parse(await contentOf(services.stores)).sort(),
    );
    await expectEqual(damaged);
    expect(totalOf(job.ledger)).toMatchObject({ read: 180, applied: 30, skipped: 150, failed: 0 });
  });
});
