/** A number as people read it, rounded: `45,396`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A number of things, in the singular where there is one: `1 device`, `45,396 devices`, `2 entries`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : several}`;
}

/** A measured number to three digits: `0.0812`, `12.3`, `45,396`. A dash where nothing was measured. */
export function figureText(value: number | null): string {
  if (value === null) return '–';
  return Math.abs(value) >= 100 ? whole(value) : String(Number(value.toPrecision(3)));
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < BYTE_UNITS.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** `350 ms`, `12.3 s`, `4 m 10 s`, `2 h 5 m`, `3 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} m` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function isoText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export function dollarsText(dollars: number): string {
  return dollars > 0 && dollars < 0.01 ? '< $0.01' : `$${dollars.toFixed(2)}`;
}
