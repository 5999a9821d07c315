import { open } from 'node:fs/promises';
import type { LedgerEntry } from '@twinstream/device-simulator';
import { sortableSequenceNumber } from '@twinstream/stream-model';

/** Enough of a ledger's end to hold several records of every shard. */
const TAIL_BYTES = 4 * 1024 * 1024;

/**
 * By shard, the highest place in the last 4 MiB of a ledger: about where the stream ended, at the price of a short read.
 * The pass over the whole ledger, which would keep a processor busy that the pipeline needs, comes after the drain.
 */
export async function lastPlaces(file: string): Promise<ReadonlyMap<string, string>> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8').split('\n');
    // The first line is whole only where the tail is the file.
    return highestByShard(size > length ? lines.slice(1) : lines);
  } finally {
    await handle.close();
  }
}

function highestByShard(lines: readonly string[]): ReadonlyMap<string, string> {
  const highest = new Map<string, string>();
  for (const line of lines) {
    if (line === '') continue;
    const { position }: LedgerEntry = JSON.parse(line);
    if (position === undefined) continue;
    const place = sortableSequenceNumber(position.sequenceNumber);
    if (place > (highest.get(position.shardId) ?? '')) highest.set(position.shardId, place);
  }
  return highest;
}
