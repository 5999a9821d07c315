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
import type { TableNames } from '@twinstream/table-generation';
import {
  type CommandContext,
  type OperationsHost,
  tell,
  write,
  writeDocument,
} from '../command/command-context.ts';
import { notStoredAmong, unknownDevices } from '../devices.ts';
import { streamFacts } from '../shard-reads.ts';
import { createFreshTables, existingTables } from './fresh-tables.ts';
import { jobStore, requireJob } from './job-store.ts';
import { makePlan } from './make-plan.ts';
import { forgetFailures, newJob, type ReplayJob, totalOf } from './replay-job.ts';
import { type Range, type ReplayPlan, rangeText } from './replay-plan.ts';
import { mappingOf, replayServices, sourceOf } from './replay-services.ts';
import { type ReplayFlags, type ReplaySpec, readSpec } from './replay-spec.ts';
import { readResolved, runReplay } from './run-replay.ts';
import { showProgress } from './show-progress.ts';
import { countsText, jobDocument, replayPlanText } from './show-replay.ts';
import { checkSource, devicesInSource, type LookAhead } from './sources/look-ahead.ts';

export interface StartFlags extends ReplayFlags {
  readonly yes?: true;
  readonly resume?: string;
  readonly functionTimeout: number;
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
  tell(context, replayPlanText(asked, made, services.clock.now()).trimEnd());
  if (isExecuted && spec.target !== 'stdout') {
    const question = `Replay ${rangeText(made.events, whole)} events (${spec.target})?`;
    await confirm(context.host, question, flags.yes === true);
  }
  if (isExecuted) await refuseForeignParts(context, spec);
  const job = newJob(id, spec, services.clock.now());
  await jobStore(context).create(job, host.stop);
  await createTables(context, spec.tables);
  return work(context, flags, job, made.events);
}

async function createTables(
  { services, host }: CommandContext,
  tables: TableNames | undefined,
): Promise<void> {
  if (tables === undefined) return;
  const like = await services.generation(host.stop);
  await createFreshTables(services.dynamoDb, { tables, like, clock: services.clock, signal: host.stop });
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
  await createTables(context, job.spec.tables);
  const made = await makePlan(services, job.spec, flags.functionTimeout, host.stop);
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
  let waitsFor: string | undefined;
  const replay = await replayServices(context, job, flags.functionTimeout, (what) => {
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
  if (isText) tell(context, countsText(job).trimEnd());
  else if (output !== 'table') writeDocument(context, output, jobDocument(job, context.services.clock.now()));
  else write(context, countsText(job));
  const { id, status } = job;
  if (status === 'stopped') tell(context, `stopped; replay start --resume ${id} goes on`);
  else if (status === 'cancelled') tell(context, `cancelled; what was done stays`);
  else if (job.spec.tables !== undefined) {
    tell(context, `next: verify --against ${job.spec.tables.deviceStateTable}, then replay promote ${id}`);
  } else if (job.spec.target === undefined)
    tell(context, 'Dry run, nothing changed. To apply: add --into … --execute --reason "…".');
  if (status === 'stopped' && !context.host.stop.aborted) return EXIT_CODES.outputClosed;
  if (status === 'stopped' || status === 'cancelled') return EXIT_CODES.interrupted;
  return job.failureCount > 0 || totalOf(job.ledger).failed > 0 ? EXIT_CODES.failed : EXIT_CODES.success;
}

/** Timeout of the projector's function, as the stacks have it. */
export const FUNCTION_TIMEOUT_MS = 60_000;

/** The spec and the plan of it. Refuses devices that are not known. */
export async function prepare(
  context: CommandContext,
  flags: ReplayFlags & { readonly functionTimeout?: number },
  id: string,
): Promise<{ readonly spec: ReplaySpec; readonly plan: ReplayPlan }> {
  const { services, host } = context;
  const stream = await streamFacts(services, host.stop);
  const spec = readSpec(flags, {
    ...{ id, stream, nowMs: services.clock.now(), folder: host.folder },
    freshTablesPrefix: services.configuration.freshTablesPrefix,
  });
  if (spec.tables !== undefined) {
    const found = await existingTables(services.dynamoDb, spec.tables, host.stop);
    if (found.length > 0)
      throw refusal('TARGET_EXISTS', `${found.join(' and ')} exists: choose another --name`);
  }
  await refuseUnknownDevices(context, spec);
  await refuseUnknownProgress(context, spec);
  return {
    spec,
    plan: await makePlan(services, spec, flags.functionTimeout ?? FUNCTION_TIMEOUT_MS, host.stop),
  };
}

/**
 * A repair appends up to the checkpoint of each shard, which nobody knows where a shard has several concurrent batches:
 * looking for the mapping refuses that.
 */
async function refuseUnknownProgress(
  { services, host }: CommandContext,
  { target, parts }: ReplaySpec,
): Promise<void> {
  const appends = target === 'repair' && parts.some(({ source }) => source !== 'event-store');
  if (appends) await mappingOf(services, 0, host.stop);
}

/**
 * A device is unknown when nothing of it is stored, nor in the source: one that was deleted whole comes back from there. The
 * source is read only where nothing is stored of one of them.
 */
async function refuseUnknownDevices(context: CommandContext, spec: ReplaySpec): Promise<void> {
  const { services, host } = context;
  const { stop: signal } = host;
  const stores = services.stores(await services.generation(signal));
  const notStored = await notStoredAmong(stores, spec.devices ?? [], signal);
  if (notStored.length === 0) return;
  const { redriven } = await readResolved(services, signal);
  const [decoder] = await services.decoders(spec.mapping, host.folder);
  const inSource = await devicesInSource({ ...lookAhead(context, spec), decoder }, notStored, redriven);
  const unknown = notStored.filter((deviceId) => !inSource.has(deviceId));
  if (unknown.length > 0) throw unknownDevices(unknown, 'nor is anything in this window of the source');
}

/** Refuses an archive with foreign parts before anything is written, unless they are to be passed over. */
async function refuseForeignParts(context: CommandContext, spec: ReplaySpec): Promise<void> {
  if (spec.isForeignSkipped !== true) await checkSource(lookAhead(context, spec));
}

function lookAhead({ services, host }: CommandContext, spec: ReplaySpec): LookAhead {
  return { spec, sourceOf: (source) => sourceOf(services, spec, source), signal: host.stop };
}
