import { createHash } from 'node:crypto';
import { ITEM_BYTES_MAX, itemBytes } from '@twinstream/aws/dynamodb';
import { newDevice } from '@twinstream/device-model';
import { DEVICE } from '@twinstream/test-kit';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../src/event-store.ts';
import { decodeSnapshot, encodeSnapshot, isWithoutValues, withoutValues } from '../src/snapshot-item.ts';

/** Receipts with so many gaps, at distances that do not repeat. */
function withGaps(count: number): Snapshot {
  const ranges = [];
  let seed = 1;
  let at = 0;
  for (let n = 0; n < count; n += 1) {
    seed = (seed * 48_271) % 2_147_483_647;
    const first = at + 2 + (seed % 997);
    at = first + (seed % 89);
    ranges.push({ first, last: at });
  }
  const receipts = {
    sessions: new Map([[1, { lowest: ranges[0]?.first ?? 0, highest: at, ranges }]]),
    corrections: [],
    correctionsDropped: 0,
  };
  return { foldVersion: 1, state: newDevice(DEVICE), receipts };
}

describe('a snapshot as an item', () => {
  it('holds the receipts of a device with a hundred thousand gaps', () => {
    const snapshot = withGaps(100_000);
    const item = encodeSnapshot(snapshot);
    expect(item && itemBytes(item)).toBeLessThanOrEqual(ITEM_BYTES_MAX);
    expect(item && decodeSnapshot(item)).toEqual(snapshot);
  });

  it('is none where the receipts are more than an item holds', () => {
    expect(encodeSnapshot(withGaps(400_000))).toBeUndefined();
  });

  it('keeps versions alone where no item holds the values', () => {
    const version = { session: 1, counter: 7, ordinal: 0, revision: 0 };
    const noise = Array.from({ length: 8_000 }, (_, n) =>
      createHash('sha512').update(`${n}`).digest('base64'),
    ).join('');
    const attributes = new Map([['image', { value: noise, version }]]);
    const snapshot = { ...withGaps(1), state: { ...newDevice(DEVICE), attributes } };
    const item = encodeSnapshot(snapshot) ?? {};
    expect(isWithoutValues(item)).toBe(true);
    expect(itemBytes(item)).toBeLessThan(1_000);
    expect(decodeSnapshot(item)).toEqual(withoutValues(snapshot));
    expect(isWithoutValues(encodeSnapshot(withGaps(1)) ?? {})).toBe(false);
  });

  it('says receipts that forgot nothing once, and names what is damaged by what it has of its key', () => {
    const item = encodeSnapshot({
      ...withGaps(1),
      state: newDevice(DEVICE),
      receipts: newDevice(DEVICE).receipts,
    });
    expect(JSON.parse(item?.body?.S ?? '{}')).not.toHaveProperty('receipts');
    expect(JSON.parse(encodeSnapshot(withGaps(1))?.body?.S ?? '{}')).toHaveProperty('receipts');
    expect(() => decodeSnapshot({})).toThrow('snapshot ? ? cannot be read: ');
    const damaged = { ...encodeSnapshot(withGaps(1)), body: { S: '{' } };
    expect(() => decodeSnapshot(damaged)).toThrowError(
      expect.objectContaining({
        message: expect.stringContaining(`snapshot ${DEVICE} SNAPSHOT#`),
        cause: expect.any(SyntaxError),
      }),
    );
  });

  it('without values keeps the version of each attribute', () => {
    const version = { session: 1, counter: 7, ordinal: 0, revision: 0 };
    const attributes = new Map([['speedMph', { value: 3, version }]]);
    const { state } = withoutValues({ ...withGaps(1), state: { ...newDevice(DEVICE), attributes } });
    expect([...state.attributes]).toEqual([['speedMph', { version }]]);
  });

  it.each([
    [
      'a whole body of a later format',
      { body: { S: (encodeSnapshot(withGaps(1))?.body?.S ?? '').replace('"format":1', '"format":2') } },
    ],
    [
      'a status that is none',
      { body: { S: (encodeSnapshot(withGaps(1))?.body?.S ?? '').replace('"unknown"', '"asleep"') } },
    ],
    ['a body that is no JSON', { body: { S: '{' } }],
    ['a body of a later format', { body: { S: '{"format":2}' } }],
    ['a state without receipts', { body: { S: '{"format":1,"state":{}}' } }],
    ['the key of a page', { key: { S: 'EVENT#0000000000000#000000000001' } }],
  ])('reports %s as damage', (_, damage) => {
    const item = { ...encodeSnapshot(withGaps(1)), ...damage };
    expect(() => decodeSnapshot(item)).toThrowError(expect.objectContaining({ code: 'DAMAGED_SNAPSHOT' }));
  });
});
