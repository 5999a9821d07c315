import { createReadStream, existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setInterval } from 'node:timers';
import { setTimeout as pause } from 'node:timers/promises';
import { ownFormatDecoder } from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import { memoryQuarantine } from '@twinstream/quarantine';
import {
  createFleetView,
  createIdempotencyKeys,
  createKeptLists,
  createUpdateHub,
  DEFAULT_LIVENESS_POLICY,
  type SavedViewStore,
  startQueryApi,
} from '@twinstream/query-api';
import { createLogger, systemClock } from '@twinstream/runtime';
import { simulatedFleet } from './simulated-fleet.ts';

/** What the process says on its standard output once it has answered for the first time. */
export interface ServedFleet {
  readonly url: string;
  readonly firstAnswerMs: number;
  /** Processor time until then, that of making and parsing the items included. */
  readonly firstAnswerCpuMs: number;
  /** Resident memory before the fleet and with it, after a garbage collection, in bytes. */
  readonly rssBefore: number;
  readonly rss: number;
  readonly heap: number;
  readonly external: number;
  /** Until everything that had changed was read. */
  readonly caughtUpMs: number;
}

/** Numbers of records that no process before has used. */
const FIRST_RECORD = 1_000_000_000;
const POLL_MS = 20;

/** Times at which a change of the fleet is made, a second. */
const TICKS = 50;

/**
 * Serves a simulated fleet, from a view that another process has saved in the file where there is one, and saves its own at its
 * end: `node --expose-gc served-fleet.ts DEVICES CHANGES-A-SECOND FILE MISSED-CHANGES`, until SIGTERM.
 */
async function main([devices = '', changes = '', file = '', missed = '']: readonly string[]): Promise<void> {
  const clock = systemClock;
  const logger = createLogger('served-fleet', 'warn');
  const isRestored = Number(missed) > 0;
  const simulated = simulatedFleet(Number(devices), clock.now(), isRestored ? FIRST_RECORD : 0);
  const rssBefore = residentBytes();
  const unused = async () => Promise.reject(new Error('not measured here'));
  const processed = async () => ({ of: () => clock.now() });
  const startTime = performance.now();
  const startCpu = process.cpuUsage();
  const fleet = createFleetView({
    ...simulated,
    streamName: 'simulated',
    liveness: DEFAULT_LIVENESS_POLICY,
    processed,
    clock,
    logger,
    // The table is read once: what follows measures changes.
    rereadMs: Number.POSITIVE_INFINITY,
    saved: {
      store: fileSavedView(file),
      retentionMs: async () => 7 * 24 * 3_600_000,
      everyMs: Number.MAX_SAFE_INTEGER,
      random: () => 0,
    },
  });
  simulated.change(Number(missed), clock.now());
  const services = {
    deviceStates: simulated.table,
    events: memoryEventStore(),
    fleet,
    lists: createKeptLists({ clock, newId: () => crypto.randomUUID() }),
    updates: createUpdateHub({ fleet, clock }),
    pipeline: unused,
    stream: { putRecords: unused },
    processed,
    identifiesCallers: false,
    correctionKeys: createIdempotencyKeys({ clock }),
    quarantine: memoryQuarantine(),
    redriving: {
      tablesInUse: unused,
      shardProgress: { read: unused },
      streamName: 'simulated',
      decoder: ownFormatDecoder,
    },
    liveness: DEFAULT_LIVENESS_POLICY,
    clock,
    logger,
    newId: () => crypto.randomUUID(),
  };
  const api = await startQueryApi({ port: 0, services });
  const answer = await fetch(`${api.url}/v1/devices?limit=1`);
  if (!answer.ok) throw new Error(await answer.text());
  const firstAnswerMs = performance.now() - startTime;
  while (!(await fetch(`${api.url}/readyz`)).ok) await pause(POLL_MS);
  const caughtUpMs = performance.now() - startTime;
  const { user, system } = process.cpuUsage(startCpu);
  const firstAnswerCpuMs = (user + system) / 1_000;
  const rss = residentBytes();
  const { heapUsed: heap, external } = process.memoryUsage();
  const served: ServedFleet = {
    url: api.url,
    firstAnswerMs,
    firstAnswerCpuMs,
    rssBefore,
    rss,
    heap,
    external,
    caughtUpMs,
  };
  process.stdout.write(`${JSON.stringify(served)}\n`);
  const changing = setInterval(() => simulated.change(Number(changes) / TICKS, clock.now()), 1_000 / TICKS);
  process.once('SIGTERM', async () => {
    clearInterval(changing);
    await api.close(0);
    await fleet.close();
  });
}

function fileSavedView(path: string): SavedViewStore {
  return {
    savedTime: async () => undefined,
    read: async () => (existsSync(path) ? createReadStream(path) : undefined),
    write: async (bytes) => writeFile(path, bytes),
  };
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

await main(process.argv.slice(2));
