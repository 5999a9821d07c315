/** What a producer is asked to put: one event under its partition key (KPL: "user record"). Several may travel in one Kinesis record. */
export interface UserRecord {
  /** 1–256 characters. The device id. */
  readonly partitionKey: string;
  readonly data: Uint8Array;
  /** Decimal hash key, 0 to 2^128 - 1, that picks the shard in place of the MD5 of the partition key. */
  readonly explicitHashKey?: string;
}
