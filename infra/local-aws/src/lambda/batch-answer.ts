import type { EventRecord } from './kinesis-event.ts';

/** What a function's answer means for the batch it was given. */
export type BatchVerdict =
  | { readonly kind: 'success' }
  /** Everything before `index` is finished; that record and all after it are to be delivered again. */
  | { readonly kind: 'failed-from'; readonly index: number }
  /** The answer names a record that the batch does not hold: nothing counts as finished. */
  | { readonly kind: 'failure' };

/**
 * Reads an answer under `ReportBatchItemFailures` as Lambda does. An answer that is empty, null or no object, or whose
 * `batchItemFailures` is absent, empty or null, means success. An entry without a valid `itemIdentifier` of this batch
 * fails the whole batch; otherwise the lowest one reported is the checkpoint. Source: "Configuring partial batch
 * response", developer guide; recorded against AWS in LocalStack's snapshot tests, read 2026-11.
 *
 * @param answer JSON text
 * @param records the batch, in order
 */
export function batchVerdict(answer: string, records: readonly EventRecord[]): BatchVerdict {
  const failures = reportedFailures(answer);
  if (failures.length === 0) return { kind: 'success' };
  const places = new Map<string, number>(
    records.map(({ record }, index) => [record.sequenceNumber, index] as const),
  );
  let lowest = records.length;
  for (const failure of failures) {
    const index = places.get(itemIdentifier(failure));
    if (index === undefined) return { kind: 'failure' };
    lowest = Math.min(lowest, index);
  }
  return { kind: 'failed-from', index: lowest };
}

function reportedFailures(answer: string): readonly unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    // The empty answer, and whatever else is not JSON, names no failure.
    return [];
  }
  if (typeof parsed !== 'object' || parsed === null || !('batchItemFailures' in parsed)) return [];
  return Array.isArray(parsed.batchItemFailures) ? parsed.batchItemFailures : [];
}

/** The empty text where there is none, which names no record. */
function itemIdentifier(failure: unknown): string {
  if (typeof failure !== 'object' || failure === null || !('itemIdentifier' in failure)) return '';
  return typeof failure.itemIdentifier === 'string' ? failure.itemIdentifier : '';
}
