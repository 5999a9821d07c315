import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { localAccess, type RunningPipeline, runPipeline, temporaryFolder } from '@twinstream/end-to-end';
import { dynamoDbShardProgressTable } from '@twinstream/latest-state';
import { type Percentiles, preciseNow, progressObserver, repeatedly, surveyLedger } from '@twinstream/load';
import type { Benchmark, Figure } from '../benchmark.ts';

const OPS = fileURLToPath(new URL('../../../../consumers/operations/src/main.ts', import.meta.url));
const DEVICES = 200;
/** History that is replayed, so long that the live load ends before the replay does. */
const HISTORY_EVENTS = 80_000;
const HISTORY_RATE = 4_000;
const LIVE_RATE = 500;
const LIVE_SECONDS = 20;
/** The default of a replay that writes tables. */
const REPLAY_RATE = 2_000;
const OBSERVE_EVERY_MS = 20;
/** Bars of the live consumer during a replay. */
const LAG_RATIO_AT_MOST = 2;
const RATE_DEVIATION_AT_MOST = 5;
const NOTHING_SAMPLED = { sampled: { hot: [], others: [] }, states: new Map() };

const benchmark: Benchmark = {
  name: 'replay-during-load',
  compares:
    `the live consumer of a running local pipeline (all processes on this machine) under ${LIVE_RATE} events/s of ${DEVICES} ` +
    `devices, alone and beside a replay of ${HISTORY_EVENTS} events into fresh tables at its default rate`,
  run: async () => {
    const folder = temporaryFolder();
    const pipeline = await runPipeline(folder.path);
    try {
      await feed(pipeline, '--rate', `${HISTORY_RATE}`, '--count', `${HISTORY_EVENTS}`, '--aggregate');
      await pipeline.caughtUp();
      await live(pipeline, folder.path, 'warm-up');
      const alone = await live(pipeline, folder.path, 'alone');
      const replay = startReplay(pipeline, folder.path);
      const pace = await watchPace(replay, live(pipeline, folder.path, 'beside'));
      return figures(alone, pace);
    } finally {
      await pipeline.stop();
      folder.dispose();
    }
  },
};
export default benchmark;

async function feed(pipeline: RunningPipeline, ...flags: readonly string[]): Promise<void> {
  const fixed = ['--devices', `${DEVICES}`, '--max-delay', 'never'];
  const { code, stderr } = await pipeline.simulate(...fixed, ...flags);
  if (code !== 0) throw new Error(`the simulator failed: ${stderr}`);
}

/** Offers live load, and says how long each event took from its intended send until it was finished. */
async function live(pipeline: RunningPipeline, folder: string, name: string): Promise<Percentiles> {
  const access = localAccess(pipeline.environment);
  const client = dynamoDbClient(access.clients.dynamoDb);
  const progress = progressObserver({
    table: dynamoDbShardProgressTable(client, { tableName: access.shardProgressTable }),
    streamName: access.stream,
    now: preciseNow,
  });
  const looking = repeatedly(OBSERVE_EVERY_MS, () => progress.observe());
  const ledger = join(folder, `${name}.ndjson`);
  try {
    await feed(pipeline, '--rate', `${LIVE_RATE}`, '--duration', `${LIVE_SECONDS}s`, '--ledger', ledger);
    await pipeline.caughtUp();
    await progress.observe();
  } finally {
    looking.stop();
    await looking.stopped;
    client.destroy();
  }
  const { finished, neverFinished } = await surveyLedger(ledger, {
    ...NOTHING_SAMPLED,
    progress: progress.rises,
  });
  if (finished === undefined || neverFinished > 0)
    throw new Error(`${neverFinished} events were not finished`);
  return finished;
}

function startReplay(pipeline: RunningPipeline, folder: string): ChildProcess {
  const flags = [
    '--from',
    'earliest',
    '--into',
    'fresh',
    '--name',
    'again',
    '--execute',
    '--reason',
    'measured',
  ];
  const replay = ['replay', 'start', ...flags, '--yes', '--output', 'json'];
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', OPS, ...replay], {
    cwd: folder,
    env: { ...process.env, ...pipeline.environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

interface Progress {
  readonly atMs: number;
  readonly read: number;
}

interface Pace {
  readonly beside: Percentiles;
  readonly eventsPerSecond: number;
  readonly isOutlasted: boolean;
}

/** Waits for the live load, then for the replay, and takes the replay's rate from what it tells on its way. */
async function watchPace(replay: ChildProcess, loading: Promise<Percentiles>): Promise<Pace> {
  if (replay.stderr === null) throw new TypeError('no standard error');
  const told: Progress[] = [];
  createInterface({ input: replay.stderr }).on('line', (line) => {
    if (!line.startsWith('{"job"')) return;
    const { read }: { read: number } = JSON.parse(line);
    if (read > 0 && read < HISTORY_EVENTS) told.push({ atMs: performance.now(), read });
  });
  const ended = once(replay, 'exit');
  const beside = await loading;
  const isOutlasted = replay.exitCode === null;
  const [code] = await ended;
  if (code !== 0) throw new Error(`the replay ended with ${code}`);
  const [first, last] = [told[0], told.at(-1)];
  if (first === undefined || last === undefined || first === last)
    throw new Error('the replay reported no progress');
  return {
    beside,
    isOutlasted,
    eventsPerSecond: ((last.read - first.read) / (last.atMs - first.atMs)) * 1_000,
  };
}

function figures(alone: Percentiles, { beside, eventsPerSecond, isOutlasted }: Pace): readonly Figure[] {
  const subject = 'twinstream';
  const latency = 'live events, from intended send until finished';
  const rows: Figure[] = [];
  for (const share of ['p50', 'p95', 'p99'] as const) {
    rows.push(
      { name: `${latency}, ${share}, alone`, subject, value: alone[share], unit: 'ms' },
      { name: `${latency}, ${share}, beside the replay`, subject, value: beside[share], unit: 'ms' },
      {
        name: `the same, beside the replay over alone, ${share}`,
        subject,
        value: beside[share] / alone[share],
        unit: 'times',
        atMost: LAG_RATIO_AT_MOST,
        ...(isOutlasted ? {} : { note: 'the replay ended before the live load did' }),
      },
    );
  }
  return [
    ...rows,
    { name: 'rate of the replay', subject, value: eventsPerSecond, unit: 'events/s' },
    {
      name: `rate of the replay, away from ${REPLAY_RATE} events/s`,
      subject,
      value: (Math.abs(eventsPerSecond - REPLAY_RATE) / REPLAY_RATE) * 100,
      unit: '%',
      atMost: RATE_DEVIATION_AT_MOST,
    },
  ];
}
