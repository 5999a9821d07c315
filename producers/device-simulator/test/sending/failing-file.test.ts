import { expect, test, vi } from 'vitest';
import { openLedger } from '../../src/sending/ledger.ts';

const written: number[] = [];
let writes = 0;

// A disk that is full for the second write and has room again after it.
vi.mock('node:fs/promises', () => ({
  open: async () => ({
    appendFile: async (bytes: Uint8Array) => {
      writes += 1;
      if (writes === 2) throw new Error('ENOSPC');
      written.push(bytes.length);
    },
    close: async () => undefined,
  }),
}));

test('a ledger has no hole: nothing is written behind what could not be written', async () => {
  const ledger = await openLedger('ledger.ndjson');
  // The third waits in memory while the second fails.
  for (let count = 0; count < 3; count += 1) ledger.write({ head: `${'x'.repeat(200_000)}\n` });
  await vi.waitFor(() => expect(writes).toBe(2));
  await expect(ledger.close()).rejects.toMatchObject({ code: 'LEDGER_UNWRITABLE' });
  expect(written).toEqual([200_001]);
});
