import { type DeviceId, deviceId } from '@twinstream/device-model';
import { memoryShardProgressTable } from '@twinstream/latest-state';
import { CodedError } from '@twinstream/runtime';
import { shardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { type PromotionServices, promoteTables } from '../../../src/replay/promotion/promote-tables.ts';
import type { ReplayEntry } from '../../../src/replay/replay-entry.ts';
import { noCounts } from '../../../src/replay/replay-job.ts';
import type { ReplaySourceName } from '../../../src/replay/replay-spec.ts';
import { runReplay } from '../../../src/replay/run-replay.ts';
import { memorySource } from '../../../src/replay/sources/replay-source.ts';
import { projectingTarget } from '../../../src/replay/targets.ts';
import type { Stores } from '../../../src/services.ts';
import { jobOf, memoryReplay, memoryStores, recordedEntries, STREAM, WHOLE } from '../memory-replay.ts';

const signal = new AbortController().signal;
const TABLES = { eventsTable: 'anew-events', deviceStateTable: 'anew-device-state' };
const IN_USE = { eventsTable: 'events', deviceStateTable: 'device-state' };
const [PART] = WHOLE;

interface World {
  readonly services: PromotionServices;
  /** What was done, in order. */
  readonly steps: string[];
  /** Entries that each source gives. */
  readonly entries: Record<'stream' | 'archive', readonly ReplayEntry[]>;
  project(entries: readonly ReplayEntry[], isRepair?: boolean): Promise<void>;
  replay(source: Exclude<ReplaySourceName, 'auto'>): Promise<ReturnType<typeof jobOf>>;
}

function world(overrides: { readonly fresh?: Stores } = {}): World {
  const steps: string[] = [];
  const entries: World['entries'] = { stream: [], archive: [] };
  const shardProgress = memoryShardProgressTable();
  const base = memoryReplay({
    entries: [],
    shardProgress,
    sourceOf: (source) => memorySource(source === 'archive' ? entries.archive : entries.stream, 20),
    ...overrides,
  });
  const services: PromotionServices = {
    ...base,
    stream: { createdMs: Number.MAX_SAFE_INTEGER, retentionMs: 1 },
    replaced: IN_USE,
    isSwitched: false,
    whilePaused: async (work, next) => {
      steps.push('paused');
      try {
        await work();
        steps.push(`switched to ${next?.tables.eventsTable}`);
        await next?.settle();
      } finally {
        steps.push('resumed');
      }
    },
  };
  const project: World['project'] = async (projected, isRepair = false) => {
    for (const [shardId, all] of Map.groupBy(projected, (entry) => entry.shardId)) {
      const target = projectingTarget({
        ...base,
        redriven: new Map(),
        isRefused: async () => false,
        isRepair,
        onFailure: (deviceId, error) => {
          throw new Error(deviceId, { cause: error });
        },
      });
      await target({ shardId, entries: all }, noCounts(), signal);
      const last = all.at(-1);
      if (last === undefined || isRepair) continue;
      await shardProgress.advance(STREAM, {
        ...{ shardId, finishedThrough: last.sequenceNumber },
        ...{ arrivalTime: last.arrivalTime, updatedTime: last.arrivalTime },
      });
    }
  };
  const replay: World['replay'] = async (source) => {
    if (PART === undefined) throw new TypeError('no part');
    const job = jobOf({ target: 'fresh', tables: TABLES, parts: [{ ...PART, source }] });
    await services.jobs.create(job);
    await runReplay(services, job, signal);
    expect(job).toMatchObject({ status: 'completed', failureCount: 0 });
    return job;
  };
  return { services, steps, entries, project, replay };
}

async function textsOf({ eventStore }: Stores): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const deviceId of eventStore.deviceIds()) {
    for await (const page of eventStore.pages(deviceId)) texts.push(...page.events.map(({ text }) => text));
  }
  return texts.sort();
}

const ENTRIES = recordedEntries(6, 10);
const HALF = ENTRIES.length / 2;

