import { CodedError } from '@twinstream/runtime';
import type { RecordedRow } from './open-recording.ts';
import type { RecordedEvent } from './recorded-event.ts';
import { type BadRow, isBadRow } from './row.ts';

/** Characters of event text that are held for sorting at most: about two million rows, and 1.5 GB of memory. */
export const SORTED_CHARACTERS_MAX = 512 * 1024 * 1024;

/**
 * All events of a recording by time, those of equal time as the file has them; bad rows go to `onBadRow`. Throws
 * `INPUT_TOO_LARGE_TO_SORT`.
 */
export async function readInTimeOrder(
  batches: AsyncIterable<readonly RecordedRow[]>,
  onBadRow: (row: BadRow) => void,
  charactersMax = SORTED_CHARACTERS_MAX,
): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  let characters = 0;
  for await (const rows of batches) {
    for (const row of rows) {
      if (isBadRow(row)) {
        onBadRow(row);
        continue;
      }
      events.push(row);
      characters += row.head.length + row.tail.length;
    }
    if (characters > charactersMax) {
      throw new CodedError(
        'INPUT_TOO_LARGE_TO_SORT',
        `more than ${charactersMax} characters to sort (${events.length} rows so far): sort the file, and use --order file`,
      );
    }
  }
  // Array.prototype.sort is stable (ECMAScript 2019).
  return events.sort((a, b) => a.timeMs - b.timeMs);
}
