import {
  bytesText,
  counted,
  duration,
  durationText,
  EXIT_CODES,
  type ExitCode,
  type OutputFormat,
  outputOption,
  tableText,
  whole,
} from '@twinstream/command-line';
import type { Command } from 'commander';
import {
  addCommand,
  type CommandContext,
  type RunCommand,
  write,
  writeDocument,
} from '../command/command-context.ts';
import { type OperationsStatus, readStatus } from './read-status.ts';

interface StatusFlags {
  readonly watch?: number | true;
  readonly output: OutputFormat;
}

const WATCH_MS = 2_000;
/** Each look reads every shard three times, of the five reads a second that its readers share. */
const WATCH_MS_MIN = 1_000;
const WATCH_MS_MAX = 24 * 3_600_000;
/** DynamoDB says 0 of an empty table as of one that it has not counted yet. */
const NOT_COUNTED = '-';
const COUNTS_NOTE =
  "Items and sizes are DynamoDB's own counts, up to six hours old; - is none yet. dynalite keeps none.\n";
const CLEAR_SCREEN = '\u001b[2J\u001b[H';

export function addStatus(program: Command, run: RunCommand): void {
  addCommand(
    program,
    'status',
    'Show the stream, its shards and their lag, quarantine, archive, replays and tables.',
    ['status', 'status --watch 5s', 'status --output json'],
  )
    .option(
      '--watch [interval]',
      'refresh until interrupted; default: every 2s',
      duration(WATCH_MS_MIN, WATCH_MS_MAX),
    )
    .addOption(outputOption())
    .action((flags: StatusFlags) => run((context) => status(context, flags)));
}

async function status(context: CommandContext, { watch, output }: StatusFlags): Promise<ExitCode> {
  const { host, services } = context;
  const betweenMs = typeof watch === 'number' ? watch : WATCH_MS;
  while (true) {
    const found = await readStatus(services, host.stop);
    if (output !== 'table') {
      // Documents that follow one another are lines.
      writeDocument(context, watch === undefined ? output : 'ndjson', found);
    } else {
      if (watch !== undefined && host.stdout.isTTY) host.stdout.write(CLEAR_SCREEN);
      write(context, statusText(found));
    }
    if (watch === undefined) return exitCodeOf(found);
    try {
      await services.clock.sleep(betweenMs, host.stop);
    } catch {
      // Ctrl-C is how watching ends.
      return EXIT_CODES.success;
    }
  }
}

/** A paused projector that no running job will resume is a fault, and so is an archiver that is disabled. */
export function exitCodeOf({
  projectorStop,
  archiverStop,
}: Pick<OperationsStatus, 'projectorStop' | 'archiverStop'>): ExitCode {
  const isProjectorFine = projectorStop === null || projectorStop.isHeld;
  return isProjectorFine && archiverStop === null ? EXIT_CODES.success : EXIT_CODES.failed;
}

const NOT_KNOWN = 'not known';
const INDENT = ' '.repeat(12);

/** The projector's state, what has stopped it and since when, and what to do. */
export function projectorText({
  projector,
  projectorStop: stop,
}: Pick<OperationsStatus, 'projector' | 'projectorStop'>): string {
  if (stop === null) return projector ?? NOT_KNOWN;
  if (stop.job === null) return `${projector}, and no job has paused it: ${enableText(stop)}`;
  const paused = `${projector}: paused by job ${stop.job} (${stop.purpose}, pass ${stop.pass}) since ${stop.since}`;
  if (stop.isHeld) return `${paused}; the job will resume it`;
  const cancel = `npx twinstream ops replay cancel ${stop.job}   ends the job and resumes the projector`;
  const resume = `npx twinstream ops replay start --resume ${stop.job}   continues it, and resumes the projector at its end`;
  const remedies = stop.purpose === 'repair' ? [resume, cancel] : [cancel];
  return [`${paused}; the job is gone, so nothing resumes it until you do`, ...remedies].join(`\n${INDENT}`);
}

/** The archiver's state; where it is disabled, what to do. */
export function archiverText({
  archiver,
  archiverStop: stop,
}: Pick<OperationsStatus, 'archiver' | 'archiverStop'>): string {
  return stop === null ? (archiver ?? NOT_KNOWN) : `${archiver}, nothing is archived: ${enableText(stop)}`;
}

function enableText({ mapping }: { readonly mapping: string }): string {
  return `aws lambda update-event-source-mapping --uuid ${mapping} --enabled`;
}

function statusText(found: OperationsStatus): string {
  const now = Date.parse(found.time);
  const delivered = found.archiveLastDelivery;
  const lags = found.shards.map(({ lagMs }) => lagMs ?? 0);
  const rates = found.shards.map(({ recordsPerSecond }) => recordsPerSecond ?? 0);
  const head = [
    `stream      ${found.stream}, retention ${found.retentionHours} h, at ${found.time}`,
    `lag         ${durationText(lags.reduce((most, lag) => Math.max(most, lag), 0))}`,
    `throughput  ${whole(rates.reduce((sum, rate) => sum + rate, 0))} records/s`,
    `quarantine  ${counted(found.quarantinedEntries, 'entry', 'entries')}`,
    `archive     ${delivered === null ? 'nothing delivered yet' : `last delivery ${durationText(Math.max(0, now - Date.parse(delivered)))} ago`}`,
    ...found.replays.map(
      ({ id, target, step, entries }) =>
        `replay      ${id} running: ${target}, pass ${step}, ${counted(entries.read, 'entry', 'entries')} read`,
    ),
    `generation  ${found.generation}`,
    `projector   ${projectorText(found)}`,
    `archiver    ${archiverText(found)}`,
  ];
  const shards = tableText(
    [
      { title: 'shard' },
      { title: 'state' },
      { title: 'lag', align: 'right' },
      { title: 'records behind', align: 'right' },
      { title: 'records/s', align: 'right' },
      { title: 'parents' },
    ],
    found.shards.map((shard) => [
      shard.shardId,
      shard.state,
      shard.lagMs === null ? NOT_KNOWN : durationText(shard.lagMs),
      shard.lagRecords === null ? NOT_KNOWN : `${shard.isLagLarger ? '> ' : ''}${whole(shard.lagRecords)}`,
      shard.recordsPerSecond?.toFixed(1) ?? NOT_KNOWN,
      shard.parents.join(' '),
    ]),
  );
  const tables = tableText(
    [{ title: 'table' }, { title: 'items', align: 'right' }, { title: 'size', align: 'right' }],
    found.tables.map(({ table, items, bytes }) => [
      table,
      items === 0 ? NOT_COUNTED : whole(items),
      bytes === 0 ? NOT_COUNTED : bytesText(bytes),
    ]),
  );
  return `${head.join('\n')}\n\n${shards}\n${tables}${COUNTS_NOTE}`;
}
