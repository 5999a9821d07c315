import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QuarantinedEntry, QuarantinedRecord } from '@twinstream/quarantine';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixedEvents } from '../../src/quarantine/transform.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-fixed-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const PLACE = { shardId: 'shardId-000000000000', sequenceNumber: '42', subSequenceNumber: 0 };
const record: QuarantinedRecord = {
  shardId: shardId(PLACE.shardId),
  sequenceNumber: sequenceNumber(PLACE.sequenceNumber),
  arrivalTime: 0,
  partitionKey: 'bus-1',
  data: Buffer.from('{'),
  entries: [],
};
const entry: QuarantinedEntry = {
  reason: 'not-json',
  detail: 'the text is not JSON',
  subSequenceNumber: 0,
  partitionKey: 'bus-1',
  data: Buffer.from('{'),
};

async function fixedFrom(text: string): Promise<string | undefined> {
  writeFileSync(join(folder, 'fixed.ndjson'), text);
  const bytes = await (await fixedEvents('fixed.ndjson', folder))(entry, record);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

describe('a file of fixed events', () => {
  test('is read by its line ends alone: a raw line or paragraph separator is text', async () => {
    const event = { note: 'one\u2028two\u2029three' };
    expect(await fixedFrom(`${JSON.stringify({ ...PLACE, event })}\n`)).toBe(JSON.stringify(event));
  });

  test('may come from a system that ends lines by \\r\\n, with empty lines, without an end', async () => {
    const event = { note: 'x' };
    expect(await fixedFrom(`\r\n\n${JSON.stringify({ ...PLACE, event })}`)).toBe(JSON.stringify(event));
  });

  test('with a line that no event needs is refused by its number', async () => {
    await expect(fixedFrom(`\n{"x":"${'y'.repeat(5_000_000)}"}\n`)).rejects.toMatchObject({
      code: 'INVALID_USAGE',
      message: expect.stringContaining('fixed.ndjson line 2'),
    });
  });
});
