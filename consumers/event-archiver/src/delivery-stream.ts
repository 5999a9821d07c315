/** A record that the delivery stream did not take. */
export interface DeliveryRejection {
  /** Its index in the request. */
  readonly index: number;
  /** As Firehose names it: `ServiceUnavailableException`, `InternalFailure`. */
  readonly errorCode: string;
}

/** Takes records towards the archive. */
export interface DeliveryStream {
  /**
   * Puts records of at most 1,000 KiB, at most 500 and 4 MiB together. Resolves to those that were not taken, by rising
   * index: all others are durable. A request that fails may have been taken; sending again then delivers twice.
   *
   * Throws `DELIVERY_UNAVAILABLE` (retryable: no answer, or one that says "later") or `DELIVERY_REFUSED` (no such stream, no
   * rights, beyond the limits); an aborted signal makes it reject with the signal's own reason.
   */
  put(records: readonly Uint8Array[], signal?: AbortSignal): Promise<readonly DeliveryRejection[]>;
}
