import { describe, expect, test } from 'vitest';
import { ListedDifferences, MissingEvents } from '../src/missing-events.ts';

const LISTED_MAX = 1_000;

describe('what the archive has and nothing else', () => {
  test('is named with what should be there, events of lost devices as their number', () => {
    const missing = new MissingEvents();
    missing.addNotStored('a', 'shard:1:0', 'event 1.1');
    missing.addNotQuarantined('key', 'shard:2:0');
    missing.addOfLostDevice('b');
    missing.addOfLostDevice('c');
    missing.addOfLostDevice('c');
    expect(missing.count).toBe(5);
    const device = { kind: 'device-missing', subject: 'the device', found: 'nothing stored' };
    expect(missing.differences()).toEqual([
      { ...device, deviceId: 'b', expected: '1 archived event' },
      { ...device, deviceId: 'c', expected: '2 archived events' },
      {
        deviceId: 'a',
        kind: 'not-stored',
        subject: 'shard:1:0',
        expected: 'event 1.1',
        found: 'nothing stored',
      },
      {
        deviceId: 'key',
        kind: 'not-quarantined',
        subject: 'shard:2:0',
        expected: 'a dead letter',
        found: 'none',
      },
    ]);
  });
});

describe('differences of a device', () => {
  const add = (listed: ListedDifferences, count: number, deviceId: string) => {
    for (let n = 1; n <= count; n += 1) {
      listed.add({ deviceId, kind: 'not-archived', subject: String(n), expected: 'a line', found: 'none' });
    }
  };

  test('are listed one by one up to a bound for each device and kind, and counted beyond it', () => {
    const listed = new ListedDifferences();
    add(listed, LISTED_MAX, 'a');
    add(listed, LISTED_MAX + 2, 'b');
    const all = listed.all();
    expect(all).toHaveLength(2 * LISTED_MAX + 1);
    expect(all.at(-1)).toEqual({
      deviceId: 'b',
      kind: 'not-archived',
      subject: '2 more positions',
      expected: 'as above',
      found: 'as above',
    });
  });
});
