import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { describe, expect, test } from 'vitest';
import { readTransform } from '../../src/quarantine/transform.ts';

const record = {
  shardId: shardId('shardId-000000000000'),
  sequenceNumber: sequenceNumber('1'),
  arrivalTime: 0,
  partitionKey: 'x',
  data: Buffer.from(''),
  entries: [],
};

async function transformed(steps: string, event: string): Promise<unknown> {
  const made = await text(steps, event);
  return made === undefined ? undefined : JSON.parse(made);
}

async function text(steps: string, event: string): Promise<string | undefined> {
  const transform = await readTransform(steps, '/');
  const entry = { reason: 'not-json' as const, detail: '', subSequenceNumber: 0, partitionKey: 'x' };
  const made = await transform({ ...entry, data: Buffer.from(event) }, record);
  return made === undefined ? undefined : Buffer.from(made).toString();
}

describe('a transformation', () => {
  test('sets, copies and deletes members, in the order of its steps', async () => {
    expect(await transformed('.v = 1 | .deviceId = .id | del(.id)', '{"id":"bus-1","data":{}}')).toEqual({
      v: 1,
      deviceId: 'bus-1',
      data: {},
    });
    expect(await transformed('.data.speed = {"mph":1} | del(.data.old)', '{"data":{"old":1}}')).toEqual({
      data: { speed: { mph: 1 } },
    });
  });

  test('parts steps where no text is open', async () => {
    expect(await transformed('.note = "x|y" | .quote = "a\\"|\\\\" | del(.old)', '{"old":1}')).toEqual({
      note: 'x|y',
      quote: 'a"|\\',
    });
  });

  test('keeps the words of every member that it does not touch', async () => {
    const big = '{ "n" : 9007199254740993, "data":{"one":1.0,"e":1E2,"text":"\\u0041","old":0} }';
    expect(await text('.data.old = 12345678901234567890 | .m = .n', big)).toBe(
      '{"n" : 9007199254740993,"data":{"one":1.0,"e":1E2,"text":"\\u0041","old":12345678901234567890},"m":9007199254740993}',
    );
  });

  test('leaves alone a value that is not an object', async () => {
    expect(await transformed('.v = 1', 'not json')).toBeUndefined();
    expect(await transformed('.v = 1', '[1]')).toBeUndefined();
  });

  test('reaches no prototype', async () => {
    await transformed('.__proto__.polluted = true | .constructor.prototype.polluted = true', '{}');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  test.each(['', 'v = 1', '.v', '.v = nope nope', 'del(v)', '.v == 1'])('%j is none', async (steps) => {
    await expect(readTransform(steps, '/')).rejects.toMatchObject({ code: 'INVALID_USAGE' });
  });
});
