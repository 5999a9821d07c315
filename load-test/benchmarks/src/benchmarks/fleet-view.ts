import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
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
    const child = spawn(
      process.execPath,
      ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`, SERVER, `${DEVICES}`, `${CHANGES_A_SECOND}`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      const served: ServedFleet = JSON.parse(await readyLine(child, { withinMs: START_MS_MAX }));
      const figures = startFigures(served);
      for (const query of QUERIES) figures.push(await latency(served.url, query, child.pid));
      return figures;
    } finally {
      await kill(child);
    }
  },
};
export default benchmark;

const subject = 'twinstream';

function startFigures({
  firstAnswerMs,
  firstAnswerCpuMs,
  rssBefore,
  rss,
  heap,
  external,
}: ServedFleet): Figure[] {
  const perDevice = (bytes: number) => Math.round(bytes / DEVICES);
  return [
    {
      name: 'first answer by a scan',
      subject,
      value: round(firstAnswerMs / 1_000),
      unit: 's',
      note: `${round(firstAnswerCpuMs / 1_000)} s of processor time`,
    },
    {
      name: 'resident memory',
      subject,
      value: perDevice(rss - rssBefore),
      unit: 'bytes/device',
      note: `heap ${perDevice(heap)}, outside of it ${perDevice(external)}; ${Math.round(rss / 2 ** 20)} MiB in all`,
    },
  ];
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
