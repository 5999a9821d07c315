/** Events per second of a warm-up at most. */
const WARM_UP_RATE_MAX = 500;

/** Events per second of the gentle load before one of this rate. */
export function warmUpRate(rate: number): number {
  return Math.min(rate, WARM_UP_RATE_MAX);
}
