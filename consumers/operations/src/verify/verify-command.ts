import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import {
  type Column,
  counted,
  durationOption,
  durationText,
  EXIT_CODES,
  type ExitCode,
  type OutputFormat,
  outputOption,
  refusal,
  repeatable,
  whole,
  wholeNumber,
} from '@twinstream/command-line';
import type { TableNames } from '@twinstream/table-generation';
import { type ArchiveReport, type Difference, foreignName, verifyDevices } from '@twinstream/verification';
import type { Command } from 'commander';
import { readDeviceId } from '../command/argument-values.ts';
import {
  addCommand,
  type CommandContext,
  type RunCommand,
  tell,
  write,
  writeDocument,
  writeTable,
} from '../command/command-context.ts';
import { chosenDevices, notStoredAmong, unknownDevices } from '../devices.ts';
import { MAPPING_HELP } from '../services.ts';
import { compareArchive } from './compare-archive.ts';

interface VerifyFlags {
  readonly device?: readonly string[];
  readonly sample?: number;
  readonly against: string;
  readonly archive: boolean;
  readonly archiveLag: number;
  readonly skipForeign?: true;
  readonly mapping?: string;
  readonly output: OutputFormat;
}

const SAMPLE_MAX = 100_000_000;
const DIFFERENCES_SHOWN_MAX = 50;
const TEXT_CHARACTERS_MAX = 60;
/** Twice what Firehose buffers at most (900 s, "Configure buffering hints", read 2026-11). */
const ARCHIVE_LAG_MS = 30 * 60_000;
const ARCHIVE_LAG_MS_MAX = 7 * 24 * 3_600_000;

export function addVerify(program: Command, run: RunCommand): void {
  addCommand(program, 'verify', 'Compare stored state, pages and archive with the events.', [
    'verify',
    'verify --sample 1000 --no-archive',
    'verify --mapping fleet-v2.yaml,fleet-v1.yaml    (stored by both versions of a mapping)',
    'verify --device bus-2619 --device bus-7003 --output json',
    'verify --against device-state-20261123    (a table that was rebuilt, beside the events in use)',
  ])
    .option('--device <id>', 'only this device; repeatable', repeatable)
    .option(
      '--sample <devices>',
      'verify a uniform random sample of this many devices',
      wholeNumber(1, SAMPLE_MAX),
    )
    .option('--against <table>', 'table of states; device-state is the one in use', 'device-state')
    .option('--no-archive', 'do not compare the archive')
    .addOption(
      durationOption('--archive-lag', 'maximum time until an event must be in the archive', {
        minMs: 0,
        maxMs: ARCHIVE_LAG_MS_MAX,
        defaultMs: ARCHIVE_LAG_MS,
      }),
    )
    .option(
      '--skip-foreign',
      'report foreign objects and lines in the archive without counting them as differences',
    )
    .option('--mapping <files>', `${MAPPING_HELP}; several versions of one are all compared with`)
    .addOption(outputOption())
    .action((flags: VerifyFlags) => run((context) => verify(context, flags)));
}

async function verify(context: CommandContext, flags: VerifyFlags): Promise<ExitCode> {
  const { host, services } = context;
  const { clock } = services;
  const startMs = clock.now();
  const tables = await tablesAgainst(context, flags.against);
  const stores = services.stores(tables);
  const named = flags.device?.map(readDeviceId);
  const notStored = await notStoredAmong(stores, named ?? [], host.stop);
  if (notStored.length > 0 && !flags.archive) throw unknownDevices(notStored);
  const foreign: Difference[] = [];
  const chosen = chosenDevices(stores, named, flags.sample, host.stop, {
    onForeignKey: (table, deviceId) => {
      const [expected, found] = ['a device id', 'another partition key'];
      foreign.push({ deviceId, kind: 'item-foreign', subject: `in ${table}`, expected, found });
    },
  });
  const isWhole = named === undefined && flags.sample === undefined;
  const deviceIds = isWhole ? chosen : await Array.fromAsync(chosen);
  const comparison = flags.archive
    ? await compareArchive(context, {
        ...{ tables, archiveLagMs: flags.archiveLag, startMs },
        isForeignSkipped: flags.skipForeign === true,
        mapping: flags.mapping,
        devices: Array.isArray(deviceIds) ? new Set(deviceIds) : undefined,
      })
    : undefined;
  try {
    let [events, pages, statesNotCompared] = [0, 0, 0];
    const result = await verifyDevices(stores, deviceIds, {
      clock,
      signal: host.stop,
      ...(comparison === undefined ? {} : { onEvent: comparison.onEvent }),
      onDevice: (deviceId, verification) => {
        comparison?.onDevice(deviceId, verification);
        if (!verification.isStateCompared) statesNotCompared += 1;
        events += verification.eventCount;
        pages += verification.pageCount;
      },
    });
    const archive = await comparison?.finish();
    // A device of which nothing is stored is unknown, unless the archive has it: then it is missing.
    const unknown = notStored.filter((deviceId) => archive?.archivedDevices.has(deviceId) !== true);
    if (unknown.length > 0) throw unknownDevices(unknown, 'nor is anything in the archive');
    const differences = [...foreign, ...result.differences, ...(archive?.differences ?? [])].sort(byDevice);
    const durationMs = clock.now() - startMs;
    const counts = { devices: result.devices, pages, events, statesNotCompared, durationMs };
    report(context, flags.output, differences, counts, archive);
    return differences.length === 0 ? EXIT_CODES.success : EXIT_CODES.failed;
  } finally {
    comparison?.close();
  }
}

