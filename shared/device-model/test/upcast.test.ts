import { decodeEvent, type JsonObject, UPCASTERS, type Upcaster, upcast } from '@twinstream/device-model';
import { describe, expect, it } from 'vitest';

const fromMinusOne: Upcaster = ({ id, ...event }) => ({ ...event, v: 0, deviceId: id ?? null });
const fromZero: Upcaster = ({ kind, ...event }) => ({ ...event, v: 1, type: kind ?? 'reported' });
const chain = new Map([
  [-1, fromMinusOne],
  [0, fromZero],
]);

describe('an older event', () => {
  it('comes up through every version between', () => {
    const event: JsonObject = { v: -1, id: 'bus-1', kind: 'connected' };
    expect(upcast(event, chain)).toEqual({ v: 1, deviceId: 'bus-1', type: 'connected' });
  });

  it('is left as it is when it is of this version', () => {
    const event: JsonObject = { v: 1, deviceId: 'bus-1' };
    expect(upcast(event, chain)).toBe(event);
    expect(upcast(event)).toBe(event);
  });

  it.each([[{ v: 2 }], [{ v: '1' }], [{}], [{ v: 0 }]])(
    'is refused where no way leads up from %j',
    (event) => {
      expect(upcast(event, UPCASTERS)).toBeUndefined();
    },
  );

  it('is refused by an upcaster that does not give the next version', () => {
    const stuck = new Map<number, Upcaster>([[0, (event) => event]]);
    expect(upcast({ v: 0 }, stuck)).toBeUndefined();
  });

  it('of a record of the stream is taken as one of this version, and keeps its own text', () => {
    const text = '{"v":0,"deviceId":"bus-1","kind":"connected","time":"2026-01-01T00:00:00Z"}';
    expect(decodeEvent(Buffer.from(text), chain)).toEqual({
      event: { v: 1, deviceId: 'bus-1', type: 'connected', time: '2026-01-01T00:00:00Z', data: {} },
      text,
    });
    expect(decodeEvent(Buffer.from(text))).toMatchObject({ rejected: 'unsupported-version' });
  });
});
