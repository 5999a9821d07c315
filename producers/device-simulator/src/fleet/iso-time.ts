const SECOND_MS = 1_000;

/**
 * `Date.toISOString` for moments that mostly share their second with the one before: four times as fast. Takes whole
 * milliseconds since 1970.
 */
export function isoTimes(): (ms: number) => string {
  let second = Number.NaN;
  let upToSecond = '';
  return (ms) => {
    const wanted = Math.floor(ms / SECOND_MS);
    if (wanted !== second) {
      second = wanted;
      upToSecond = new Date(wanted * SECOND_MS).toISOString().slice(0, -4);
    }
    const rest = ms - wanted * SECOND_MS;
    return `${upToSecond}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`;
  };
}
