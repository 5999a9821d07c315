import type { LocalKinesis } from '@twinstream/local-aws/kinesis';
import { decodeRecord } from '@twinstream/stream-model';

/** The numbers that a stream holds, by partition key, in their order, aggregated or not. */
export function storedNumbers(
  kinesis: LocalKinesis,
  stream: string,
): { readonly numbers: ReadonlyMap<string, readonly number[]>; readonly aggregates: number } {
  const numbers = new Map<string, number[]>();
  let aggregates = 0;
  for (const record of kinesis.records(stream).flatMap(({ records }) => records)) {
    const decoded = decodeRecord(record.data);
    if (decoded.status === 'aggregated') aggregates += 1;
    const users = decoded.status === 'aggregated' ? decoded.records : [record];
    for (const { partitionKey, data } of users) {
      numbers.set(partitionKey, [...(numbers.get(partitionKey) ?? []), Number(Buffer.from(data))]);
    }
  }
  return { numbers, aggregates };
}
