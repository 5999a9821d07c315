/** What a server has done since it started. */
export interface KinesisCounters {
  /** Requests whose operation was understood, by operation. */
  readonly requests: Readonly<Record<string, number>>;
  /** Requests that were refused as a whole, by AWS's name of the error. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly recordsAccepted: number;
  /** Data and partition keys. */
  readonly bytesAccepted: number;
  /** Records refused because their shard was at its limit. */
  readonly recordsThrottled: number;
  /** Records refused because memory was full or the disk could not be written. */
  readonly recordsFailed: number;
  readonly recordsRead: number;
  readonly bytesRead: number;
  /** GetRecords calls refused because their shard was at its limit. */
  readonly readsThrottled: number;
  readonly faults: {
    readonly delayed: number;
    readonly throttled: number;
    readonly failed: number;
    readonly answersLost: number;
    readonly iteratorsExpired: number;
    readonly recordsFailed: number;
  };
}

/** The counters while the server counts. */
export type CountersInUse = {
  -readonly [Name in keyof KinesisCounters]: KinesisCounters[Name] extends number
    ? number
    : Name extends 'faults'
      ? { -readonly [Fault in keyof KinesisCounters['faults']]: number }
      : Record<string, number>;
};

export function newCounters(): CountersInUse {
  return {
    requests: {},
    refusals: {},
    recordsAccepted: 0,
    bytesAccepted: 0,
    recordsThrottled: 0,
    recordsFailed: 0,
    recordsRead: 0,
    bytesRead: 0,
    readsThrottled: 0,
    faults: { delayed: 0, throttled: 0, failed: 0, answersLost: 0, iteratorsExpired: 0, recordsFailed: 0 },
  };
}

export function countOne(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
