/** How long to wait between tries. */
export interface BackoffOptions {
  /** Upper bound of the first wait, in milliseconds. */
  readonly baseMs: number;
  /** Upper bound of any wait, in milliseconds. */
  readonly capMs: number;
}

/**
 * Wait before try `attempt` (0 is the first retry), in milliseconds: a uniform draw from 0 to
 * min(cap, base × 2^attempt), known as full jitter.
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param random draws from [0, 1)
 */
export function fullJitterMs(attempt: number, options: BackoffOptions, random: () => number): number {
  const ceilingMs = Math.min(options.capMs, options.baseMs * 2 ** Math.min(attempt, 52));
  return random() * ceilingMs;
}
