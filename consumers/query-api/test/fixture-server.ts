/**
 * The API on memory adapters with a simulated fleet that moves, for those who build upon it:
 * `node consumers/query-api/test/fixture-server.ts --port 0 --devices 500 --updates-per-second 20 [--dashboard DIR] [--hold]`.
 * Prints `{"url":…}` when it listens; stops on SIGTERM or Ctrl-C.
 */
import { parseArgs } from 'node:util';
import type { RunningReplays } from '@twinstream/pipeline-status';
import { shutdownSignal, systemClock } from '@twinstream/runtime';
import { startQueryApi } from '../src/local.ts';
import { memoryPipeline } from './memory-pipeline.ts';
import { memoryServices } from './memory-services.ts';
import { putDeadLetters, startMovingFleet } from './moving-fleet.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    devices: { type: 'string', default: '500' },
    'updates-per-second': { type: 'string', default: '20' },
    'history-events': { type: 'string' },
    seed: { type: 'string', default: '1' },
    dashboard: { type: 'string' },
    /** The projector is paused from the start on: a lag that grows. */
    hold: { type: 'boolean', default: false },
  },
});
const deviceCount = Number(values.devices);
const historyEvents = Number(
  values['history-events'] ?? Math.max(1, Math.min(60, Math.floor(100_000 / deviceCount))),
);
const updatesPerSecond = Number(values['updates-per-second']);
/** Events are put in bursts this far apart. */
const BURST_MS = 100;

const stopping = shutdownSignal();
/** A repair under way, so that who builds upon the API sees one. */
const startedMs = systemClock.now();
const replays: RunningReplays = async () => [
  {
    id: 'repair-2026-11-02',
    target: 'repair',
    step: 'apply',
    reason: 'an outage of the projector',
    startedMs,
    updatedMs: systemClock.now(),
    entries: { read: 41_250, applied: 1_200, late: 30, duplicate: 40_000, redelivered: 20, failed: 0 },
  },
];

const pipeline = memoryPipeline();
const services = memoryServices(pipeline, { replays });
const fleet = await startMovingFleet({
  pipeline,
  deviceCount,
  historyEvents,
  seed: Number(values.seed),
  now: systemClock.now,
});
await putDeadLetters(pipeline, systemClock.now());
const api = await startQueryApi({
  port: Number(values.port),
  services,
  ...(values.dashboard === undefined ? {} : { dashboardDir: values.dashboard }),
});
if (values.hold) pipeline.hold();
process.stdout.write(`${JSON.stringify({ url: api.url, deviceCount, updatesPerSecond })}\n`);

let owed = 0;
let lastTime = systemClock.now();
while (!stopping.aborted) {
  await systemClock.sleep(BURST_MS, stopping).catch(() => undefined);
  const now = systemClock.now();
  owed = Math.min(owed + ((now - lastTime) / 1_000) * updatesPerSecond, updatesPerSecond);
  lastTime = now;
  for (; owed >= 1 && !stopping.aborted; owed -= 1) await fleet.step();
}
await api.close();
await services.fleet.close();
