import {
  confirm,
  counted,
  durationOption,
  durationText,
  EXIT_CODES,
  type ExitCode,
  isoText,
  type OutputFormat,
  outputOption,
  refusal,
  repeatable,
  tableText,
  whole,
} from '@twinstream/command-line';
import { isJobAlive, REPLAY_TARGETS } from '@twinstream/pipeline-status';
import { type Command, Option } from 'commander';
import {
  addCommand,
  CHANGES,
  type CommandContext,
  type RunCommand,
  tell,
  write,
  writeDocument,
  writeTable,
} from '../command/command-context.ts';
import { MAPPING_HELP } from '../services.ts';
import { jobStore, requireJob } from './job-store.ts';
import { checkPromotable, heldFrom, type Promotion, promote } from './promote.ts';
import { isPauseHeld, shownStatus } from './replay-job.ts';
import { startProjectorAgain } from './replay-services.ts';
import { REPLAY_SOURCES } from './replay-spec.ts';
import { countsText, JOB_COLUMNS, jobDocument, jobLine, replayPlanText, stalledText } from './show-replay.ts';
import { FUNCTION_TIMEOUT_MS, newJobId, prepare, type StartFlags, start } from './start-replay.ts';

/** Longest timeout of a function (AWS Lambda quotas, read 2026-11). */
const FUNCTION_TIMEOUT_MS_MAX = 15 * 60_000;

interface OutputFlags {
  readonly output: OutputFormat;
}

interface PromoteFlags extends OutputFlags {
  readonly yes?: true;
  readonly functionTimeout: number;
}

export function addReplay(program: Command, run: RunCommand): void {
  const replay = program
    .command('replay')
    .description('Replay stored events: dry run, print, rebuild into new tables, or repair.');
  const chosen = (command: Command) =>
    command
      .option(
        '--from <time>',
        'only events that arrived at or after this time: ISO 8601 with offset, a duration ago (PT2H), or earliest',
      )
      .option('--to <time>', 'only events that arrived before this time; default: now')
      .option('--device <id>', 'only this device, or @file with one id per line; repeatable', repeatable)
      .option('--shard <shard>', 'only this shard; repeatable', repeatable)
      .addOption(
        new Option('--source <source>', 'where events come from').choices(REPLAY_SOURCES).default('auto'),
      )
      .addOption(
        new Option('--into <target>', 'fresh: new tables; repair: the tables in use; stdout: print').choices(
          REPLAY_TARGETS,
        ),
      )
      .option('--name <name>', 'names the new tables <name>-events and <name>-device-state')
      .option(
        '--cutover <time>',
        'read the archive before this time and the stream from it on; default: half the retention ago',
      )
      .option('--skip-foreign', 'skip and report foreign objects and lines in the archive')
      .option('--mapping <files>', MAPPING_HELP)
      .option('--rate <events>', 'maximum events per second, or max; default: 2000 when it writes tables')
      .addOption(outputOption());
  const timed = (command: Command) =>
    command.addOption(
      durationOption('--function-timeout', "the projector function's timeout, which a pause waits for", {
        minMs: 0,
        maxMs: FUNCTION_TIMEOUT_MS_MAX,
        defaultMs: FUNCTION_TIMEOUT_MS,
      }),
    );
  chosen(
    addCommand(
      replay,
      'plan',
      'Estimate what a replay reads and writes, its duration and cost. Reads a few MiB of each shard.',
      ['replay plan --from PT2H --into fresh', 'replay plan --from earliest --source archive --into repair'],
    ),
  ).action((flags: StartFlags) => run((context) => plan(context, flags)));
  timed(
    chosen(
      addCommand(
        replay,
        'start',
        'Start a replay. The default is a dry run, which reads and counts events.',
        [
          'replay start --from 2026-11-23T08:00:00Z',
          "replay start --from earliest --into fresh --name day --execute --reason 'new fold' --yes",
          "replay start --from PT6H --into repair --execute --reason 'pages lost'",
          "replay start --source event-store --into repair --execute --reason 'states wiped'",
          'replay start --from PT1H --device bus-2619 --into stdout --execute --reason look > events.ndjson',
          "replay start --from earliest --source archive --mapping fleet-v2.yaml --into fresh --execute --reason 'units'",
          'replay start --resume 20261123-a1b2c3',
        ],
      ),
    ),
  )
    .option('--execute', 'apply changes (the default is a dry run)')
    .option('--dry-run', 'read and count; the default')
    .option('--reason <text>', 'reason, recorded in the job; required with --execute')
    .option('--yes', 'do not ask for confirmation')
    .option('--resume <job>', 'continue a job that was stopped, was killed or failed')
    .action((flags: StartFlags) => run((context) => start(context, flags), CHANGES));
  addCommand(replay, 'status <job>', 'Show the progress of a job.', [
    'replay status 20261123-a1b2c3 --output json',
  ])
    .addOption(outputOption())
    .action((id: string, flags: OutputFlags) => run((context) => status(context, id, flags)));
  addCommand(replay, 'list', 'List all jobs, newest first.', ['replay list'])
    .addOption(outputOption())
    .action((flags: OutputFlags) => run((context) => list(context, flags)));
  addCommand(
    replay,
    'cancel <job>',
    'Cancel a job at its next checkpoint, a stalled one immediately, and resume the projector if the job paused it. Finished work is kept; --resume continues it.',
    ['replay cancel 20261123-a1b2c3'],
  )
    .addOption(outputOption())
    .action((id: string, flags: OutputFlags) => run((context) => cancel(context, id, flags), CHANGES));
  timed(
    addCommand(
      replay,
      'promote <job>',
      'Put the new tables of a completed job into use, without a restart.',
      ['replay promote 20261123-a1b2c3'],
    ),
  )
    .option('--yes', 'do not ask for confirmation')
    .addOption(outputOption())
    .action((id: string, flags: PromoteFlags) =>
      run((context) => promoteCommand(context, id, flags), CHANGES),
    );
}

