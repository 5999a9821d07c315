import { randomBytes } from 'node:crypto';
import {
  confirm,
  EXIT_CODES,
  type ExitCode,
  type OutputFormat,
  refusal,
  usageError,
  whole,
} from '@twinstream/command-line';
import { isJobAlive } from '@twinstream/pipeline-status';
import { parseDurationMs } from '@twinstream/runtime';
import { type CommandContext, tell, write, writeJson } from '../command/command-context.ts';
import type { OperationsHost } from '../command/host.ts';
import { type Range, rangeText } from '../output/range.ts';
import { createFreshTables } from './fresh-tables.ts';
import { jobStore, requireJob } from './jobs.ts';
import { totalOf } from './ledger.ts';
import { makePlan } from './make-plan.ts';
import { prepare, refuseForeignParts, refuseUnknownProgress } from './prepare-replay.ts';
import type { ReplayFlags } from './read-spec.ts';
import { forgetFailures, newJob, type ReplayJob } from './replay-job.ts';
import { replayServices } from './replay-services.ts';
import type { ReplaySpec } from './replay-spec.ts';
import { runReplay } from './run-replay.ts';
import { showProgress } from './show-progress.ts';
import { jobDocument, ledgerText, planText } from './show-replay.ts';

export interface StartFlags extends ReplayFlags {
  readonly yes?: true;
  readonly resume?: string;
  readonly functionTimeout: string;
  readonly output: OutputFormat;
}

export function newJobId(nowMs: number): string {
  const day = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '');
  return `${day}-${randomBytes(3).toString('hex')}`;
}

/** Starts a replay, or goes on with one. */
export async function start(context: CommandContext, flags: StartFlags): Promise<ExitCode> {
  if (flags.resume !== undefined) {
    if (flags.from !== undefined || flags.into !== undefined)
      throw usageError('--resume goes on as the job was started');
    return resume(context, flags, flags.resume);
  }
  const { services, host } = context;
  const id = newJobId(services.clock.now());
  const { spec: asked, plan: made } = await prepare(context, flags, id);
  const isExecuted = flags.execute === true;
  const spec = isExecuted ? asked : dryRun(asked, flags);
  tell(context, planText(asked, made, services.clock.now()).trimEnd());
  if (isExecuted && spec.target !== 'stdout') {
    const question = `Replay ${rangeText(made.events, whole)} events (${spec.target})?`;
    await confirm(context.host, question, flags.yes === true);
  }
  if (isExecuted) await refuseForeignParts(context, spec);
  const job = newJob(id, spec, services.clock.now());
  await jobStore(context).create(job, host.stop);
  if (spec.tables !== undefined) await createFreshTables(services.dynamoDb, spec.tables, host.stop);
  return work(context, flags, job, made.events);
}

/** Reads and counts what was asked for, at the rate that was asked for: nothing has to be spared what is not written. */
function dryRun({ target, tables: _, rate, ...dry }: ReplaySpec, flags: ReplayFlags): ReplaySpec {
  return {
    ...dry,
    ...(target === 'repair' ? { preview: target } : {}),
    ...(rate === undefined || flags.rate === undefined ? {} : { rate }),
  };
}

async function resume(context: CommandContext, flags: StartFlags, id: string): Promise<ExitCode> {
  const { services, host } = context;
  const job = withFlags(await requireJob(context, id), flags);
  if (job.status === 'completed') throw refusal('COMPLETED', `job ${id} is completed: replay status ${id}`);
  if (job.promotedTime !== undefined) throw refusal('ALREADY_PROMOTED', `the tables of job ${id} are in use`);
  if (isJobAlive(job, services.clock.now())) {
    const where = `${job.runner?.host} (process ${job.runner?.pid})`;
    const question = `Job ${id} seems to be at work on ${where}. Take it over?`;
    await confirm(host, question, flags.yes === true);
  }
  await refuseUnknownProgress(context, job.spec);
  forgetFailures(job);
  if (job.spec.tables !== undefined) await createFreshTables(services.dynamoDb, job.spec.tables, host.stop);
  const made = await makePlan(services, job.spec, parseDurationMs(flags.functionTimeout), host.stop);
  return work(context, flags, job, made.events);
}

/** A job that met something foreign may be told to pass it over. */
function withFlags(job: ReplayJob, { skipForeign }: StartFlags): ReplayJob {
  return skipForeign === true ? { ...job, spec: { ...job.spec, isForeignSkipped: true } } : job;
}

async function work(
  context: CommandContext,
  flags: StartFlags,
  job: ReplayJob,
  expected: Range,
): Promise<ExitCode> {
  const { services, host } = context;
  const functionTimeoutMs = parseDurationMs(flags.functionTimeout);
  let waitsFor: string | undefined;
  const replay = await replayServices(context, job, functionTimeoutMs, (what) => {
    waitsFor = what;
  });
  tell(context, `job ${job.id}`);
  const progress = { expected, waitsFor: () => waitsFor, now: services.clock.now };
  const close = showProgress(host.stderr, job, progress);
  try {
    await runReplay(replay, job, stopOf(host, job));
  } catch (error) {
    close();
    tell(
      context,
      `job ${job.id} has failed; replay start --resume ${job.id} goes on from its last checkpoint`,
    );
    throw error;
  } finally {
    close();
  }
  return report(context, flags.output, job);
}

/** What is written to standard output alone has nowhere to go when nobody reads it; every other job goes on without. */
function stopOf({ stop, stdout }: OperationsHost, { spec }: ReplayJob): AbortSignal {
  return spec.target === 'stdout' ? AbortSignal.any([stop, stdout.closed]) : stop;
}

function report(context: CommandContext, output: OutputFormat, job: ReplayJob): ExitCode {
  const isText = job.spec.target === 'stdout';
  if (isText) tell(context, ledgerText(job).trimEnd());
  else if (output === 'json') writeJson(context, jobDocument(job, context.services.clock.now()));
  else write(context, ledgerText(job));
  const { id, status } = job;
  if (status === 'stopped') tell(context, `stopped; replay start --resume ${id} goes on`);
  else if (status === 'cancelled') tell(context, `cancelled; what was done stays`);
  else if (job.spec.tables !== undefined) {
    tell(context, `next: verify --against ${job.spec.tables.deviceStateTable}, then replay promote ${id}`);
  } else if (job.spec.target === undefined)
    tell(context, 'This was a dry run: --into … --execute --reason … acts.');
  if (status === 'stopped' && !context.host.stop.aborted) return EXIT_CODES.outputClosed;
  if (status === 'stopped' || status === 'cancelled') return EXIT_CODES.interrupted;
  return job.failureCount > 0 || totalOf(job.ledger).failed > 0 ? EXIT_CODES.failed : EXIT_CODES.success;
}
