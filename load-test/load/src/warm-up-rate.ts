/** A warm-up has this share of the rate that follows. */
const WARM_UP_SHARE = 1 / 3;
/** Events per second of a warm-up at least, where the load has as many. */
const WARM_UP_RATE_MIN = 500;

/** Events per second of the gentle load before one of this rate: enough of them for the code to be compiled for good. */
export function warmUpRate(rate: number): number {
  return Math.round(Math.min(rate, Math.max(WARM_UP_RATE_MIN, rate * WARM_UP_SHARE)));
}
