import { deviceId, newDevice } from '@twinstream/device-model';
import { describe, expect, test } from 'vitest';
import { HeadCache } from '../src/head-cache.ts';

const [A, B, C] = ['a', 'b', 'c'].map((name) => newDevice(deviceId(name)));
if (A === undefined || B === undefined || C === undefined) throw new Error('three devices are needed');

describe('the head cache', () => {
  test('hands a head over once: a failure of its taker leaves nothing behind', () => {
    const heads = new HeadCache(3);
    heads.put(A);
    expect(heads.take(A.deviceId)).toBe(A);
    expect(heads.take(A.deviceId)).toBeUndefined();
    expect(heads.deviceCount).toBe(0);
  });

  test('forgets the device longest unused when it is full', () => {
    const heads = new HeadCache(2);
    heads.put(A);
    heads.put(B);
    heads.put(heads.take(A.deviceId) ?? A);
    heads.put(C);
    expect(heads.deviceCount).toBe(2);
    expect(heads.take(B.deviceId)).toBeUndefined();
    expect([heads.take(A.deviceId), heads.take(C.deviceId)]).toEqual([A, C]);
  });

  test('keeps the state put last of a device, in one place', () => {
    const heads = new HeadCache(2);
    const later = { ...A, page: 1 };
    heads.put(A);
    heads.put(B);
    heads.put(later);
    expect(heads.deviceCount).toBe(2);
    expect(heads.take(A.deviceId)).toBe(later);
  });
});
