import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finished, RunningPipeline } from '../src/running-pipeline.ts';

export const BUSES = 60;
export const REPORTS = 50;
const FILE = 'day.csv';

/** A day of buses as the recording has them: rows by bus and time. */
export function writeBusDay(folder: string): void {
  const rows = ['vehicle_id,timestamp,speed,route_id'];
  for (let report = 0; report < REPORTS; report += 1) {
    for (let bus = 0; bus < BUSES; bus += 1) {
      const time = new Date(Date.parse('2017-03-21T05:00:00Z') + report * 120_000 + bus * 1_000);
      rows.push(`${2_600 + bus},${time.toISOString()},${(bus * 7 + report * 3) % 40},${bus % 9}`);
    }
  }
  writeFileSync(join(folder, FILE), `${rows.join('\n')}\n`);
}

/** Sends it through a pipeline that runs in its folder. */
export const sendBusDay = (pipeline: RunningPipeline, ...flags: string[]): Promise<Finished> =>
  pipeline.simulate(
    ...['--input', FILE, '--id-column', 'vehicle_id', '--time-column', 'timestamp', '--order', 'time'],
    ...flags,
  );
