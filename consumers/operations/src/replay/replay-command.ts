import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { parseDurationMs } from '@twinstream/runtime';
import { type Command, Option } from 'commander';
import {
  addCommand,
  type CommandContext,
  type OutputForm,
  outputOption,
  type RunCommand,
  repeatable,
  tell,
  write,
  writeJson,
} from '../command/command-context.ts';
import { confirm } from '../command/confirm.ts';
import { EXIT_CODES, type ExitCode } from '../command/exit-codes.ts';
import { refusal, usageError } from '../command/refusal.ts';
import { whole } from '../output/figures.ts';
import { tableText } from '../output/table.ts';
import { createFreshTables, existingTables } from './fresh-tables.ts';
import { dynamoDbJobStore, type JobStore } from './job-store.ts';
import { totalOf } from './ledger.ts';
import { makePlan, type ReplayPlan } from './make-plan.ts';
import { checkPromotable, checkStreamReaches, promote } from './promote.ts';
import { type ReplayFlags, readSpec } from './read-spec.ts';
import { forgetFailures, newJob, type ReplayJob } from './replay-job.ts';
import { mappingOf, replayServices } from './replay-services.ts';
import { REPLAY_SOURCES, REPLAY_TARGETS, type ReplaySpec } from './replay-spec.ts';
import { runReplay } from './run-replay.ts';
import { JOB_COLUMNS, jobDocument, jobLine, ledgerText, planText, showProgress } from './show-replay.ts';
import { streamFacts } from './stream-facts.ts';

interface StartFlags extends ReplayFlags {
  readonly yes?: true;
  readonly resume?: string;
  readonly functionTimeout: string;
  readonly output: OutputForm;
}

interface OutputFlags {
  readonly output: OutputForm;
}

interface PromoteFlags extends OutputFlags {
  readonly yes?: true;
  readonly functionTimeout: string;
}

export function addReplay(program: Command, run: RunCommand): void {
  const replay = program
    .command('replay')
    .description('Runs history again: to count it, print it, rebuild from it, repair from it.');
  const chosen = (command: Command) =>
    command
      .option('--from <time>', 'arrivals from here: ISO 8601 with offset, PT2H (that long ago), or earliest')
      .option('--to <time>', 'arrivals before here; default: now')
      .option('--device <id>', 'this device alone, or @file with one id a line; repeatable', repeatable)
      .option('--shard <shard>', 'this shard alone; repeatable', repeatable)
      .addOption(
        new Option('--source <source>', 'where events come from').choices(REPLAY_SOURCES).default('auto'),
      )
      .addOption(
        new Option(
          '--into <target>',
          'fresh tables beside those in use, repair of those in use, or stdout',
        ).choices(REPLAY_TARGETS),
      )
      .option('--name <name>', 'fresh tables are called <name>-events and <name>-device-state')
      .option(
        '--seam <time>',
        'where the archive ends and the stream begins; default: half the retention ago',
      )
      .option('--rate <events>', 'events a second, or max; default: 2000 where tables are written')
      .addOption(outputOption());
  const timed = (command: Command) =>
    command.option(
      '--function-timeout <duration>',
      "the projector function's timeout: what a pause waits out",
      '60s',
    );
  chosen(
    addCommand(replay, 'plan', 'What a replay would read, write, take and cost. Reads samples alone.', [
      'replay plan --from PT2H --into fresh',
      'replay plan --from earliest --source archive --into repair',
    ]),
  ).action((flags: StartFlags) => run((context) => plan(context, flags)));
  timed(
    chosen(
      addCommand(
        replay,
        'start',
        'Starts a replay. Without --execute it is a dry run: everything is read and counted.',
        [
          'replay start --from 2026-11-23T08:00:00Z',
          "replay start --from earliest --into fresh --name day --execute --reason 'new fold' --yes",
          "replay start --from PT6H --into repair --execute --reason 'pages lost'",
          "replay start --source event-store --into repair --execute --reason 'states wiped'",
          'replay start --from PT1H --device bus-2619 --into stdout --execute --reason look > events.ndjson',
          'replay start --resume 20261123-a1b2c3',
        ],
      ),
    ),
  )
    .option('--execute', 'act')
    .option('--dry-run', 'read and count; the default')
    .option('--reason <text>', 'why, for the record of the job; required with --execute')
    .option('--yes', 'do not ask')
    .option('--resume <job>', 'go on with a job that was stopped, killed or has failed')
    .action((flags: StartFlags) => run((context) => start(context, flags)));
  addCommand(replay, 'status <job>', 'How far a job has come.', [
    'replay status 20261123-a1b2c3 --output json',
  ])
    .addOption(outputOption())
    .action((id: string, flags: OutputFlags) => run((context) => status(context, id, flags)));
  addCommand(replay, 'list', 'All jobs, the newest first.', ['replay list'])
    .addOption(outputOption())
    .action((flags: OutputFlags) => run((context) => list(context, flags)));
  addCommand(
    replay,
    'cancel <job>',
    'Ends a job at its next checkpoint; what it has done stays, and a resume goes on.',
    ['replay cancel 20261123-a1b2c3'],
  )
    .addOption(outputOption())
    .action((id: string, flags: OutputFlags) => run((context) => cancel(context, id, flags)));
  timed(
    addCommand(
      replay,
      'promote <job>',
      'Puts the fresh tables of a finished job into use, everywhere, without a restart.',
      ['replay promote 20261123-a1b2c3'],
    ),
  )
    .option('--yes', 'do not ask')
    .addOption(outputOption())
    .action((id: string, flags: PromoteFlags) => run((context) => promoteCommand(context, id, flags)));
}

