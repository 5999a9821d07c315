import { CodedError } from './coded-error.ts';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SHORT = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const ISO = /^P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/**
 * Whole milliseconds of a duration, written `500ms`, `60s`, `5m`, `2h`, `7d` or in ISO 8601: `PT2H`, `P1DT30M`.
 * Throws `INVALID_DURATION` for anything else.
 */
export function parseDurationMs(text: string): number {
  const short = SHORT.exec(text);
  if (short) return Math.round(Number(short[1]) * UNIT_MS[short[2] as keyof typeof UNIT_MS]);
  const iso = text === 'P' ? null : ISO.exec(text);
  if (iso) {
    const [days, hours, minutes, seconds] = iso.slice(1).map((part) => Number(part ?? 0));
    return Math.round(
      (days ?? 0) * UNIT_MS.d +
        (hours ?? 0) * UNIT_MS.h +
        (minutes ?? 0) * UNIT_MS.m +
        (seconds ?? 0) * UNIT_MS.s,
    );
  }
  throw new CodedError(
    'INVALID_DURATION',
    `${JSON.stringify(text)} is not a duration: write 500ms, 60s, 5m, 2h, 7d or ISO 8601 such as PT2H`,
  );
}