/** The tables in use, with another table of states where one is named. */
async function tablesAgainst({ host, services }: CommandContext, against: string): Promise<TableNames> {
  const generation = await services.generation(host.stop);
  if (against === 'device-state') return generation;
  try {
    const command = new DescribeTableCommand({ TableName: against });
    await services.dynamoDb.send(command, { abortSignal: host.stop });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ResourceNotFoundException') throw error;
    throw refusal('UNKNOWN_TABLE', `no such table: ${against}`);
  }
  // A fresh pair of tables is named alike, and verified against its own events.
  const suffix = /^(.*)-device-state$/.exec(against)?.[1];
  const eventsTable = suffix === undefined ? generation.eventsTable : `${suffix}-events`;
  return { eventsTable, deviceStateTable: against };
}

interface Counts {
  readonly devices: number;
  readonly pages: number;
  readonly events: number;
  /** Pages of these devices are missing or damaged, and no snapshot lies after them: restore the pages first. */
  readonly statesNotCompared: number;
  readonly durationMs: number;
}

function report(
  context: CommandContext,
  output: OutputFormat,
  differences: readonly Difference[],
  counts: Counts,
  archive: ArchiveReport | undefined,
): void {
  if (output !== 'table') {
    const document = {
      equal: differences.length === 0,
      ...counts,
      archive: archiveDocument(archive),
      differences,
    };
    writeDocument(context, output, document, differences);
    return;
  }
  if (differences.length > 0) {
    const columns: readonly Column[] = [
      ...['device', 'kind', 'subject'].map((title) => ({ title })),
      ...['expected', 'found'].map((title) => ({ title, charactersMax: TEXT_CHARACTERS_MAX })),
    ];
    const rows = differences
      .slice(0, DIFFERENCES_SHOWN_MAX)
      .map(({ deviceId, kind, subject, expected, found }) => [
        deviceId === '' ? '-' : deviceId,
        kind,
        subject,
        expected,
        found,
      ]);
    writeTable(context, columns, rows);
    const unshown = differences.length - rows.length;
    if (unshown > 0) tell(context, `and ${whole(unshown)} more (--output json lists all)`);
  }
  const scope = [
    counted(counts.devices, 'device'),
    counted(counts.pages, 'page'),
    counted(counts.events, 'event'),
  ].join(', ');
  const notCompared =
    counts.statesNotCompared === 0
      ? ''
      : `; ${counted(counts.statesNotCompared, 'state')} not compared, for pages before them are missing or damaged`;
  const verdict = differences.length === 0 ? 'equal' : counted(differences.length, 'difference');
  write(
    context,
    `${verdict}: ${scope} in ${durationText(counts.durationMs)}${archiveText(archive)}${notCompared}`,
  );
}

/** What the archive comparison came to, as JSON says it: stable, for scripts. */
function archiveDocument(archive: ArchiveReport | undefined) {
  if (archive === undefined) return null;
  const { differences: _, archivedDevices: __, foreign, ...counts } = archive;
  return { ...counts, foreign: { count: foreign.count, named: foreign.named } };
}

function archiveText(archive: ArchiveReport | undefined): string {
  if (archive === undefined) return '';
  const { eventsFound, eventsNotDue, notFinished, deadLetters, givenUp, foreign } = archive;
  const parts = [`in the archive ${whole(eventsFound)}`, `on their way ${whole(eventsNotDue)}`];
  if (deadLetters > 0) parts.push(`in quarantine ${whole(deadLetters)} (see quarantine list)`);
  if (notFinished > 0) parts.push(`not finished yet ${whole(notFinished)}`);
  if (givenUp > 0) parts.push(`given up ${whole(givenUp)} (redrive stores them)`);
  if (foreign.count > 0) {
    const [first] = foreign.named;
    parts.push(
      `foreign ${whole(foreign.count)}${first === undefined ? '' : `, the first ${foreignName(first)}`}`,
    );
  }
  return `; ${parts.join(', ')}`;
}

function byDevice(a: Difference, b: Difference): number {
  return a.deviceId < b.deviceId ? -1 : a.deviceId > b.deviceId ? 1 : 0;
}
