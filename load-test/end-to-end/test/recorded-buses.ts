import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Positions of four buses of Austin, Texas, as they were recorded. */
export const RECORDING = fileURLToPath(
  new URL('../../../producers/device-simulator/samples/austin-buses.csv', import.meta.url),
);
export const RECORDING_COLUMNS = { id: 'vehicle_id', time: 'timestamp' } as const;
export const RECORDED_ROWS = 443;

/** The rows of the file as a fleet of its own format sends them: flat JSON, numbers as numbers, null for an empty cell. */
export function flatRows(): readonly Readonly<Record<string, string | number | null>>[] {
  const [header = '', ...rows] = readFileSync(RECORDING, 'utf8').trimEnd().split('\n');
  const names = header.split(',');
  return rows.map((row) =>
    Object.fromEntries(row.split(',').map((cell, index) => [names[index] ?? '', cellValue(cell)])),
  );
}

function cellValue(cell: string): string | number | null {
  if (cell === '') return null;
  return Number.isFinite(Number(cell)) ? Number(cell) : cell;
}
