import type { TextOutput } from '@twinstream/runtime';
import { bytesText, dollarsText, durationText, isoText, whole } from '../output/figures.ts';
import { type Column, cutText, tableText } from '../output/table.ts';
import { type ShardLedger, totalOf } from './ledger.ts';
import type { PartPlan, ReplayPlan } from './make-plan.ts';
import type { ReplayJob } from './replay-job.ts';
import type { ReplaySpec } from './replay-spec.ts';

/** A plan as people read it. */
export function planText(spec: ReplaySpec, plan: ReplayPlan, nowMs: number): string {
  const about = plan.isExact ? '' : 'about ';
  const rate = spec.rate === undefined ? 'as fast as it goes' : `${whole(spec.rate)} events/s`;
  const lines = [
    `target    ${spec.target ?? 'dry run'}`,
    ...plan.parts.map((part) => `window    ${windowText(part, nowMs)}`),
    `devices   ${spec.devices === undefined ? 'all' : whole(spec.devices.length)}`,
    `events    ${about}${whole(plan.events)}, ${bytesText(plan.bytes)}`,
    `rate      ${rate}${spec.isPolite ? '; the live consumers keep at least half of each shard' : ''}`,
    `duration  about ${durationText(plan.durationMs)}`,
    `units     about ${whole(plan.readUnits)} reads and ${whole(plan.writeUnits)} writes, ${dollarsText(plan.dollars)}`,
    ...plan.changes.map((change, index) => `${index === 0 ? 'changes' : '       '}   ${change}`),
    '',
  ];
  const shards = plan.parts.flatMap((part) => part.shards);
  if (shards.length === 0) return lines.join('\n');
  const columns: Column[] = [
    { title: 'shard' },
    { title: 'first arrival' },
    { title: 'events', align: 'right' },
    { title: 'start position' },
  ];
  const rows = shards.map(({ shardId, start, startArrival, events }) => [
    shardId,
    startArrival ?? '-',
    whole(events),
    start ?? 'nothing in the window',
  ]);
  return `${lines.join('\n')}\n${tableText(columns, rows)}`;
}

function windowText({ source, fromMs, toMs }: PartPlan, nowMs: number): string {
  const from = fromMs === 0 ? 'the earliest' : `${isoText(fromMs)} (${durationText(nowMs - fromMs)} ago)`;
  return `${source}: ${from} to ${isoText(toMs)}`;
}

const LEDGER_COLUMNS = [
  'read',
  'applied',
  'redelivered',
  'duplicate',
  'late',
  'quarantined',
  'skipped',
  'failed',
] as const satisfies readonly (keyof ShardLedger)[];

/** The final ledger, by shard. */
export function ledgerText(job: ReplayJob): string {
  const row = (name: string, ledger: ShardLedger) => [
    name,
    ...LEDGER_COLUMNS.map((column) => whole(ledger[column])),
  ];
  const rows = Object.entries(job.ledger)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, ledger]) => row(name, ledger));
  const titles: Column[] = [
    { title: 'shard' },
    ...LEDGER_COLUMNS.map((title) => ({ title, align: 'right' as const })),
  ];
  const { repair, failureCount, failures } = job;
  const lines = [tableText(titles, [...rows, row('total', totalOf(job.ledger))])];
  if (job.spec.target === 'repair' || job.spec.preview === 'repair') {
    const pages = `${whole(repair.pagesRestored)} of ${whole(repair.pagesMissing)} missing pages restored`;
    lines.push(
      `${pages}, ${whole(repair.statesRestored)} of ${whole(repair.statesDiffering)} differing states written anew`,
    );
  }
  for (const { subject, detail } of failures) lines.push(`failed: ${subject}: ${detail}`);
  if (failureCount > failures.length)
    lines.push(`and ${whole(failureCount - failures.length)} more failures`);
  return `${lines.join('\n')}\n`;
}

/** A job as JSON says it: stable, for scripts. */
export function jobDocument(job: ReplayJob) {
  const { id, status, pass, spec, createdTime, updatedTime, workedMs, promotedTime } = job;
  return {
    id,
    status,
    pass,
    target: spec.target ?? 'dry-run',
    parts: spec.parts.map(({ source, fromMs, toMs }) => ({
      source,
      from: fromMs === 0 ? null : isoText(fromMs),
      to: isoText(toMs),
    })),
    tables: spec.tables ?? null,
    rate: spec.rate ?? null,
    reason: spec.reason ?? null,
    created: isoText(createdTime),
    updated: isoText(updatedTime),
    workedMs,
    promoted: promotedTime === undefined ? null : isoText(promotedTime),
    total: totalOf(job.ledger),
    shards: job.ledger,
    repair: spec.target === 'repair' || spec.preview === 'repair' ? job.repair : null,
    checkpoints: job.checkpoints,
    failures: job.failures,
    failureCount: job.failureCount,
  };
}

export function jobLine(job: ReplayJob): readonly string[] {
  const { read } = totalOf(job.ledger);
  const source = job.spec.parts.map((part) => part.source).join('+');
  return [
    job.id,
    job.status,
    job.pass,
    source,
    job.spec.target ?? 'dry-run',
    whole(read),
    isoText(job.createdTime),
    job.promotedTime === undefined ? (job.spec.reason ?? '') : `in use since ${isoText(job.promotedTime)}`,
  ];
}

export const JOB_COLUMNS: readonly Column[] = [
  ...['job', 'status', 'pass', 'source', 'target'].map((title) => ({ title })),
  { title: 'events', align: 'right' },
  { title: 'created' },
  { title: 'reason' },
];

const TERMINAL_MS = 250;
const LINES_MS = 2_000;
const BAR_CELLS = 24;

/** Shows how a job goes on: a bar on a terminal, lines of JSON otherwise. Returns how to stop. */
export function showProgress(
  stream: TextOutput,
  job: ReplayJob,
  expected: number,
  now: () => number,
): () => void {
  const startTime = now();
  const before = totalOf(job.ledger).read;
  const isTerminal = stream.isTTY;
  const refresh = () => {
    const { read, applied, failed } = totalOf(job.ledger);
    const elapsedMs = Math.max(1, now() - startTime);
    const rate = ((read - before) / elapsedMs) * 1_000;
    const remainingMs = rate > 0 ? Math.max(0, ((expected - read) / rate) * 1_000) : undefined;
    if (!isTerminal) {
      const line = {
        job: job.id,
        pass: job.pass,
        read,
        applied,
        failed,
        eventsPerSecond: Math.round(rate),
        remainingMs,
      };
      stream.write(`${JSON.stringify(line)}\n`);
      return;
    }
    const share = expected > 0 ? Math.min(1, read / expected) : 0;
    const bar = '#'.repeat(Math.round(share * BAR_CELLS)).padEnd(BAR_CELLS, '.');
    const rest = remainingMs === undefined ? '' : `, about ${durationText(remainingMs)} left`;
    const text = `${job.pass} [${bar}] ${whole(read)} events, ${whole(rate)}/s${rest}`;
    stream.write(`\r\u001b[K${cutText(text, (stream.columns ?? 80) - 1)}`);
  };
  const timer = setInterval(refresh, isTerminal ? TERMINAL_MS : LINES_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (isTerminal) stream.write('\r\u001b[K');
  };
}