describe('a promotion', () => {
  test.each(['event-store', 'stream', 'archive'] as const)(
    'of a replay from the %s has what the projector finished since',
    async (source) => {
      const { services, entries, project, replay, steps } = world();
      entries.stream = ENTRIES.slice(0, HALF);
      entries.archive = entries.stream;
      await project(entries.stream);
      const job = await replay(source);
      entries.stream = ENTRIES;
      await project(ENTRIES.slice(HALF));
      await promoteTables(services, job, signal);
      expect(await textsOf(services.fresh)).toEqual(await textsOf(services.stores));
      expect(steps).toEqual(['paused', 'switched to anew-events', 'resumed']);
      expect(await services.jobs.read(job.id)).toMatchObject({ status: 'completed', replaces: IN_USE });
      expect(job.promotedTime).toBeGreaterThan(0);
    },
  );

  test.each(['event-store', 'stream', 'archive'] as const)(
    'of a replay from the %s has what a repair appended since, though no source has it any more',
    async (source) => {
      const { services, entries, project, replay } = world();
      const [given, ...rest] = ENTRIES;
      entries.stream = rest;
      entries.archive = rest;
      await project(rest);
      const job = await replay(source);
      await project(given === undefined ? [] : [given], true);
      const { carriedEvents } = await promoteTables(services, job, signal);
      expect(carriedEvents).toBe(1);
      expect(await textsOf(services.fresh)).toEqual(await textsOf(services.stores));
    },
  );

  test.each(['event-store', 'stream', 'archive'] as const)(
    'of a replay from the %s counts the duplicate that a repair found in a shard of its own',
    async (source) => {
      const { services, entries, project, replay } = world();
      entries.stream = ENTRIES;
      entries.archive = ENTRIES;
      await project(ENTRIES);
      const job = await replay(source);
      const [given] = ENTRIES;
      if (given === undefined) throw new TypeError('no entries');
      await project([{ ...given, shardId: shardId('shardId-000000000009') }], true);
      await promoteTables(services, job, signal);
      const stateOf = ({ latestState }: Stores) => latestState.read(deviceId('bus-0'));
      const [inUse, fresh] = [await stateOf(services.stores), await stateOf(services.fresh)];
      expect(inUse?.counts).toMatchObject({ events: 10, duplicates: 1 });
      expect(fresh).toMatchObject({ counts: inUse?.counts, marks: inUse?.marks });
    },
  );

  test('takes from the chains in use what the archive never got', async () => {
    const { services, entries, project, replay } = world();
    entries.archive = ENTRIES.filter((_, index) => index % 7 !== 0);
    await project(ENTRIES);
    const job = await replay('archive');
    await promoteTables(services, job, signal);
    expect(await textsOf(services.fresh)).toEqual(await textsOf(services.stores));
  });

  test('reads no position beyond the checkpoints of the live projector, and no more than once', async () => {
    const { services, entries, project, replay } = world();
    entries.stream = ENTRIES.slice(0, HALF);
    await project(entries.stream);
    const job = await replay('stream');
    entries.stream = ENTRIES;
    await project(ENTRIES.slice(HALF, HALF + 12));
    const { caughtUpEvents } = await promoteTables(services, job, signal);
    expect(caughtUpEvents).toBe(12);
    expect(await textsOf(services.fresh)).toHaveLength(HALF + 12);
  });

  test('refuses tables that do not hold what those in use hold, names devices, and starts the projector', async () => {
    const fresh = memoryStores();
    const lossy = {
      ...fresh,
      eventStore: {
        ...fresh.eventStore,
        appendPage: async (page: Parameters<typeof fresh.eventStore.appendPage>[0]) =>
          page.page > 1 ? { outcome: 'appended' as const } : fresh.eventStore.appendPage(page),
      },
      latestState: {
        ...fresh.latestState,
        write: async (state: Parameters<typeof fresh.latestState.write>[0]) =>
          state.page > 1 ? { outcome: 'written' as const } : fresh.latestState.write(state),
      },
    };
    const { services, entries, project, replay, steps } = world({ fresh: lossy });
    const many = recordedEntries(25, 2);
    entries.stream = many.slice(0, 25);
    await project(entries.stream);
    const job = await replay('stream');
    entries.stream = many;
    await project(many.slice(25));
    const refused = await promoteTables(services, job, signal).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'NOT_COVERED' });
    expect(String(refused)).toMatch(/bus-0: 1 of 2 events; .*; and 5 more$/s);
    const named = [...String(refused).matchAll(/bus-\d+: 1 of 2 events/g)].map(([name]) => name);
    expect(named).toHaveLength(20);
    expect(named).toEqual(named.toSorted());
    expect(steps).toEqual(['paused', 'resumed']);
    expect(job.promotedTime).toBeUndefined();
  });

  test('refuses few devices by name, without a count of others', async () => {
    const { services, entries, project, replay } = world();
    entries.stream = recordedEntries(2, 2);
    await project(entries.stream);
    const job = await replay('event-store');
    const empty = memoryStores();
    const silent = {
      ...empty,
      eventStore: { ...empty.eventStore, appendPage: async () => ({ outcome: 'appended' as const }) },
      latestState: { ...empty.latestState, write: async () => ({ outcome: 'written' as const }) },
    };
    const refused = await promoteTables({ ...services, fresh: silent }, job, signal).catch(String);
    expect(refused).toMatch(/those in use stay\. bus-0: 0 of 2 events; bus-1: 0 of 2 events$/);
  });

  test('refuses to go on where events of the stream cannot be stored, names devices, and stops nothing', async () => {
    const fresh = memoryStores();
    let isFull = false;
    const full = {
      ...fresh,
      eventStore: {
        ...fresh.eventStore,
        appendPage: async (page: Parameters<typeof fresh.eventStore.appendPage>[0]) => {
          if (isFull) throw new CodedError('ITEM_TOO_LARGE', 'injected');
          return fresh.eventStore.appendPage(page);
        },
      },
    };
    const { services, entries, project, replay, steps } = world({ fresh: full });
    const many = recordedEntries(25, 2);
    entries.stream = many.slice(0, 25);
    await project(entries.stream);
    const job = await replay('stream');
    entries.stream = many;
    await project(many.slice(25));
    isFull = true;
    const refused = await promoteTables(services, job, signal).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'NOT_CAUGHT_UP' });
    expect(String(refused).match(/bus-\d+: [^;]*injected/g)).toHaveLength(20);
    expect(String(refused)).toMatch(/; and 5 more$/);
    expect(steps).toEqual([]);
    expect(job.promotedTime).toBeUndefined();
  });

  test('says before the projector stops who has stopped it, and reads beside it politely', async () => {
    const { services, entries, project, replay } = world();
    entries.stream = ENTRIES.slice(0, HALF);
    await project(entries.stream);
    const job = await replay('stream');
    const polite: boolean[] = [];
    let paused: unknown;
    const startMs = services.clock.now();
    const watched: PromotionServices = {
      ...services,
      sourceOf: (source, isPolite) => {
        polite.push(isPolite);
        return services.sourceOf(source, isPolite);
      },
      whilePaused: async (work, next) => {
        paused = (await services.jobs.read(job.id))?.pause;
        await services.whilePaused(work, next);
      },
    };
    await promoteTables(watched, job, signal);
    expect(polite).toEqual([true, false]);
    expect(paused).toMatchObject({ purpose: 'promotion', host: job.runner?.host, pid: job.runner?.pid });
    expect((paused as { since: number }).since).toBeGreaterThanOrEqual(startMs);
    expect((await services.jobs.read(job.id))?.pause).toBeUndefined();
  });

  test('stores what it catches up with as the projector does, and not as a repair', async () => {
    const { services, entries, project, replay } = world();
    entries.stream = ENTRIES.slice(0, HALF);
    await project(entries.stream);
    const job = await replay('stream');
    entries.stream = ENTRIES;
    await project(ENTRIES.slice(HALF));
    await promoteTables(services, job, signal);
    for await (const id of services.fresh.eventStore.deviceIds()) {
      for await (const page of services.fresh.eventStore.pages(id)) {
        expect(page.events.some(({ repaired }) => repaired === true)).toBe(false);
      }
    }
  });

  test('after its switch reads no source, and compares nothing', async () => {
    const { services, entries, project, replay } = world();
    entries.stream = ENTRIES;
    await project(ENTRIES);
    const job = await replay('stream');
    const sourceOf = () => {
      throw new Error('a source was read');
    };
    const counts = await promoteTables({ ...services, isSwitched: true, sourceOf }, job, signal);
    expect(counts).toEqual({ caughtUpEvents: 0, carriedEvents: 0 });
  });

  test('is of a job that has tables', async () => {
    const { services } = world();
    await expect(promoteTables(services, jobOf({ target: 'fresh' }), signal)).rejects.toThrow(
      'a job that is promoted has tables',
    );
  });

  test('of a window neither wants nor carries what lies before it', async () => {
    const { services, entries, project, replay } = world();
    entries.stream = ENTRIES;
    await project(ENTRIES);
    const job = await replay('stream');
    const window = services.stream;
    const fromMs = ENTRIES[HALF]?.arrivalTime ?? 0;
    const partial = {
      ...job,
      spec: { ...job.spec, parts: [{ source: 'stream' as const, fromMs, toMs: 1 }] },
    };
    const empty = memoryStores();
    await promoteTables(
      { ...services, fresh: empty, stream: window },
      { ...partial, readThrough: {} },
      signal,
    );
    expect(await textsOf(empty)).toHaveLength(ENTRIES.length - HALF);
  });

  test('that was killed after its switch finishes when it is run again', async () => {
    const { services, entries, project, replay, steps } = world();
    const [given, ...rest] = ENTRIES;
    entries.stream = rest;
    await project(rest);
    const job = await replay('stream');
    const killed: PromotionServices = {
      ...services,
      whilePaused: async (work) => {
        await work();
        // An operator's command that had not heard of the switch.
        await project(given === undefined ? [] : [given], true);
        throw new CodedError('KILLED', 'killed');
      },
    };
    await expect(promoteTables(killed, job, signal)).rejects.toMatchObject({ code: 'KILLED' });
    const again = await services.jobs.read(job.id);
    if (again === undefined) throw new Error('the job is gone');
    expect(again.promotedTime).toBeUndefined();
    await promoteTables({ ...services, isSwitched: true }, again, signal);
    expect(await textsOf(services.fresh)).toEqual(await textsOf(services.stores));
    expect(steps).toEqual(['paused', 'switched to anew-events', 'resumed']);
  });

  test('carries over what was appended to the tables before while they were switched', async () => {
    const { services, entries, project, replay } = world();
    const [given, ...rest] = ENTRIES;
    entries.stream = rest;
    await project(rest);
    const job = await replay('stream');
    const late: PromotionServices = {
      ...services,
      whilePaused: (work, next) =>
        services.whilePaused(
          work,
          next && {
            ...next,
            settle: async () => {
              await project(given === undefined ? [] : [given], true);
              await next.settle();
            },
          },
        ),
    };
    await promoteTables(late, job, signal);
    expect(await textsOf(services.fresh)).toEqual(await textsOf(services.stores));
    expect(await services.fresh.latestState.read('bus-0' as DeviceId)).toBeDefined();
  });
});
