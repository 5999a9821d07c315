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

  test('holds few heads of refused states, which are large', () => {
    const heads = new HeadCache(1_000);
    for (let index = 0; index < 100; index += 1) {
      const state = { ...newDevice(deviceId(`large-${index}`)), page: 2 };
      heads.put({ state, statePage: 1, basePage: 1 });
    }
    expect(heads.deviceCount).toBe(REFUSED_HEADS_MAX);
  });
});
