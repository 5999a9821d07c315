import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sequenceNumber, shardId } from '@twinstream/stream-model';
import { ProducerError } from '@twinstream/stream-producer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ledgerIn, openLedger, readLedger } from '../../src/sending/ledger.ts';
import { type LedgerLine, outcomeLine, refusedLine, unsentLine } from '../../src/sending/ledger-entry.ts';
import { lineBytes, type PlannedEvent } from '../../src/sending/planned-event.ts';
import { bytesOf } from '../../src/sending/simulated-record.ts';
import { planned } from './listed-source.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twinstream-ledger-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recordOf = (event: PlannedEvent) => ({
  partitionKey: event.deviceId,
  data: bytesOf(event),
  planned: event,
  n: 3,
  dueAtMs: 1_000.123_456,
  sentAtMs: 1_002,
});
const position = {
  shardId: shardId('shardId-000000000001'),
  sequenceNumber: sequenceNumber('49599999999999999999999999999999999999999999999999999999'),
  subSequenceNumber: 4,
};

/** A line as a file has it. */
async function textOf(line: LedgerLine): Promise<string> {
  const path = join(folder, 'line.ndjson');
  const ledger = await openLedger(path);
  ledger.write(line);
  await ledger.close();
  return readFileSync(path, 'utf8');
}

describe('a line of the ledger', () => {
  test('says the outcome of an acknowledged event, and holds the event byte for byte', async () => {
    const text = '{"v":1,"x":1.0,"big":12345678901234567890,"name":"Ä€😀"}';
    const event = planned('a', 7, {
      bytes: lineBytes(text),
      clockSkewMs: -5_000,
    });
    const record = recordOf(event);
    const outcome = { status: 'acknowledged', record, position, attempts: 2 } as const;
    const line = await textOf(outcomeLine(3, event, outcome, 1_050));
    expect(line).toContain(`"event":${text}}\n`);
    expect(JSON.parse(line)).toEqual({
      n: 3,
      deviceId: 'a',
      session: 1,
      counter: 7,
      type: 'reported',
      time: event.time,
      result: 'acknowledged',
      dueAtMs: 1_000.123,
      sentAtMs: 1_002,
      acknowledgedAtMs: 1_050,
      attempts: 2,
      position,
      clockSkewMs: -5_000,
      event: JSON.parse(text),
    });
  });

  test('says why an event failed, and whether the stream may have it', async () => {
    const event = planned('a', 7, { fault: 'late' });
    const reason = new ProducerError('EVENT_EXPIRED', 'expired');
    const outcome = {
      status: 'failed',
      record: recordOf(event),
      reason,
      attempts: 0,
      possiblyStored: false,
    } as const;
    expect(JSON.parse(await textOf(outcomeLine(3, event, outcome, 0)))).toMatchObject({
      result: 'failed',
      reason: 'EVENT_EXPIRED',
      attempts: 0,
      possiblyStored: false,
      fault: 'late',
    });
  });

  test('holds the bytes of a malformed event, and the reason with which it must be rejected', async () => {
    const bytes = Uint8Array.of(0xff, 0x00, 0x7b);
    const event = planned('a', 7, { fault: 'malformed', damaged: { bytes, rejection: 'invalid-utf8' } });
    const outcome = { status: 'acknowledged', record: recordOf(event), position, attempts: 1 } as const;
    const entry = JSON.parse(await textOf(outcomeLine(3, event, outcome, 0)));
    expect(entry).toMatchObject({ fault: 'malformed', rejection: 'invalid-utf8', counter: 7 });
    expect(entry).not.toHaveProperty('event');
    expect(Buffer.from(entry.base64, 'base64')).toEqual(Buffer.from(bytes));
  });

  test('exists for events that were never sent, with the identity they had', async () => {
    expect(JSON.parse(await textOf(unsentLine(9, planned('b', 2), 'dropped', 5)))).toMatchObject({
      n: 9,
      deviceId: 'b',
      counter: 2,
      result: 'dropped',
      dueAtMs: 5,
    });
    expect(JSON.parse(await textOf(refusedLine(9, planned('b', 2), 5, 'RECORD_TOO_LARGE')))).toMatchObject({
      result: 'failed',
      reason: 'RECORD_TOO_LARGE',
      attempts: 0,
    });
  });

  test('has no identity where the event has none, and any type', async () => {
    const correction = planned('a', 0, { session: undefined, counter: undefined, type: 'said "so"\n' });
    const entry = JSON.parse(await textOf(unsentLine(1, correction, 'dropped', 0)));
    expect(entry).not.toHaveProperty('session');
    expect(entry.type).toBe('said "so"\n');
  });
});

