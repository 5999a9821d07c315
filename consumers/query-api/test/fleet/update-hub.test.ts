import { readEvents } from '@twinstream/test-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { UpdateQuery, UpdateSink, UpdateStream } from '../../src/fleet/update-stream.ts';
import { type TestApi, testApi } from '../test-api.ts';

let api: TestApi;
beforeEach(() => {
  api = testApi();
});
afterEach(() => api.close());

/** A client that can stop taking what it gets. */
async function client(query: Partial<UpdateQuery> = {}) {
  let text = '';
  let hasRoom = true;
  let isClosed = false;
  const sink: UpdateSink = {
    write: (bytes) => {
      text += new TextDecoder().decode(bytes);
      return hasRoom;
    },
    close: () => {
      isClosed = true;
    },
  };
  const snapshot = await api.services.fleet.current();
  const stream = api.services.updates.open({ filter: {}, snapshot: false, ...query }, snapshot, sink);
  if (stream === undefined) throw new Error('refused');
  const open: UpdateStream = stream;
  return {
    take: () => {
      const events = readEvents(text);
      text = '';
      return events.map(({ event, data }) =>
        event === 'device' ? `${data.deviceId} ${data.version?.counter}` : event,
      );
    },
    block: () => {
      hasRoom = false;
    },
    unblock: () => {
      hasRoom = true;
      open.resume();
    },
    end: () => open.end(),
    isClosed: () => isClosed,
  };
}

describe('the update hub', () => {
  test('gives a client that has fallen behind the last of all it missed, and no more', async () => {
    await api.say('a', { counter: 1 });
    const slow = await client();
    slow.take();
    slow.block();
    await api.say('a', { counter: 2 });
    await api.clock.advance(1_100);
    expect(slow.take()).toEqual(['a 2', 'sync']);
    for (const counter of [3, 4, 5]) {
      await api.say('a', { counter });
      await api.say('b', { counter });
      await api.clock.advance(1_100);
    }
    expect(slow.take()).toEqual([]);
    slow.unblock();
    expect(slow.take()).toEqual(['a 5', 'b 5', 'sync']);
  });

  test('does not let one slow client hold up others that ask for the same', async () => {
    const slow = await client();
    const quick = await client();
    slow.block();
    for (const counter of [1, 2]) {
      await api.say('a', { counter });
      await api.clock.advance(1_100);
    }
    expect(quick.take()).toEqual(['sync', 'a 1', 'sync', 'a 2', 'sync']);
  });

  test('tells a client that has fallen behind what left its filter, once', async () => {
    await api.say('a', { counter: 1, data: { site: 'north' } });
    const slow = await client({ filter: { site: 'north' } });
    slow.take();
    slow.block();
    await api.say('a', { counter: 2 });
    await api.clock.advance(1_100);
    slow.take();
    await api.say('a', { counter: 3, data: { site: 'south' } });
    await api.say('b', { counter: 1, data: { site: 'south' } });
    await api.clock.advance(1_100);
    await api.say('a', { counter: 4 });
    await api.clock.advance(1_100);
    slow.unblock();
    expect(slow.take()).toEqual(['leave', 'sync']);
  });

  test('sends a large first picture in slices that a client takes when it can', async () => {
    for (let index = 0; index < 450; index += 1) await api.say(`d-${1_000 + index}`, { counter: 1 });
    const slow = await client({ snapshot: true });
    expect(slow.take()).toHaveLength(451);
    const slower = await client({ snapshot: true });
    slower.take();
    slower.block();
    await api.say('d-1000', { counter: 2 });
    await api.clock.advance(1_100);
    slower.unblock();
    expect(slower.take()).toEqual(['d-1000 2', 'sync']);
  });

  test('ends all streams when it closes', async () => {
    const one = await client();
    const other = await client({ filter: { site: 'x' } });
    api.services.updates.close();
    expect([one.isClosed(), other.isClosed()]).toEqual([true, true]);
  });
});
