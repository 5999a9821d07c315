/** A promise to pay for a minimum of throughput (On-demand Advantage). */
export interface Commitment {
  readonly startedMs: number;
  readonly earliestEndMs: number;
  /** When it ends, once that was asked for. */
  readonly endedMs?: number;
}

/** Settings of the account, which a restart forgets. */
export interface Account {
  commitment: Commitment | undefined;
}

export function commitmentStatus(
  commitment: Commitment | undefined,
  nowMs: number,
): 'ENABLED' | 'DISABLED' | 'ENABLED_UNTIL_EARLIEST_ALLOWED_END' {
  if (commitment === undefined) return 'DISABLED';
  if (commitment.endedMs === undefined) return 'ENABLED';
  return nowMs < commitment.endedMs ? 'ENABLED_UNTIL_EARLIEST_ALLOWED_END' : 'DISABLED';
}
