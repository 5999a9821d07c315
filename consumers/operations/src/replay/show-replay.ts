import {
  bytesText,
  type Column,
  dollarsText,
  durationText,
  isoText,
  tableText,
  whole,
} from '@twinstream/command-line';
import { foreignName } from '@twinstream/verification';
import { type ReplayJob, type ShardCounts, shownStatus, totalOf } from './replay-job.ts';
import { type PartPlan, type ReplayPlan, rangeText } from './replay-plan.ts';
import { effectOf, type ReplaySpec } from './replay-spec.ts';

/** A plan as people read it. */
export function replayPlanText(spec: ReplaySpec, plan: ReplayPlan, nowMs: number): string {
  const rate = spec.rate === undefined ? 'as fast as it goes' : `${whole(spec.rate)} events/s`;
  const lines = [
    `target    ${spec.target ?? 'dry run'}`,
    ...plan.parts.map((part) => `window    ${windowText(part, nowMs)}`),
    ...(spec.mapping === undefined ? [] : [`mapping   ${spec.mapping}`]),
    `devices   ${spec.devices === undefined ? 'all' : whole(spec.devices.length)}`,
    `events    ${rangeText(plan.events, whole)}, ${rangeText(plan.bytes, bytesText)}`,
    ...plan.parts.map(({ source, basis }) => `          ${source}: ${basis}`),
    `rate      ${rate}${spec.isPolite ? '; the live consumers keep at least half of each shard' : ''}`,
    `duration  ${rangeText(plan.durationMs, durationText)}`,
    `          ${plan.durationBasis}`,
    `units     ${rangeText(plan.readUnits, whole)} reads and ${rangeText(plan.writeUnits, whole)} writes, ${rangeText(plan.dollars, dollarsText)}`,
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
    rangeText(events, whole),
    start ?? 'nothing in the window',
  ]);
  return `${lines.join('\n')}\n${tableText(columns, rows)}`;
}

function windowText({ source, fromMs, toMs }: PartPlan, nowMs: number): string {
  const from = fromMs === 0 ? 'the earliest' : `${isoText(fromMs)} (${durationText(nowMs - fromMs)} ago)`;
  return `${source}: ${from} to ${isoText(toMs)}`;
}

const COUNT_COLUMNS = [
  'read',
  'applied',
  'redelivered',
  'duplicate',
  'late',
  'quarantined',
  'skipped',
  'failed',
] as const satisfies readonly (keyof ShardCounts)[];

/** Numbers of a preview are those of the run: it is the same code on stores of its own. */
const PREVIEW = 'This is a preview, nothing was changed. With --execute the repair has these numbers and';

/** Outcomes of the entries, by shard. */
export function countsText(job: ReplayJob): string {
  const row = (name: string, counts: ShardCounts) => [
    name,
    ...COUNT_COLUMNS.map((column) => whole(counts[column])),
  ];
  const rows = Object.entries(job.ledger)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, counts]) => row(name, counts));
  const titles: Column[] = [
    { title: 'shard' },
    ...COUNT_COLUMNS.map((title) => ({ title, align: 'right' as const })),
  ];
  const { repair, failureCount, failures } = job;
  const lines = [tableText(titles, [...rows, row('total', totalOf(job.ledger))])];
  const isPreview = job.spec.preview !== undefined;
  if (effectOf(job.spec) === 'repair') {
    const pages = `${whole(repair.pagesRestored)} of ${whole(repair.pagesMissing)} missing pages`;
    const states = `${whole(repair.statesRestored)} of ${whole(repair.statesDiffering)} differing states`;
    const verbs = isPreview ? ['will restore', 'will write'] : ['restored', 'rewritten:'];
    lines.push(isPreview ? PREVIEW : '', `${verbs[0]} ${pages}, ${verbs[1]} ${states}`);
  }
  const [foreign] = job.foreign?.named ?? [];
  if (foreign !== undefined) {
    const count = whole(job.foreign?.count ?? 0);
    lines.push(
      `foreign in the archive, passed over: ${count}, the first ${foreignName(foreign)}: ${foreign.fault}`,
    );
  }
  for (const { subject, detail } of failures)
    lines.push(`${isPreview ? 'will fail' : 'failed'}: ${subject}: ${detail}`);
  if (failureCount > failures.length)
    lines.push(`and ${whole(failureCount - failures.length)} more failures`);
  return `${lines.join('\n')}\n`;
}

/** A job as JSON says it: stable, for scripts. */
export function jobDocument(job: ReplayJob, nowMs: number) {
  const { id, pass, spec, createdTime, updatedTime, workedMs, promotedTime, pause } = job;
  return {
    id,
    status: shownStatus(job, nowMs),
    pass,
    /** Since when the live projector is paused for it; null where it does not. */
    projectorPausedSince: pause === undefined ? null : isoText(pause.since),
    target: spec.target ?? 'dry-run',
    /** What a dry run shows the numbers of; null where it only reads and counts, or where this is no dry run. */
    preview: spec.preview ?? null,
    parts: spec.parts.map(({ source, fromMs, toMs }) => ({
      source,
      from: fromMs === 0 ? null : isoText(fromMs),
      to: isoText(toMs),
    })),
    mapping: spec.mapping ?? null,
    tables: spec.tables ?? null,
    rate: spec.rate ?? null,
    reason: spec.reason ?? null,
    created: isoText(createdTime),
    updated: isoText(updatedTime),
    workedMs,
    promoted: promotedTime === undefined ? null : isoText(promotedTime),
    total: totalOf(job.ledger),
    shards: job.ledger,
    repair: effectOf(spec) === 'repair' ? job.repair : null,
    checkpoints: job.checkpoints,
    foreign: job.foreign ?? { count: 0, named: [] },
    failures: job.failures,
    failureCount: job.failureCount,
  };
}

export function jobLine(job: ReplayJob, nowMs: number): readonly string[] {
  const { read } = totalOf(job.ledger);
  const source = job.spec.parts.map((part) => part.source).join('+');
  return [
    job.id,
    shownStatus(job, nowMs),
    job.pass,
    source,
    job.spec.target ?? 'dry-run',
    whole(read),
    isoText(job.createdTime),
    job.promotedTime === undefined ? (job.spec.reason ?? '') : `in use since ${isoText(job.promotedTime)}`,
  ];
}

/** What to do about a job that is said to run and does not. */
export function stalledText({ id, runner, updatedTime }: ReplayJob): string {
  const where = runner === undefined ? '' : ` by process ${runner.pid} of ${runner.host}`;
  return `job ${id} was last written at ${isoText(updatedTime)}${where}: continue it with replay start --resume ${id}, or end it with replay cancel ${id}`;
}

export const JOB_COLUMNS: readonly Column[] = [
  ...['job', 'status', 'pass', 'source', 'target'].map((title) => ({ title })),
  { title: 'events', align: 'right' },
  { title: 'created' },
  { title: 'reason' },
];
