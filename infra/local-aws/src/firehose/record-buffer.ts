import type { ArrivedRecord, WriteAheadFile } from './write-ahead-file.ts';

/** The records of one object to be. */
export interface RecordBuffer {
  /** Part of the object's name, and the name of the file that holds the records meanwhile. */
  readonly uuid: string;
  readonly file: WriteAheadFile | undefined;
  readonly records: ArrivedRecord[];
  bytes: number;
  /** Takes no more records. */
  sealed: boolean;
}

export function recordBuffer(uuid: string, file: WriteAheadFile | undefined): RecordBuffer {
  return { uuid, file, records: [], bytes: 0, sealed: false };
}

export function addRecords(buffer: RecordBuffer, records: readonly ArrivedRecord[]): void {
  for (const record of records) {
    buffer.records.push(record);
    buffer.bytes += record.data.length;
  }
}

/** Arrival of the oldest record. Throws RangeError when there is none. */
export function oldestArrivalMs({ records }: RecordBuffer): number {
  const [first] = records;
  if (first === undefined) throw new RangeError('an empty buffer has no oldest record');
  return first.arrivalMs;
}

/** The records one after the other, with nothing between them. */
export function bufferBytes({ records, bytes }: RecordBuffer): Buffer {
  return Buffer.concat(
    records.map(({ data }) => data),
    bytes,
  );
}