async function plan(context: CommandContext, flags: StartFlags): Promise<ExitCode> {
  const { services } = context;
  const { spec, plan: made } = await prepare(context, flags, newJobId(services.clock.now()));
  if (flags.output !== 'table') writeDocument(context, flags.output, { spec, plan: made });
  else write(context, replayPlanText(spec, made, services.clock.now()));
  return EXIT_CODES.success;
}

async function status(context: CommandContext, id: string, { output }: OutputFlags): Promise<ExitCode> {
  const job = await requireJob(context, id);
  const now = context.services.clock.now();
  if (output !== 'table') writeDocument(context, output, jobDocument(job, now));
  else {
    write(context, `${tableText(JOB_COLUMNS, [jobLine(job, now)])}\n${countsText(job)}`);
    if (shownStatus(job, now) === 'stalled') tell(context, stalledText(job));
  }
  return EXIT_CODES.success;
}

async function list(context: CommandContext, { output }: OutputFlags): Promise<ExitCode> {
  const jobs = await jobStore(context).list(context.host.stop);
  const now = context.services.clock.now();
  if (output !== 'table') {
    const documents = jobs.map((job) => jobDocument(job, now));
    writeDocument(context, output, documents, documents);
  } else {
    writeTable(
      context,
      JOB_COLUMNS,
      jobs.map((job) => jobLine(job, now)),
    );
  }
  return EXIT_CODES.success;
}

async function cancel(context: CommandContext, id: string, { output }: OutputFlags): Promise<ExitCode> {
  const { services, host } = context;
  const job = await requireJob(context, id);
  const now = services.clock.now();
  const hasLeftPaused = job.pause !== undefined && !isPauseHeld(job, now);
  if (job.status === 'completed' && !hasLeftPaused) throw refusal('COMPLETED', `job ${id} is completed`);
  const jobs = jobStore(context);
  const isRunning = isJobAlive(job, now);
  if (isRunning) await jobs.requestCancel(id, host.stop);
  else {
    if (hasLeftPaused) {
      await startProjectorAgain(services, job, host.stop);
      tell(context, 'the live projector, which the job had stopped, runs again');
    }
    if (job.status !== 'completed') job.status = 'cancelled';
    await jobs.takeOver(job, job.runner, host.stop);
  }
  if (output !== 'table')
    writeDocument(context, output, { id, status: isRunning ? 'cancelling' : job.status });
  else write(context, isRunning ? `job ${id} ends at its next checkpoint` : `job ${id} is ${job.status}`);
  return EXIT_CODES.success;
}

async function promoteCommand(context: CommandContext, id: string, flags: PromoteFlags): Promise<ExitCode> {
  const job = await requireJob(context, id);
  await checkPromotable(context, job);
  const { eventsTable = '', deviceStateTable = '' } = job.spec.tables ?? {};
  const heldFromMs = await heldFrom(context, job);
  if (heldFromMs > 0) {
    tell(
      context,
      `warning: ${eventsTable} and ${deviceStateTable} hold nothing that arrived before ${isoText(heldFromMs)}`,
    );
  }
  const question = `Put ${eventsTable} and ${deviceStateTable} into use? The live projector pauses for about ${durationText(flags.functionTimeout)} and a catch-up.`;
  await confirm(context.host, question, flags.yes === true);
  const promotion = await promote(context, job, flags.functionTimeout);
  if (flags.output !== 'table') writeDocument(context, flags.output, promotionDocument(promotion));
  else {
    write(
      context,
      `${eventsTable} and ${deviceStateTable} are in use; the projector was paused for ${durationText(promotion.pausedMs)}`,
    );
    write(
      context,
      `caught up with ${counted(promotion.caughtUpEvents, 'event')} of the stream; ${whole(promotion.carriedEvents)} came from the tables before`,
    );
    write(
      context,
      `the tables of generation ${promotion.previous} are as they were: keep them until you are sure`,
    );
  }
  return EXIT_CODES.success;
}

function promotionDocument({ heldFromMs, ...promotion }: Promotion) {
  return { ...promotion, heldFrom: heldFromMs === 0 ? null : isoText(heldFromMs) };
}