function jobStore({ services }: CommandContext): JobStore {
  return dynamoDbJobStore(services.dynamoDb, services.configuration.operationsTable);
}

function newJobId(nowMs: number): string {
  const day = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '');
  return `${day}-${randomBytes(3).toString('hex')}`;
}

/** The spec and the plan of it. Refuses devices that are not known. */
async function prepare(
  context: CommandContext,
  flags: StartFlags,
  id: string,
): Promise<{ readonly spec: ReplaySpec; readonly plan: ReplayPlan }> {
  const { services, host } = context;
  const stream = await streamFacts(services, host.stop);
  const spec = readSpec(flags, id, stream, services.clock.now(), host.cwd);
  if (spec.tables !== undefined) {
    const found = await existingTables(services.dynamoDb, spec.tables, host.stop);
    if (found.length > 0)
      throw refusal('TARGET_EXISTS', `${found.join(' and ')} exists: choose another --name`);
  }
  await refuseUnknownDevices(context, spec);
  await refuseUnknownProgress(context, spec);
  return { spec, plan: await makePlan(services, spec, host.stop) };
}

/**
 * A repair appends up to shard progress, which nobody knows where a shard has more than one lane: looking for the mapping
 * refuses that.
 */
async function refuseUnknownProgress(
  { services, host }: CommandContext,
  { target, parts }: ReplaySpec,
): Promise<void> {
  const appends = target === 'repair' && parts.some(({ source }) => source !== 'event-store');
  if (appends) await mappingOf(services, 0, host.stop);
}

/** Devices are unknown when nothing of them is stored; a rebuild from nothing is asked for without --device. */
async function refuseUnknownDevices(
  { services, host }: CommandContext,
  { devices = [] }: ReplaySpec,
): Promise<void> {
  const { eventStore, latestState } = services.stores(await services.generation(host.stop));
  const unknown: string[] = [];
  for (const deviceId of devices) {
    const signal = host.stop;
    if ((await latestState.read(deviceId, { signal })) !== undefined) continue;
    if ((await eventStore.lastKeyBelow(deviceId, Number.MAX_SAFE_INTEGER, signal)) === undefined)
      unknown.push(deviceId);
  }
  if (unknown.length === 0) return;
  const named = unknown.slice(0, 10).join(', ');
  throw refusal('UNKNOWN_DEVICE', `nothing is stored of ${named}${unknown.length > 10 ? ' and others' : ''}`);
}

async function plan(context: CommandContext, flags: StartFlags): Promise<ExitCode> {
  const { services } = context;
  const { spec, plan: made } = await prepare(context, flags, newJobId(services.clock.now()));
  if (flags.output === 'json') writeJson(context, { spec, plan: made });
  else write(context, planText(spec, made, services.clock.now()));
  return EXIT_CODES.fine;
}

async function start(context: CommandContext, flags: StartFlags): Promise<ExitCode> {
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
    const question = `Replay ${made.isExact ? '' : 'about '}${whole(made.events)} events (${spec.target})?`;
    if (!(await confirm(context, question, flags.yes === true)))
      throw refusal('NOT_CONFIRMED', 'nothing was changed');
  }
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
  const job = await requireJob(context, id);
  if (job.status === 'completed') throw refusal('COMPLETED', `job ${id} is completed: replay status ${id}`);
  if (job.promotedTime !== undefined) throw refusal('ALREADY_PROMOTED', `the tables of job ${id} are in use`);
  if (isAlive(job, services.clock.now())) {
    const where = `${job.runner?.host} (process ${job.runner?.pid})`;
    if (
      !(await confirm(
        context,
        `Job ${id} seems to be at work on ${where}. Take it over?`,
        flags.yes === true,
      ))
    ) {
      throw refusal('NOT_CONFIRMED', 'nothing was changed');
    }
  }
  await refuseUnknownProgress(context, job.spec);
  forgetFailures(job);
  if (job.spec.tables !== undefined) await createFreshTables(services.dynamoDb, job.spec.tables, host.stop);
  const made = await makePlan(services, job.spec, host.stop);
  return work(context, flags, job, made.events);
}

/** A runner writes its checkpoint every few seconds; one of this machine is looked up. */
const SILENT_MS = 15_000;

