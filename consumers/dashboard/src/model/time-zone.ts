/** The viewer's own zone, named as the URL names it. */
export const LOCAL_ZONE = 'local';

/** The IANA name behind a zone of the URL; undefined where this browser knows no such zone. */
export function resolveZone(name: string): string | undefined {
  if (name === LOCAL_ZONE || name === '') return new Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string, fields: 'moment' | 'clock'): Intl.DateTimeFormat {
  const key = `${fields} ${zone}`;
  let format = formats.get(key);
  if (format === undefined) {
    // The Swedish form is ISO 8601 with a blank for the T, in every browser.
    format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      timeStyle: 'medium',
      ...(fields === 'moment' ? { dateStyle: 'short' as const } : {}),
    });
    formats.set(key, format);
  }
  return format;
}

/** Date and time in a zone: `2026-11-23 08:51:04`. */
export function momentText(timeMs: number, zone: string): string {
  return formatOf(zone, 'moment').format(timeMs);
}

/** The same with milliseconds. */
export function exactMomentText(timeMs: number, zone: string): string {
  const fraction = String(((timeMs % 1_000) + 1_000) % 1_000).padStart(3, '0');
  return `${momentText(timeMs, zone)}.${fraction}`;
}

/** Time of day in a zone: `08:51:04`. */
export function clockText(timeMs: number, zone: string): string {
  return formatOf(zone, 'clock').format(timeMs);
}

/** Every zone this browser can show. */
export function knownZones(): readonly string[] {
  return Intl.supportedValuesOf('timeZone');
}
