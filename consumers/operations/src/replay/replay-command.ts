import { isJobAlive, REPLAY_TARGETS } from '@twinstream/pipeline-status';
import { parseDurationMs } from '@twinstream/runtime';
import { type Command, Option } from 'commander';
import {
  addCommand,
  CHANGES,
  type CommandContext,
  type OutputForm,
  outputOption,
  type RunCommand,
  repeatable,
  tell,
  write,
  writeJson,
  writeTable,
} from '../command/command-context.ts';
import { confirm } from '../command/confirm.ts';
import { EXIT_CODES, type ExitCode } from '../command/exit-codes.ts';
import { refusal } from '../command/refusal.ts';
import { isoText, whole } from '../output/figures.ts';
import { tableText } from '../output/table.ts';
import { isPauseHeld, jobStore, requireJob, shownStatus } from './jobs.ts';
import { FUNCTION_TIMEOUT, prepare } from './prepare-replay.ts';
import { checkPromotable, heldFrom, type Promotion, promote } from './promote.ts';
import { startProjectorAgain } from './replay-services.ts';
import { REPLAY_SOURCES } from './replay-spec.ts';
import { JOB_COLUMNS, jobDocument, jobLine, ledgerText, planText, stalledText } from './show-replay.ts';
import { newJobId, type StartFlags, start } from './start-replay.ts';

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
      .option('--skip-foreign', 'pass over what is foreign in the archive, and name it')
      .option('--rate <events>', 'events a second, or max; default: 2000 where tables are written')
      .addOption(outputOption());
  const timed = (command: Command) =>
    command.option(
      '--function-timeout <duration>',
      "the projector function's timeout: what a pause waits out",
      FUNCTION_TIMEOUT,
    );
  chosen(
    addCommand(
      replay,
      'plan',
      'What a replay would read, write, take and cost: counted, or between two bounds. Reads a few MiB of each shard.',
      ['replay plan --from PT2H --into fresh', 'replay plan --from earliest --source archive --into repair'],
    ),
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
    .action((flags: StartFlags) => run((context) => start(context, flags), CHANGES));
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
    'Ends a job at its next checkpoint, or one that is stalled at once, and starts the projector again if that had stopped it; what it has done stays, and a resume goes on.',
    ['replay cancel 20261123-a1b2c3'],
  )
    .addOption(outputOption())
    .action((id: string, flags: OutputFlags) => run((context) => cancel(context, id, flags), CHANGES));
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
    .action((id: string, flags: PromoteFlags) =>
      run((context) => promoteCommand(context, id, flags), CHANGES),
    );
}

async function plan(context: CommandContext, flags: StartFlags): Promise<ExitCode> {
  const { services } = context;
  const { spec, plan: made } = await prepare(context, flags, newJobId(services.clock.now()));
  if (flags.output === 'json') writeJson(context, { spec, plan: made });
  else write(context, planText(spec, made, services.clock.now()));
  return EXIT_CODES.fine;
}

async function status(context: CommandContext, id: string, { output }: OutputFlags): Promise<ExitCode> {
  const job = await requireJob(context, id);
  const now = context.services.clock.now();
  if (output === 'json') writeJson(context, jobDocument(job, now));
  else {
    write(context, `${tableText(JOB_COLUMNS, [jobLine(job, now)])}\n${ledgerText(job)}`);
    if (shownStatus(job, now) === 'stalled') tell(context, stalledText(job));
  }
  return EXIT_CODES.fine;
}

async function list(context: CommandContext, { output }: OutputFlags): Promise<ExitCode> {
  const jobs = await jobStore(context).list(context.host.stop);
  const now = context.services.clock.now();
  if (output === 'json') {
    writeJson(
      context,
      jobs.map((job) => jobDocument(job, now)),
    );
  } else {
    writeTable(
      context,
      JOB_COLUMNS,
      jobs.map((job) => jobLine(job, now)),
    );
  }
  return EXIT_CODES.fine;
}

async function cancel(context: CommandContext, id: string, { output }: OutputFlags): Promise<ExitCode> {
  const { services, host } = context;
  const job = await requireJob(context, id);
  const now = services.clock.now();
  const hasLeftPaused = job.pause !== undefined && !isPauseHeld(job, now);
  if (job.status === 'completed' && !hasLeftPaused) throw refusal('COMPLETED', `job ${id} is completed`);
  const jobs = jobStore(context);
  const isRunning = isJobAlive(job, now);
  if (isRunning) await jobs.wishCancel(id, host.stop);
  else {
    if (hasLeftPaused) {
      await startProjectorAgain(services, job, host.stop);
      tell(context, 'the live projector, which the job had stopped, runs again');
    }
    if (job.status !== 'completed') job.status = 'cancelled';
    await jobs.takeOver(job, job.runner, host.stop);
  }
  if (output === 'json') writeJson(context, { id, status: isRunning ? 'cancelling' : job.status });
  else write(context, isRunning ? `job ${id} ends at its next checkpoint` : `job ${id} is ${job.status}`);
  return EXIT_CODES.fine;
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
  const question = `Put ${eventsTable} and ${deviceStateTable} into use? The live projector stands still for about ${flags.functionTimeout} and a catch-up.`;
  if (!(await confirm(context, question, flags.yes === true)))
    throw refusal('NOT_CONFIRMED', 'nothing was changed');
  const promotion = await promote(context, job, parseDurationMs(flags.functionTimeout));
  if (flags.output === 'json') writeJson(context, promotionDocument(promotion));
  else {
    write(
      context,
      `${eventsTable} and ${deviceStateTable} are in use; the projector stood still for ${whole(promotion.pausedMs)} ms`,
    );
    write(
      context,
      `caught up with ${whole(promotion.caughtUpEvents)} events of the stream; ${whole(promotion.carriedEvents)} came from the tables before`,
    );
    write(
      context,
      `the tables of generation ${promotion.previous} are as they were: keep them until you are sure`,
    );
  }
  return EXIT_CODES.fine;
}

function promotionDocument({ heldFromMs, ...promotion }: Promotion) {
  return { ...promotion, heldFrom: heldFromMs === 0 ? null : isoText(heldFromMs) };
}