function isAlive({ status, runner, updatedTime }: ReplayJob, nowMs: number): boolean {
  if (status !== 'running' || runner === undefined) return false;
  if (runner.host !== hostname()) return nowMs - updatedTime < SILENT_MS;
  try {
    return process.kill(runner.pid, 0);
  } catch {
    return false;
  }
}

async function work(
  context: CommandContext,
  flags: StartFlags,
  job: ReplayJob,
  expected: number,
): Promise<ExitCode> {
  const { services, host } = context;
  const functionTimeoutMs = parseDurationMs(flags.functionTimeout);
  const replay = await replayServices(context, job, functionTimeoutMs);
  tell(context, `job ${job.id}`);
  const close = showProgress(host.stderr, job, expected, services.clock.now);
  try {
    await runReplay(replay, job, host.stop);
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

function report(context: CommandContext, output: OutputForm, job: ReplayJob): ExitCode {
  const isText = job.spec.target === 'stdout';
  if (isText) tell(context, ledgerText(job).trimEnd());
  else if (output === 'json') writeJson(context, jobDocument(job));
  else write(context, ledgerText(job));
  const { id, status } = job;
  if (status === 'stopped') tell(context, `stopped; replay start --resume ${id} goes on`);
  else if (status === 'cancelled') tell(context, `cancelled; what was done stays`);
  else if (job.spec.tables !== undefined) {
    tell(context, `next: verify --against ${job.spec.tables.deviceStateTable}, then replay promote ${id}`);
  } else if (job.spec.target === undefined)
    tell(context, 'This was a dry run: --into … --execute --reason … acts.');
  if (status === 'stopped' || status === 'cancelled') return EXIT_CODES.interrupted;
  return job.failureCount > 0 || totalOf(job.ledger).failed > 0 ? EXIT_CODES.differences : EXIT_CODES.fine;
}

async function requireJob(context: CommandContext, id: string): Promise<ReplayJob> {
  const job = await jobStore(context).read(id, context.host.stop);
  if (job === undefined) throw refusal('UNKNOWN_JOB', `there is no job ${id}: see replay list`);
  return job;
}

async function status(context: CommandContext, id: string, { output }: OutputFlags): Promise<ExitCode> {
  const job = await requireJob(context, id);
  if (output === 'json') writeJson(context, jobDocument(job));
  else write(context, `${tableText(JOB_COLUMNS, [jobLine(job)])}\n${ledgerText(job)}`);
  return EXIT_CODES.fine;
}

async function list(context: CommandContext, { output }: OutputFlags): Promise<ExitCode> {
  const jobs = await jobStore(context).list(context.host.stop);
  if (output === 'json') writeJson(context, jobs.map(jobDocument));
  else write(context, tableText(JOB_COLUMNS, jobs.map(jobLine)));
  return EXIT_CODES.fine;
}

async function cancel(context: CommandContext, id: string, { output }: OutputFlags): Promise<ExitCode> {
  const { services, host } = context;
  const job = await requireJob(context, id);
  if (job.status === 'completed') throw refusal('COMPLETED', `job ${id} is completed`);
  const jobs = jobStore(context);
  const isRunning = isAlive(job, services.clock.now());
  if (isRunning) await jobs.wishCancel(id, host.stop);
  else {
    job.status = 'cancelled';
    await jobs.takeOver(job, job.runner, host.stop);
  }
  if (output === 'json') writeJson(context, { id, status: isRunning ? 'cancelling' : 'cancelled' });
  else write(context, isRunning ? `job ${id} ends at its next checkpoint` : `job ${id} is cancelled`);
  return EXIT_CODES.fine;
}

async function promoteCommand(context: CommandContext, id: string, flags: PromoteFlags): Promise<ExitCode> {
  const job = await requireJob(context, id);
  await checkPromotable(context, job);
  await checkStreamReaches(context, job);
  const { eventsTable = '', deviceStateTable = '' } = job.spec.tables ?? {};
  const first = job.spec.parts[0];
  const isPartial = first !== undefined && first.fromMs > 0;
  const since = isPartial ? ` They hold nothing from before ${new Date(first.fromMs).toISOString()}.` : '';
  const question = `Put ${eventsTable} and ${deviceStateTable} into use?${since} The live projector stands still for about ${flags.functionTimeout} and a catch-up.`;
  if (!(await confirm(context, question, flags.yes === true)))
    throw refusal('NOT_CONFIRMED', 'nothing was changed');
  const promotion = await promote(context, job, parseDurationMs(flags.functionTimeout));
  if (flags.output === 'json') writeJson(context, promotion);
  else {
    write(
      context,
      `${eventsTable} and ${deviceStateTable} are in use; the projector stood still for ${whole(promotion.pausedMs)} ms`,
    );
    write(
      context,
      `the tables of generation ${promotion.previous} are as they were: keep them until you are sure`,
    );
  }
  return EXIT_CODES.fine;
}
