import { type EventPage, foldPage, newDevice } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { A, arrived, counted, DEVICE, openChain, uncounted, valuesOf } from './device-chain.ts';

describe('folding', () => {
  test('replaces an attribute whole, and leaves the others', () => {
    const chain = openChain();
    chain.deliver(A, [
      arrived(1, counted(1, 1, { data: { place: { lat: 1, lon: 2 }, speed: 3 } })),
      arrived(2, counted(1, 2, { data: { place: { lat: 4 } } })),
    ]);
    expect(valuesOf(chain.state)).toEqual({ place: { lat: 4 }, speed: 3 });
  });

  test('null removes an attribute, and its tombstone keeps out what is older', () => {
    const chain = openChain();
    chain.deliver(A, [
      arrived(1, counted(1, 1, { data: { door: 'open' } })),
      arrived(2, counted(1, 5, { data: { door: null } })),
    ]);
    expect(chain.state.attributes.get('door')).toEqual({
      version: { session: 1, counter: 5, ordinal: 0, revision: 0 },
    });
    chain.deliver(A, [arrived(3, counted(1, 3, { data: { door: 'ajar' } }))]);
    expect(valuesOf(chain.state)).toEqual({});
    chain.deliver(A, [arrived(4, counted(1, 6, { data: { door: 'shut' } }))]);
    expect(valuesOf(chain.state)).toEqual({ door: 'shut' });
  });

  test('null for an attribute never heard leaves a tombstone, too', () => {
    const chain = openChain();
    chain.deliver(A, [
      arrived(1, counted(1, 5, { data: { door: null } })),
      arrived(2, counted(1, 3, { data: { door: 'open' } })),
    ]);
    expect(valuesOf(chain.state)).toEqual({});
  });

  test('takes the status from the newest of connected and disconnected, and their data, too', () => {
    const chain = openChain();
    chain.deliver(A, [
      arrived(1, counted(1, 3, { type: 'disconnected', data: { cause: 'battery' } })),
      arrived(2, counted(1, 1, { type: 'connected', data: { cause: 'boot' } })),
    ]);
    expect(chain.state.status).toMatchObject({ value: 'disconnected', version: { counter: 3 } });
    expect(valuesOf(chain.state)).toEqual({ cause: 'battery' });
  });

  test('an unknown type is stored and counted, and changes no state', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 1, { type: 'rebooted', data: { speed: 1 } }))]);
    expect(chain.state).toMatchObject({
      counts: { events: 1 },
      status: { value: 'unknown' },
      current: { counter: 1 },
    });
    expect(valuesOf(chain.state)).toEqual({});
  });

  test('gaps are an exact number up to 2^53 - 1, which then stands for that number or more', () => {
    const chain = openChain();
    const far = Number.MAX_SAFE_INTEGER;
    chain.deliver(A, [arrived(1, counted(1, 0)), arrived(2, counted(1, far))]);
    expect(chain.state.counts.gaps).toBe(far - 1);
    chain.deliver(A, [arrived(3, counted(2, 0)), arrived(4, counted(2, far))]);
    expect(chain.state.counts.gaps).toBe(far);
    chain.deliver(A, [arrived(5, counted(2, 7)), arrived(6, counted(3, 0)), arrived(7, counted(3, 5))]);
    expect(chain.state.counts.gaps).toBe(far);
  });

  test('the last event time is that of the newest version, as the device wrote it; the clock does not matter', () => {
    const chain = openChain();
    chain.deliver(A, [
      arrived(1, counted(1, 2, { time: '2020-01-01T00:00:00+01:00' })),
      arrived(2, counted(1, 1, { time: '2030-01-01T00:00:00Z' })),
    ]);
    expect(chain.state.lastEventTime?.value).toBe('2020-01-01T00:00:00+01:00');
  });

  test('the position is that of the event accepted last, late or not', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 5)), arrived(2, counted(1, 3))]);
    expect(chain.state.position).toEqual({ shardId: A, sequenceNumber: '2', subSequenceNumber: 0 });
  });

  test('refuses a page that is not the next of this device', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, uncounted())]);
    chain.deliver(A, [arrived(2, uncounted())]);
    const [first, second] = chain.pages as [EventPage, EventPage];
    expect(() => foldPage(newDevice(DEVICE), second)).toThrow(RangeError);
    expect(() => foldPage(chain.state, first)).toThrow(RangeError);
    expect(() => foldPage({ ...newDevice(DEVICE), deviceId: 'other' as typeof DEVICE }, first)).toThrow(
      RangeError,
    );
  });

  test('leaves the state that it began with as it was', () => {
    const chain = openChain();
    chain.deliver(A, [arrived(1, counted(1, 1, { data: { speed: 1 } }))]);
    const before = structuredClone(chain.state);
    const start = chain.state;
    chain.deliver(A, [arrived(2, counted(1, 2, { data: { speed: 2 } })), arrived(3, counted(2, 2))]);
    expect(start).toEqual(before);
  });
});
