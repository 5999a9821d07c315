import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Finished } from '@twinstream/test-kit';
import { type Operations, operationsOf, tablesOf } from '../src/operations-pipeline.ts';
import { type RunningPipeline, runPipeline, temporaryFolder } from '../src/running-pipeline.ts';

export const BUSES = 60;
export const REPORTS = 50;
const FILE = 'day.csv';

/** A day of buses as the recording has them: rows by bus and time. */
function writeBusDay(folder: string): void {
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

/** A pipeline that holds a bus day, and what operators have at hand. */
export interface BusDay {
  readonly folder: string;
  readonly pipeline: RunningPipeline;
  readonly operations: Operations;
  readonly tables: DynamoDBClient;
  /** Ends all of it, and leaves no folder behind. */
  stop(): Promise<void>;
}

export async function startBusDay(): Promise<BusDay> {
  const folder = temporaryFolder();
  writeBusDay(folder.path);
  const pipeline = await runPipeline(folder.path, '--shards', '3');
  const tables = tablesOf(pipeline);
  const stop = async () => {
    tables.destroy();
    await pipeline.stop();
    folder.dispose();
  };
  try {
    const { code, stderr } = await sendBusDay(pipeline, '--rate', '1000');
    if (code !== 0) throw new Error(`the day was not sent: ${stderr}`);
    await pipeline.caughtUp();
  } catch (error) {
    await stop();
    throw error;
  }
  return { folder: folder.path, pipeline, operations: operationsOf(pipeline, folder.path), tables, stop };
}
