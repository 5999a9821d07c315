import { createLogger } from '@twinstream/runtime';
import { settled, virtualClock } from '@twinstream/test-kit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFleetView, type FleetViewOptions } from '../../src/fleet/create-fleet-view.ts';
import type { FleetSnapshot } from '../../src/fleet/fleet-view.ts';
import { DEFAULT_LIVENESS_POLICY } from '../../src/liveness.ts';
import { memoryPipeline } from '../memory-pipeline.ts';
import { eventOf } from '../test-api.ts';
import { memorySavedView } from './memory-saved-view.ts';

const RETENTION_MS = 24 * 3_600_000;

function fixture() {
  const clock = virtualClock();
  const pipeline = memoryPipeline({ shardCount: 2 });
  const store = memorySavedView(clock.now);
  const lists = { count: 0 };
  const notUsed: unknown[] = [];
  const logger = createLogger('test', 'silent');
  const note = (details: object, message?: string) => {
    if (message === 'saved view not used') notUsed.push(details);
  };
  logger.warn = note;
  logger.info = note;
  const start = (options: Partial<FleetViewOptions> = {}) =>
    createFleetView({
      table: {
        read: pipeline.states.read,
        list: (query) => {
          lists.count += 1;
          return pipeline.states.list(query);
        },
      },
      progress: pipeline.progress,
      streamName: pipeline.streamName,
      generation: async () => 'configured',
      feed: pipeline.changeFeed(),
      liveness: DEFAULT_LIVENESS_POLICY,
      clock,
      logger,
      saved: { store, retentionMs: async () => RETENTION_MS, random: () => 0 },
      ...options,
    });
  const say = (device: number, counter: number) =>
    pipeline.put(eventOf(`d-${device}`, { counter, data: { n: counter } }, clock.now()), clock.now());
  return { clock, pipeline, store, lists, notUsed, start, say };
}

async function current(view: ReturnType<typeof createFleetView>): Promise<FleetSnapshot> {
  const asking = view.current();
  await settled();
  return asking;
}

function rowsOf(snapshot: FleetSnapshot) {
  const { columns } = snapshot.scan({}, 0);
  return [...snapshot.inOrder()].map((slot) => {
    const { alteredTime: _, ...row } = columns.rowAt(slot);
    return row;
  });
}

describe('a view that is restored', () => {
  test('holds what a reading of the table holds, whatever changed meanwhile, and reads no table', async () => {
    const changes = fc.array(fc.nat({ max: 9 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(changes, changes, changes, changes, async (before, during, held, later) => {
        const { clock, pipeline, store, lists, start, say } = fixture();
        let counter = 0;
        const sayAll = async (devices: readonly number[]) => {
          for (const device of devices) {
            counter += 1;
            await say(device, counter);
          }
        };
        await sayAll([0, ...before]);
        const first = start();
        await current(first);
        await clock.advance(2_000);
        await sayAll(during);
        await clock.advance(1_100);
        const release = pipeline.hold();
        await sayAll(held);
        await clock.advance(1_100);
        // The view is saved while some records are in the stream and not in the table.
        await first.close();
        expect(store.bytes).toBeDefined();
        await release();
        await sayAll(later);
        lists.count = 0;
        const second = start();
        await current(second);
        await clock.advance(3_000);
        const restored = await current(second);
        const scanned = start({
          saved: {
            store: memorySavedView(clock.now),
            retentionMs: async () => RETENTION_MS,
            random: () => 0,
          },
        });
        const wanted = rowsOf(await current(scanned));
        expect(rowsOf(restored)).toEqual(wanted);
        expect(restored.hasCaughtUp).toBe(true);
        expect(clock.now() - restored.asOf).toBeLessThanOrEqual(2_000);
        // The one reading is that of the view that had nothing to restore.
        expect(lists.count).toBe(1);
        await second.close();
        await scanned.close();
      }),
      { numRuns: 60 },
    );
  });

  test('is as of when it was saved, and not ready, until it has caught up', async () => {
    const { clock, start, say, pipeline } = fixture();
    await say(1, 1);
    const first = start();
    await current(first);
    await clock.advance(2_000);
    await first.close();
    const savedTime = clock.now();
    await clock.advance(600_000);
    await say(1, 2);
    const feed = pipeline.changeFeed();
    const away = { now: true };
    const second = start({
      table: {
        read: pipeline.states.read,
        list: async () => Promise.reject(new Error('the table is away')),
      },
      feed: {
        restart: feed.restart,
        poll: async (...query) => {
          if (away.now) throw new Error('the stream is away');
          return feed.poll(...query);
        },
      },
    });
    const asking = second.current();
    await clock.advance(2_000);
    const stale = await asking;
    expect(stale.hasCaughtUp).toBe(false);
    expect(stale.asOf).toBeLessThanOrEqual(savedTime);
    expect(rowsOf(stale)[0]?.device.version?.counter).toBe(1);
    away.now = false;
    await clock.advance(2_000);
    const caughtUp = await current(second);
    expect([caughtUp.hasCaughtUp, rowsOf(caughtUp)[0]?.device.version?.counter]).toEqual([true, 2]);
    await second.close();
  });

  test.each([
    ['none', (f: ReturnType<typeof fixture>) => delete f.store.bytes, {}],
    ['damaged', (f: ReturnType<typeof fixture>) => f.store.bytes?.fill(0, 20), {}],
    ['foreign', () => undefined, { streamName: 'another' }],
    ['foreign', () => undefined, { generation: async () => 'another' }],
    ['too-old', (f: ReturnType<typeof fixture>) => f.clock.advance(RETENTION_MS), {}],
    [
      'unreadable',
      (f: ReturnType<typeof fixture>) =>
        Object.assign(f.store, { read: async () => Promise.reject(new Error('away')) }),
      {},
    ],
  ])(
    'is not made of a saved one that is %s: the log says so, and the table is read',
    async (reason, change, options) => {
      const f = fixture();
      await f.say(1, 1);
      const first = f.start();
      await current(first);
      await f.clock.advance(2_000);
      await first.close();
      await change(f);
      f.lists.count = 0;
      f.notUsed.length = 0;
      const second = f.start(options);
      expect(rowsOf(await current(second))).toHaveLength(1);
      expect(f.lists.count).toBe(1);
      expect(f.notUsed).toMatchObject([{ reason }]);
      await second.close();
    },
  );

  test('is ready, too, where it has read the table, and the stream cannot be followed', async () => {
    const { clock, start, say } = fixture();
    await say(1, 1);
    const view = start({
      feed: { restart: () => undefined, poll: async () => Promise.reject(new Error('the stream is away')) },
    });
    expect((await current(view)).hasCaughtUp).toBe(true);
    await clock.advance(30_000);
    await view.close();
  });

  test('is saved every five minutes, by one of several processes', async () => {
    const { clock, start, say, store } = fixture();
    await say(1, 1);
    const writes: number[] = [];
    const { write } = store;
    store.write = async (bytes) => {
      await write(bytes);
      writes.push(clock.now());
    };
    const saved = { store, retentionMs: async () => RETENTION_MS };
    const views = [0, 0.5].map((phase) => start({ saved: { ...saved, random: () => phase } }));
    const startTime = clock.now();
    for (const view of views) view.watch(() => undefined);
    await clock.advance(1_000_000);
    expect(writes.map((time) => Math.round((time - startTime) / 60_000))).toEqual([3, 8, 13]);
    for (const view of views) await view.close();
  });
});
