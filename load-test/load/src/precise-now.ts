/** Milliseconds since 1970, with fractions, as the simulator's ledger has them. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
