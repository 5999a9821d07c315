/**
 * Ranks from 1 to `count`, rank k with probability proportional to 1 / k^exponent, in constant time and memory.
 *
 * Rejection-inversion: W. Hörmann and G. Derflinger, "Rejection-inversion to generate variates from monotone discrete
 * distributions", ACM TOMACS 6(3), 1996. Fewer than two draws a rank for any exponent above 0.
 *
 * @param random draws from [0, 1)
 */
export function zipfRanks(count: number, exponent: number, random: () => number): () => number {
  if (!(exponent > 0) || !Number.isFinite(exponent)) throw new RangeError(`not an exponent: ${exponent}`);
  const weight = (x: number): number => Math.exp(-exponent * Math.log(x));
  // The integral of the weight, and its inverse; the series keep both exact where the exponent is near 1.
  const integral = (x: number): number => {
    const logX = Math.log(x);
    return expm1Over((1 - exponent) * logX) * logX;
  };
  const inverseIntegral = (y: number): number => {
    const t = Math.max(y * (1 - exponent), -1);
    return Math.exp(log1pOver(t) * y);
  };
  const integralFrom = integral(1.5) - 1;
  const integralTo = integral(count + 0.5);
  const accepted = 2 - inverseIntegral(integral(2.5) - weight(2));
  return () => {
    for (;;) {
      const u = integralTo + random() * (integralFrom - integralTo);
      const x = inverseIntegral(u);
      const rank = Math.min(Math.max(Math.floor(x + 0.5), 1), count);
      if (rank - x <= accepted || u >= integral(rank + 0.5) - weight(rank)) return rank;
    }
  };
}

const SERIES_BELOW = 1e-8;

/** (e^x - 1) / x, continued to x = 0. */
function expm1Over(x: number): number {
  return Math.abs(x) > SERIES_BELOW ? Math.expm1(x) / x : 1 + x / 2;
}

/** ln(1 + x) / x, continued to x = 0. */
function log1pOver(x: number): number {
  return Math.abs(x) > SERIES_BELOW ? Math.log1p(x) / x : 1 - x / 2;
}
