import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@twinstream/end-to-end';
import { kill, readyLine } from '@twinstream/test-kit';
import type { Benchmark, Figure } from '../benchmark.ts';
import { cpuSeconds } from '../cpu-seconds.ts';
import type { ServedFleet } from '../fleet-view-subjects/served-fleet.ts';
import { httpLoad } from '../http-load.ts';

const SERVER = fileURLToPath(new URL('../fleet-view-subjects/served-fleet.ts', import.meta.url));
const DEVICES = 1_000_000;
const CHANGES_A_SECOND = 1_000;
const CONNECTIONS = 2;
const REQUESTS_A_SECOND = 10;
const MEASURED_MS = 10_000;
const START_MS_MAX = 900_000;
const HEAP_MIB = 8_192;
const LATENCY_MS_AT_MOST = 250;
const START_S_AT_MOST = 30;
/** Those of a minute. */
const MISSED_CHANGES = 60_000;

const QUERIES: readonly { readonly name: string; readonly path: string }[] = [
  { name: 'list by id, 100 devices', path: '/v1/devices?limit=100' },
  {
    name: 'list by last arrival, 100 devices',
    path: '/v1/devices?limit=100&sort=lastArrivalTime&order=desc',
  },
  {
    name: 'list filtered by attribute (a fifth of the fleet), by id',
    path: '/v1/devices?limit=100&attr.batteryPercent=lt:20',
  },
  {
    name: 'list filtered by attribute, sorted by attribute',
    path: '/v1/devices?limit=100&attr.batteryPercent=lt:20&sort=attributes.speedMph&order=desc',
  },
  { name: 'list filtered by text', path: '/v1/devices?limit=100&q=bus-00012' },
  { name: 'counts of the whole fleet', path: '/v1/fleet/summary' },
  { name: 'counts of one site', path: '/v1/fleet/summary?site=site-7' },
  {
    name: 'aggregates of an attribute by site',
    path: '/v1/fleet/aggregates?attribute=batteryPercent&by=site',
  },
];

const benchmark: Benchmark = {
  name: 'fleet-view',
  compares:
    `the query API of ${DEVICES.toLocaleString('en')} devices while ${CHANGES_A_SECOND.toLocaleString('en')} devices a second change, ` +
    'in a process of its own. The table is simulated: items are parsed from JSON and decoded, and the network is left out',
  run: async () => {
    const folder = temporaryFolder();
    const file = join(folder.path, 'view.ndjson.zst');
    try {
      const figures = await serving([file, '0'], async (served, pid) => {
        const all = [...scanFigures(served), memoryFigure(served)];
        for (const query of QUERIES) all.push(await latency(served.url, query, pid));
        return all;
      });
      return [
        ...figures,
        { name: 'the saved view', subject, value: perDevice(statSync(file).size), unit: 'bytes/device' },
        ...(await serving([file, `${MISSED_CHANGES}`], async (served) => restoreFigures(served))),
      ];
    } finally {
      folder.dispose();
    }
  },
};
export default benchmark;

const subject = 'twinstream';

/** Runs a server until the figures are there, and lets it save its view. */
async function serving(
  args: readonly string[],
  measure: (served: ServedFleet, pid: number | undefined) => Promise<Figure[]>,
): Promise<Figure[]> {
  const child = spawn(
    process.execPath,
    ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`, SERVER, `${DEVICES}`, `${CHANGES_A_SECOND}`, ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const served: ServedFleet = JSON.parse(await readyLine(child, { withinMs: START_MS_MAX }));
    const figures = await measure(served, child.pid);
    const startTime = performance.now();
    await kill(child, 'SIGTERM');
    return [
      ...figures,
      {
        name: 'saving the view at the end',
        subject,
        value: seconds(performance.now() - startTime),
        unit: 's',
      },
    ];
  } finally {
    await kill(child);
  }
}

function scanFigures({ firstAnswerMs, firstAnswerCpuMs }: ServedFleet): Figure[] {
  const note = `${seconds(firstAnswerCpuMs)} s of processor time`;
  return [{ name: 'first answer by a scan', subject, value: seconds(firstAnswerMs), unit: 's', note }];
}

function restoreFigures({ firstAnswerMs, caughtUpMs, firstAnswerCpuMs }: ServedFleet): Figure[] {
  return [
    {
      name: 'first answer from the saved view',
      subject,
      value: seconds(firstAnswerMs),
      unit: 's',
      atMost: START_S_AT_MOST,
    },
    {
      name: `the same, until ${MISSED_CHANGES.toLocaleString('en')} changes since were caught up with`,
      subject,
      value: seconds(caughtUpMs),
      unit: 's',
      note: `${seconds(firstAnswerCpuMs)} s of processor time`,
    },
  ];
}

function memoryFigure({ rssBefore, rss, heap, external }: ServedFleet): Figure {
  return {
    name: 'resident memory',
    subject,
    value: perDevice(rss - rssBefore),
    unit: 'bytes/device',
    note: `heap ${perDevice(heap)}, outside of it ${perDevice(external)}; ${Math.round(rss / 2 ** 20)} MiB in all`,
  };
}

function perDevice(bytes: number): number {
  return Math.round(bytes / DEVICES);
}

function seconds(ms: number): number {
  return round(ms / 1_000);
}

async function latency(
  url: string,
  { name, path }: (typeof QUERIES)[number],
  pid: number | undefined,
): Promise<Figure> {
  const cpuBefore = cpuSeconds(pid);
  const result = await httpLoad({
    url,
    path: () => path,
    connections: CONNECTIONS,
    durationMs: MEASURED_MS,
    rate: REQUESTS_A_SECOND,
  });
  const cpuShare = (cpuSeconds(pid) - cpuBefore) / result.seconds;
  const { p50, p99 } = result.latencyMs;
  const answers = `median ${round(p50)} ms, ${result.requests} requests, ${result.failures} failed`;
  return {
    name: `${name}, 99th percentile`,
    subject,
    value: round(p99),
    unit: 'ms',
    atMost: LATENCY_MS_AT_MOST,
    note: `${answers}; process at ${Math.round(cpuShare * 100)} % of a core`,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