describe('a ledger', () => {
  test('keeps every line, in order, in place of what was there', async () => {
    const path = join(folder, 'ledger.ndjson');
    for (const run of [1, 2]) {
      const ledger = await openLedger(path);
      for (let n = 1; n <= 5_000; n += 1) {
        ledger.write(unsentLine(n, planned(`run-${run}`, n), 'dropped', n));
        await ledger.room();
      }
      await ledger.close();
    }
    const entries = [];
    for await (const entry of readLedger(path)) entries.push(entry);
    expect(entries.map(({ n }) => n)).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
    expect(entries.every(({ deviceId }) => deviceId === 'run-2')).toBe(true);
  });

  test('is read by its line ends alone: raw line and paragraph separators are text', async () => {
    const path = join(folder, 'separators.ndjson');
    writeFileSync(path, '{"n":1,"type":"a\u2028b\u2029c"}\n{"n":2}\n');
    const entries = await Array.fromAsync(readLedger(path));
    expect(entries.map(({ n, type }) => [n, type])).toEqual([
      [1, 'a\u2028b\u2029c'],
      [2, undefined],
    ]);
  });

  test('asks to wait when more waits for the disk than it may hold', async () => {
    const path = join(folder, 'large.ndjson');
    const ledger = await openLedger(path);
    const line = { head: `${'x'.repeat(1_000_000)}\n` };
    let waits = 0;
    for (let count = 0; count < 30; count += 1) {
      ledger.write(line);
      const room = ledger.room();
      if (room !== undefined) {
        waits += 1;
        await room;
        expect(ledger.room()).toBeUndefined();
      }
    }
    await ledger.close();
    expect(waits).toBeGreaterThan(0);
    expect(waits).toBeLessThan(6);
    expect(readFileSync(path).length).toBe(30 * line.head.length);
  });

  test('that cannot be opened says which', async () => {
    const path = join(folder, 'no', 'such', 'folder');
    await expect(openLedger(path)).rejects.toMatchObject({
      code: 'LEDGER_UNWRITABLE',
      message: expect.stringContaining(path),
    });
  });

  test('that cannot be written any more rejects, and says so at its close', async () => {
    const ledger = await openLedger('/dev/full');
    ledger.write({ head: `${'x'.repeat(9_000_000)}\n` });
    await expect(ledger.room()).rejects.toMatchObject({ code: 'LEDGER_UNWRITABLE' });
    await expect(ledger.close()).rejects.toMatchObject({ code: 'LEDGER_UNWRITABLE' });
  });

  test('has no hole: nothing is written behind what could not be written', async () => {
    const written: number[] = [];
    let writes = 0;
    // A disk that is full for the second write and has room again after it.
    const appendFile = async ({ length }: Uint8Array) => {
      writes += 1;
      if (writes === 2) throw new Error('ENOSPC');
      written.push(length);
    };
    const ledger = ledgerIn({ appendFile, close: async () => undefined }, 'ledger.ndjson');
    // The third waits in memory while the second fails.
    for (let count = 0; count < 3; count += 1) ledger.write({ head: `${'x'.repeat(200_000)}\n` });
    await expect.poll(() => writes).toBe(2);
    await expect(ledger.close()).rejects.toMatchObject({ code: 'LEDGER_UNWRITABLE' });
    expect(written).toEqual([200_001]);
  });
});
