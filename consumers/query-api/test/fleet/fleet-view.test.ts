import { deviceId } from '@twinstream/device-model';
import type { LatestStateTable } from '@twinstream/latest-state';
import { CodedError, createLogger } from '@twinstream/runtime';
import { settled, virtualClock } from '@twinstream/test-kit';
import { afterEach, describe, expect, test } from 'vitest';
import { createFleetView } from '../../src/fleet/create-fleet-view.ts';
import type { FleetRow } from '../../src/fleet/fleet-row.ts';
import type { FleetSnapshot, FleetView } from '../../src/fleet/fleet-view.ts';
import { DEFAULT_LIVENESS_POLICY } from '../../src/liveness.ts';
import { memoryPipeline } from '../memory-pipeline.ts';
import { eventOf, type Said } from '../test-api.ts';

const views: FleetView[] = [];
afterEach(async () => {
  for (const view of views.splice(0)) await view.close();
});

function fixture({ hints = true, listDelayMs = 0 } = {}) {
  const clock = virtualClock();
  const pipeline = memoryPipeline();
  const calls = { list: 0, read: 0, poll: 0 };
  const feed = pipeline.changeFeed();
  const fault: { list?: Error; read?: Error } = {};
  let generation = 'configured';
  let states: LatestStateTable = pipeline.states;
  const view = createFleetView({
    table: {
      list: async (query) => {
        calls.list += 1;
        if (listDelayMs > 0) await clock.sleep(listDelayMs, query.signal);
        if (fault.list !== undefined) throw fault.list;
        return states.list(query);
      },
      read: async (id, options) => {
        calls.read += 1;
        if (fault.read !== undefined) throw fault.read;
        return states.read(id, options);
      },
    },
    progress: pipeline.progress,
    streamName: pipeline.streamName,
    generation: async () => generation,
    ...(hints
      ? {
          feed: {
            restart: feed.restart,
            poll: (progress, signal) => {
              calls.poll += 1;
              return feed.poll(progress, signal);
            },
          },
        }
      : {}),
    liveness: DEFAULT_LIVENESS_POLICY,
    clock,
    logger: createLogger('test', 'silent'),
  });
  views.push(view);
  const say = async (device: string, said: Said = {}) => {
    await pipeline.put(eventOf(device, said, clock.now()), clock.now());
  };
  const counters = async () => {
    const asking = view.current();
    await settled();
    return rowsOf(await asking).map(({ deviceId: id, device }) => `${id} ${device.version?.counter}`);
  };
  const switchTo = (name: string, table: LatestStateTable) => {
    generation = name;
    states = table;
  };
  return { clock, pipeline, calls, fault, view, say, counters, switchTo };
}

function rowsOf(snapshot: FleetSnapshot): FleetRow[] {
  const { columns } = snapshot.scan({}, 0);
  return [...snapshot.inOrder()].map((slot) => columns.rowAt(slot));
}

