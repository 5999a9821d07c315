import { createRequire } from 'node:module';
import type { UserRecord } from '@twinstream/stream-model';

/** The published JavaScript aggregator, as far as the tests use it. */
interface Peer {
  readonly RecordAggregator: new () => {
    addUserRecord(record: UserRecord): void;
    build(): { readonly partitionKey: string; readonly data: Buffer };
  };
  deaggregateSync(
    record: { readonly data: string; readonly sequenceNumber: string },
    computeChecksums: boolean,
    done: (error: Error | undefined, records?: readonly PeerRecord[]) => void,
  ): void;
}

interface PeerRecord {
  readonly partitionKey: string;
  readonly explicitPartitionKey?: string;
  readonly subSequenceNumber: number;
  readonly data: string;
}

// Its own types need two packages that nothing else here does.
const peer: Peer = createRequire(import.meta.url)('aws-kinesis-agg');

/** One aggregated record, made by aws-kinesis-agg. */
export function aggregateByPeer(records: readonly UserRecord[]): Uint8Array {
  const aggregator = new peer.RecordAggregator();
  for (const record of records) aggregator.addUserRecord(record);
  return aggregator.build().data;
}

/** What aws-kinesis-agg reads in a record, its MD5 checked. */
export function deaggregateByPeer(data: Uint8Array): readonly UserRecord[] {
  let found: readonly PeerRecord[] = [];
  const record = { data: Buffer.from(data).toString('base64'), sequenceNumber: '1' };
  peer.deaggregateSync(record, true, (error, records) => {
    if (error) throw error;
    found = records ?? [];
  });
  return found.map(({ partitionKey, explicitPartitionKey, data: base64 }) => ({
    partitionKey,
    data: Buffer.from(base64, 'base64'),
    ...(explicitPartitionKey === undefined ? {} : { explicitHashKey: explicitPartitionKey }),
  }));
}
