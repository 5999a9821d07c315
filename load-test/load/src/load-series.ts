import type { LedgerSurvey } from './ledger-survey.ts';
import type { LoadSeries, Point, ProcessFigures } from './load-result.ts';
import type { LagSample } from './observers.ts';
import type { ProcessSample } from './process-sampler.ts';
import type { StageLog } from './stage-log.ts';

/** Points of one line at most: more cannot be seen. */
const POINTS_MAX = 600;
const MIB = 2 ** 20;
const SLOPE_SAMPLES_MIN = 10;

export interface SeriesSources {
  readonly startMs: number;
  readonly endMs: number;
  readonly survey: LedgerSurvey;
  /** Absent where the stages are unknown. */
  readonly log: StageLog | undefined;
  readonly lags: readonly LagSample[];
  readonly processes: readonly ProcessSample[];
  readonly marks: readonly { readonly atMs: number; readonly what: string }[];
}

/** Everything over time, from the start of the load until it was drained. */
export function loadSeries(sources: SeriesSources): LoadSeries {
  const { startMs, endMs, survey, log, lags, processes, marks } = sources;
  const seconds = (ms: number) => round((ms - startMs) / 1_000);
  const perSecond = (counts: ReadonlyMap<number, number>) => countsPerSecond(counts, startMs, endMs);
  const percentile = (name: 'p50' | 'p95' | 'p99'): readonly Point[] =>
    thinned(
      [...survey.readableBySecond]
        .sort(([a], [b]) => a - b)
        .map(([second, percentiles]): Point => [seconds(second * 1_000), round(percentiles[name])]),
    );
  return {
    throughput: {
      due: perSecond(survey.dueBySecond),
      acknowledged: perSecond(survey.acknowledgedBySecond),
      ...(log === undefined
        ? {}
        : {
            projected: perSecond(log.totals['state-projector'].eventsBySecond),
            archived: perSecond(log.totals['event-archiver'].eventsBySecond),
          }),
    },
    latency: { p50: percentile('p50'), p95: percentile('p95'), p99: percentile('p99') },
    lag: Object.fromEntries(
      [
        ...Map.groupBy(
          lags.filter(({ atMs }) => atMs >= startMs),
          ({ shardId }) => shardId,
        ),
      ]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([shardId, samples]) => [
          shardId.replace('shardId-0000000', ''),
          thinned(
            samples.map((sample): Point => [seconds(sample.atMs), round(lagMsOf(sample, survey, startMs))]),
          ),
        ]),
    ),
    memory: byProcess(processes, (samples) =>
      samples.map(({ atMs, residentBytes }): Point => [seconds(atMs), round(residentBytes / MIB)]),
    ),
    cpu: byProcess(processes, (samples) =>
      samples.slice(1).map((sample, index): Point => {
        const before = samples[index] ?? sample;
        const spentMs = (sample.cpuSeconds - before.cpuSeconds) * 1_000;
        return [seconds(sample.atMs), round(spentMs / Math.max(1, sample.atMs - before.atMs))];
      }),
    ),
    marks: marks.map(({ atMs, what }) => ({ seconds: seconds(atMs), what })),
  };
}

/** A shard that is finished as far as anything was ever put into it has no lag, and none has more than the load has age. */
export function lagMsOf(
  { atMs, shardId, through, ageMs }: LagSample,
  { lastByShard }: Pick<LedgerSurvey, 'lastByShard'>,
  startMs: number,
): number {
  if (through >= (lastByShard.get(shardId) ?? '')) return 0;
  return Math.max(0, Math.min(ageMs, atMs - startMs));
}

function countsPerSecond(counts: ReadonlyMap<number, number>, startMs: number, endMs: number): Point[] {
  const [first, last] = [Math.floor(startMs / 1_000), Math.floor(endMs / 1_000)];
  const width = Math.max(1, Math.ceil((last - first + 1) / POINTS_MAX));
  const points: Point[] = [];
  for (let second = first; second <= last; second += width) {
    let sum = 0;
    for (let each = second; each < second + width; each += 1) sum += counts.get(each) ?? 0;
    points.push([second - first, round(sum / width)]);
  }
  return points;
}

function byProcess(
  samples: readonly ProcessSample[],
  points: (samples: readonly ProcessSample[]) => readonly Point[],
) {
  return Object.fromEntries(
    [...Map.groupBy(samples, ({ name }) => name)].map(([name, own]) => [name, thinned(points(own))]),
  );
}

/** Of each stretch of points the highest, so that no peak is lost. */
function thinned(points: readonly Point[]): readonly Point[] {
  const width = Math.ceil(points.length / POINTS_MAX);
  if (width <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / width) }, (_, index) =>
    points
      .slice(index * width, (index + 1) * width)
      .reduce((highest, point) => (point[1] > highest[1] ? point : highest)),
  );
}

/** What each process took, from the start of the load until it was drained. */
export function processFigures(
  samples: readonly ProcessSample[],
  loadEndMs: number,
): readonly ProcessFigures[] {
  return [...Map.groupBy(samples, ({ name }) => name)].map(([name, own]) => {
    const [first, last] = [own[0], own.at(-1)];
    const spanMs = (last?.atMs ?? 0) - (first?.atMs ?? 0);
    const cpuSeconds = last?.cpuSeconds ?? 0;
    const during = own.filter(({ atMs }) => atMs <= loadEndMs);
    return {
      name,
      cpuSeconds: round(cpuSeconds),
      cpuShare: spanMs > 0 ? round((cpuSeconds * 1_000) / spanMs) : 0,
      memoryMaxMiB: round(own.reduce((most, { residentBytes }) => Math.max(most, residentBytes), 0) / MIB),
      memorySlopeMiBPerMinute: slope(during.slice(during.length >> 1)),
    };
  });
}

function slope(samples: readonly ProcessSample[]): number | null {
  if (samples.length < SLOPE_SAMPLES_MIN) return null;
  const points = samples.map(({ atMs, residentBytes }) => [atMs / 60_000, residentBytes / MIB] as const);
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return spread === 0
    ? null
    : round(points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread);
}

/** Largest resident memory of all processes together, in MiB. */
export function totalMemoryMaxMiB(samples: readonly ProcessSample[]): number {
  const totals = [...Map.groupBy(samples, ({ atMs }) => atMs).values()].map((same) =>
    same.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
  );
  return round(totals.reduce((most, total) => Math.max(most, total), 0) / MIB);
}

/** Three decimals are more than any of these figures is good for. */
export function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