describe('the fleet view', () => {
  test('reads the whole table once, and what changes one by one', async () => {
    const { clock, calls, say, counters } = fixture();
    for (const id of ['a', 'b', 'c']) await say(id, { counter: 1 });
    expect(await counters()).toEqual(['a 1', 'b 1', 'c 1']);
    await clock.advance(1_100);
    const readings = calls.list;
    for (let counter = 2; counter < 20; counter += 1) {
      await say('b', { counter });
      await clock.advance(1_000);
      expect(await counters()).toEqual(['a 1', `b ${counter}`, 'c 1']);
    }
    expect(calls.list).toBe(readings);
    expect(calls.read).toBeLessThan(25);
  });

  test('sleeps when nobody asks, and is fresh again for the first who does', async () => {
    const { clock, calls, say, counters } = fixture();
    await say('a', { counter: 1 });
    await counters();
    await clock.advance(61_000);
    const polls = calls.poll;
    await clock.advance(3_600_000);
    expect(calls.poll).toBe(polls);
    await say('a', { counter: 2 });
    expect(await counters()).toEqual(['a 2']);
  });

  test('stays awake for those who watch, and tells them of each change', async () => {
    const { clock, say, view, counters } = fixture();
    await say('a', { counter: 1 });
    await counters();
    const told: string[] = [];
    const unwatch = view.watch((changes) => {
      for (const { before, after } of changes) {
        told.push(`${before?.row.device.version?.counter} → ${after?.row.device.version?.counter}`);
      }
    });
    await clock.advance(100_000);
    await say('a', { counter: 2 });
    await clock.advance(1_100);
    await say('b', { counter: 1 });
    await clock.advance(1_100);
    expect(told).toEqual(['1 → 2', 'undefined → 1']);
    unwatch();
    await say('a', { counter: 3 });
    await clock.advance(1_100);
    expect(told).toHaveLength(2);
  });

  test('spends no more than its share of the time on reading the table', async () => {
    const { clock, calls, say, view } = fixture({ hints: false, listDelayMs: 1_000 });
    await say('a', { counter: 1 });
    view.watch(() => undefined);
    await clock.advance(100_000);
    // One second in four.
    expect(calls.list).toBeGreaterThan(15);
    expect(calls.list).toBeLessThanOrEqual(26);
  });

  test('answers with what it has, and says how old that is, when the table is slow', async () => {
    const { clock, say, view } = fixture({ hints: false, listDelayMs: 5_000 });
    await say('a', { counter: 1 });
    const first = view.current();
    await clock.advance(5_000);
    expect(rowsOf(await first)).toHaveLength(1);
    await clock.advance(30_000);
    const askedTime = clock.now();
    const second = view.current();
    await clock.advance(1_500);
    const { asOf } = await second;
    expect(askedTime - asOf).toBeGreaterThan(1_000);
  });

  test('says that it cannot answer when the table has never been read, and answers once it can', async () => {
    const { clock, fault, say, view, counters } = fixture();
    await say('a', { counter: 1 });
    fault.list = new CodedError('DYNAMODB_UNAVAILABLE', 'away');
    await expect(view.current()).rejects.toMatchObject({ code: 'FLEET_UNAVAILABLE', retryable: true });
    delete fault.list;
    await clock.advance(6_000);
    expect(await counters()).toEqual(['a 1']);
  });

  test('loses no change whose device could not be read at first', async () => {
    const { clock, fault, calls, say, counters, view } = fixture();
    await say('a', { counter: 1 });
    await counters();
    view.watch(() => undefined);
    await clock.advance(2_000);
    const readings = calls.list;
    fault.read = new CodedError('DYNAMODB_UNAVAILABLE', 'away');
    fault.list = fault.read;
    await say('a', { counter: 2 });
    await clock.advance(3_000);
    delete fault.read;
    await clock.advance(1_100);
    expect(await counters()).toEqual(['a 2']);
    expect(calls.list).toBeLessThanOrEqual(readings + 1);
  });

  test('shows a change only once the projector has finished it, and never claims it before', async () => {
    const { clock, pipeline, say, counters, view } = fixture();
    await say('a', { counter: 1 });
    await counters();
    await clock.advance(1_100);
    const release = pipeline.hold();
    await say('a', { counter: 2 });
    await clock.advance(2_000);
    expect(await counters()).toEqual(['a 1']);
    const before = (await view.current()).resumePoint;
    await release();
    await clock.advance(1_100);
    expect(await counters()).toEqual(['a 2']);
    const after = (await view.current()).resumePoint;
    expect([...after.seen.values()]).not.toEqual([...before.seen.values()]);
  });

  test('reads the table rather than most of its devices one by one', async () => {
    const { clock, calls, say, counters } = fixture();
    for (let index = 0; index < 300; index += 1) await say(`d-${index}`, { counter: 1 });
    await counters();
    await clock.advance(1_100);
    const { list, read } = calls;
    for (let index = 0; index < 300; index += 1) await say(`d-${index}`, { counter: 2 });
    await clock.advance(2_100);
    expect((await counters()).every((line) => line.endsWith(' 2'))).toBe(true);
    expect([calls.read - read, calls.list - list]).toEqual([0, 1]);
  });

  test('keeps what was read later when an older reading of the table ends after it', async () => {
    const { clock, say, counters, view } = fixture({ listDelayMs: 5_000 });
    await say('a', { counter: 1 });
    view.watch(() => undefined);
    await clock.advance(6_000);
    // The view reads the table again after five minutes; meanwhile a change is read alone.
    await clock.advance(296_000);
    await say('a', { counter: 2 });
    await clock.advance(1_100);
    expect(await counters()).toEqual(['a 2']);
    await clock.advance(10_000);
    expect(await counters()).toEqual(['a 2']);
  });

  test('shows another table that takes the place of this one, older as its states may be', async () => {
    const { clock, say, counters, switchTo } = fixture();
    await say('a', { counter: 1 });
    await say('a', { counter: 2 });
    await say('b', { counter: 1 });
    expect(await counters()).toEqual(['a 2', 'b 1']);
    await clock.advance(2_000);
    // The other table was made by a replay: fewer pages, another history, one device that is in this one alone.
    const rebuilt = memoryPipeline();
    await rebuilt.put(eventOf('a', { counter: 7 }, clock.now()), clock.now());
    await rebuilt.put(eventOf('c', { counter: 1 }, clock.now()), clock.now());
    switchTo('rebuilt', rebuilt.states);
    await clock.advance(3_000);
    expect(await counters()).toEqual(['a 7', 'c 1']);
  });

  test('drops a device that has left the table', async () => {
    const { clock, pipeline, say, view } = fixture({ hints: false });
    await say('a', { counter: 1 });
    await say('b', { counter: 1 });
    let shown: readonly string[] = [];
    view.watch((_changes, snapshot) => {
      shown = rowsOf(snapshot).map((row) => row.deviceId);
    });
    await clock.advance(1_100);
    expect(shown).toEqual(['a', 'b']);
    const list = pipeline.states.list;
    Object.assign(pipeline.states, {
      list: async (query: Parameters<typeof list>[0]) => {
        const answer = await list(query);
        return { ...answer, devices: answer.devices.filter((state) => state.deviceId !== deviceId('a')) };
      },
    });
    await clock.advance(2_100);
    expect(shown).toEqual(['b']);
  });
});
