import { deviceId, newDevice } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { durableHead, HeadCache, REFUSED_HEADS_MAX } from '../src/head-cache.ts';

const [A, B, C] = ['a', 'b', 'c'].map((name) => durableHead(newDevice(deviceId(name))));
if (A === undefined || B === undefined || C === undefined) throw new Error('three devices are needed');

describe('the head cache', () => {
  test('hands a head over once: a failure of its taker leaves nothing behind', () => {
    const heads = new HeadCache(3);
    heads.put(A);
    expect(heads.take(A.state.deviceId)).toBe(A);
    expect(heads.take(A.state.deviceId)).toBeUndefined();
    expect(heads.deviceCount).toBe(0);
  });

  test('forgets the device longest unused when it is full', () => {
    const heads = new HeadCache(2);
    heads.put(A);
    heads.put(B);
    heads.put(heads.take(A.state.deviceId) ?? A);
    heads.put(C);
    expect(heads.deviceCount).toBe(2);
    expect(heads.take(B.state.deviceId)).toBeUndefined();
    expect([heads.take(A.state.deviceId), heads.take(C.state.deviceId)]).toEqual([A, C]);
  });

  test('keeps the state put last of a device, in one place', () => {
    const heads = new HeadCache(2);
    const later = durableHead({ ...A.state, page: 1 });
    heads.put(A);
    heads.put(B);
    heads.put(later);
    expect(heads.deviceCount).toBe(2);
    expect(heads.take(A.state.deviceId)).toBe(later);
  });

  test('forgets the ends of the chains longest unused beyond its number of keys, and keeps their heads', () => {
    const heads = new HeadCache(10, 5);
    const trace = { arrivalTime: 1, key: 'k', isLate: false };
    const recent = { traces: [trace, trace], arrivalMaxBefore: 0, tracesMax: 2 };
    const known = [A, B, C].map((head) => ({ ...head, recent }));
    for (const head of known) heads.put(head);
    expect(heads.deviceCount).toBe(3);
    expect(heads.take(A.state.deviceId)).toEqual(A);
    expect(heads.take(B.state.deviceId)).toEqual(known[1]);
    heads.put({ ...A, recent });
    expect(heads.take(C.state.deviceId)).toEqual(known[2]);
    expect(heads.take(A.state.deviceId)).toEqual(known[0]);
  });

  const refused = (name: string) => ({
    ...{ state: { ...newDevice(deviceId(name)), page: 2 }, statePage: 1, basePage: 1 },
  });

  test('holds few heads of refused states, which are large, and as many others as it is to hold', () => {
    const heads = new HeadCache(1_000);
    for (let index = 0; index < 100; index += 1) {
      heads.put(refused(`large-${index}`));
      heads.put(durableHead(newDevice(deviceId(`small-${index}`))));
    }
    expect(heads.deviceCount).toBe(REFUSED_HEADS_MAX + 100);
  });

  test('hands a refused head over once, and has one head of a device whose state fits again', () => {
    const heads = new HeadCache(10);
    const [before, after] = [refused('a'), A];
    heads.put(before);
    expect(heads.take(A.state.deviceId)).toBe(before);
    expect(heads.take(A.state.deviceId)).toBeUndefined();
    heads.put(before);
    heads.put(after);
    expect(heads.deviceCount).toBe(1);
    expect(heads.take(A.state.deviceId)).toBe(after);
  });

  test('that is to hold nothing holds nothing', () => {
    const heads = new HeadCache(0);
    heads.put(A);
    heads.put(refused('b'));
    expect(heads.deviceCount).toBe(0);
  });
});
