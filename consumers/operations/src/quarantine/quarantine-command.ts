import {
  confirm,
  counted,
  EXIT_CODES,
  type ExitCode,
  isoText,
  type OutputFormat,
  outputOption,
  repeatable,
  usageError,
  whole,
  wholeNumber,
} from '@twinstream/command-line';
import { type FoundRecord, type RedriveResult, redrive, unchanged } from '@twinstream/projection';
import type { Command } from 'commander';
import {
  addChangeOptions,
  CHANGED_MAX,
  type ChangeFlags,
  countOutcomes,
  outcomesText,
  reasonOf,
  refuseUnknown,
  tellDryRun,
} from '../command/change-command.ts';
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
import { MAPPING_HELP, readTablesInUse } from '../services.ts';
import { findQuarantined, isRejectionReason, type QuarantineFilter } from './find-quarantined.ts';
import { listQuarantined, showQuarantined } from './show-quarantined.ts';
import { fixedEvents, readTransform } from './transform.ts';

interface FilterFlags extends QuarantineFilter {
  readonly output: OutputFormat;
}

interface DiscardFlags extends FilterFlags, ChangeFlags {}

interface RedriveFlags extends DiscardFlags {
  readonly transform?: string;
  readonly input?: string;
  readonly mapping?: string;
}

export function addQuarantine(program: Command, run: RunCommand): void {
  const quarantine = program
    .command('quarantine')
    .description('List, inspect, redrive or discard invalid records.');
  const filtered = (command: Command) =>
    command
      .option('--rejection <rejection>', 'entries rejected for this; repeatable', repeatable)
      .option(
        '--from <time>',
        'only records that arrived at or after this time: ISO 8601 with offset, or a duration ago (PT2H)',
      )
      .option('--to <time>', 'only records that arrived before this time')
      .option('--shard <shard>', 'only records of this shard; repeatable', repeatable)
      .option('--limit <records>', 'maximum number of records', wholeNumber(1, CHANGED_MAX))
      .addOption(outputOption());
  const changing = (command: Command) => addChangeOptions(filtered(command));
  filtered(
    addCommand(quarantine, 'list', 'Records in quarantine.', [
      'quarantine list --rejection not-json --from PT24H',
      'quarantine list --output json > bad.ndjson    (one JSON object per entry)',
    ]),
  ).action((flags: FilterFlags) =>
    run((context) => listQuarantined(context, found(context, flags), flags.output)),
  );
  addCommand(quarantine, 'show <record>', 'One record, as text and in hexadecimal, with the reason.', [
    'quarantine show shardId-000000000001:49590338271490256608559692538361571095921575989136588898',
  ]).action((record: string) =>
    run((context) => showQuarantined(context, found(context, {}, [record]), record)),
  );
  changing(
    addCommand(
      quarantine,
      'redrive [records...]',
      'Reprocess corrected records through the normal pipeline.',
      [
        "quarantine redrive --rejection unsupported-version --transform '.v = 1'",
        "quarantine redrive --transform '.deviceId = .id | del(.id)' --execute --reason 'old firmware'",
        "quarantine redrive --transform ./repair.ts --execute --reason 'broken encoder' --yes",
        "quarantine redrive --input fixed.ndjson --execute --reason 'fixed by hand'",
        "quarantine redrive --mapping fleet-v2.yaml --rejection unmapped-value --execute --reason 'time in ms'",
      ],
    ),
  )
    .option('--transform <steps or module>', '.path = JSON | .path = .path | del(.path), or a module')
    .option(
      '--input <file>',
      'repaired events, one JSON object a line: shardId, sequenceNumber, subSequenceNumber, event',
    )
    .option('--mapping <files>', MAPPING_HELP)
    .action((records: string[], flags: RedriveFlags) =>
      run((context) => redriveCommand(context, records, flags), CHANGES),
    );
  changing(
    addCommand(
      quarantine,
      'discard [records...]',
      'Remove records from quarantine; they are kept as resolved, with the reason.',
      ["quarantine discard --rejection empty --execute --reason 'a probe of the network team'"],
    ),
  ).action((records: string[], flags: DiscardFlags) =>
    run((context) => discard(context, records, flags), CHANGES),
  );
}

function found(context: CommandContext, flags: QuarantineFilter, names: readonly string[] = []) {
  const { services, host } = context;
  return findQuarantined(services.quarantine, flags, names, services.clock.now(), host.stop);
}

function requireReason(flags: ChangeFlags): string {
  const reason = reasonOf(flags);
  if (isRejectionReason(reason))
    throw usageError(`--reason says why you do it; --rejection ${reason} chooses entries`);
  return reason;
}

/** The number of records with what chose them, for a question: all that lie in quarantine, or only some. */
function recordsMeant(count: number, filter: QuarantineFilter, names: readonly string[]): string {
  const { rejection = [], from, to, shard = [], limit } = filter;
  const chosenBy = [
    ...rejection.map((reason) => `--rejection ${reason}`),
    ...(from === undefined ? [] : [`--from ${from}`]),
    ...(to === undefined ? [] : [`--to ${to}`]),
    ...shard.map((id) => `--shard ${id}`),
    ...(limit === undefined ? [] : [`--limit ${limit}`]),
  ];
  if (names.length > 0) return `${counted(count, 'named record')}`;
  if (chosenBy.length > 0) return `${counted(count, 'record')} (${chosenBy.join(' ')})`;
  return count === 1 ? 'the one record in quarantine' : `all ${whole(count)} records in quarantine`;
}

/** The records that are meant. Refuses names of which the filters find none. */
async function gathered(
  context: CommandContext,
  flags: QuarantineFilter,
  names: readonly string[],
): Promise<readonly FoundRecord[]> {
  const all: FoundRecord[] = [];
  for await (const one of found(context, flags, names)) {
    all.push(one);
    if (all.length > CHANGED_MAX)
      throw usageError(`more than ${CHANGED_MAX} records: use --from, --to or --limit`);
  }
  const met = new Set(all.flatMap(({ key, record }) => [key, `${record.shardId}:${record.sequenceNumber}`]));
  const where = 'in quarantine, or not by these filters: see quarantine list';
  refuseUnknown(names, met, 'NOT_IN_QUARANTINE', where);
  return all;
}

async function redriveCommand(
  context: CommandContext,
  names: readonly string[],
  flags: RedriveFlags,
): Promise<ExitCode> {
  const { services, host } = context;
  const reason = requireReason(flags);
  if (flags.transform !== undefined && flags.input !== undefined)
    throw usageError('--transform or --input, not both');
  const transform =
    flags.transform !== undefined
      ? await readTransform(flags.transform, host.folder)
      : flags.input !== undefined
        ? await fixedEvents(flags.input, host.folder)
        : unchanged;
  const [decoder] = await services.decoders(flags.mapping, host.folder);
  const records = await gathered(context, flags, names);
  if (flags.execute === true) {
    const question = `Redrive ${recordsMeant(records.length, flags, names)} into the tables in use?`;
    await confirm(context.host, question, flags.yes === true);
  }
  const tablesInUse = () => readTablesInUse(services, host.stop);
  const { quarantine, shardProgress, logger, clock, configuration } = services;
  const { streamName, pageWriting } = configuration;
  const redriving = redrive(
    { tablesInUse, quarantine, shardProgress, logger, streamName, pageWriting, now: clock.now },
    toAsync(records),
    { transform, decoder, execute: flags.execute === true, reason, actor: flags.actor, signal: host.stop },
  );
  const results: RedriveResult[] = [];
  for await (const result of redriving) results.push(result);
  report(context, flags, records.length, results);
  const isFine = results.every(({ outcome }) =>
    ['stored', 'already-stored', 'would-store', 'ignored'].includes(outcome),
  );
  return isFine ? EXIT_CODES.success : EXIT_CODES.failed;
}

async function* toAsync<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

function report(
  context: CommandContext,
  flags: RedriveFlags,
  records: number,
  results: readonly RedriveResult[],
): void {
  const counts = countOutcomes(results);
  if (flags.output !== 'table') {
    const document = {
      executed: flags.execute === true,
      records,
      entries: results.length,
      outcomes: counts,
      results,
    };
    writeDocument(context, flags.output, document, results);
    return;
  }
  writeTable(
    context,
    ['outcome', 'device', 'record', 'detail'].map((title) => ({ title })),
    results.map(({ outcome, deviceId, shardId, sequenceNumber, subSequenceNumber, detail }) => [
      outcome,
      deviceId ?? '-',
      `${shardId}:${sequenceNumber}:${subSequenceNumber}`,
      detail,
    ]),
  );
  write(context, `${counted(records, 'record')}: ${outcomesText(counts)}`);
  if (flags.execute !== true) tellDryRun(context);
  else if ((counts.stored ?? 0) > 0) tell(context, FLEET_LIST_FOLLOWS);
}

/** The list learns of changes from the stream, and reads its table again every five minutes (docs/delivery-semantics.md). */
const FLEET_LIST_FOLLOWS =
  'Single devices show what was redriven immediately; the fleet list follows within five minutes.';

async function discard(
  context: CommandContext,
  names: readonly string[],
  flags: DiscardFlags,
): Promise<ExitCode> {
  const { services, host } = context;
  const reason = requireReason(flags);
  if (
    names.length === 0 &&
    flags.rejection === undefined &&
    flags.from === undefined &&
    flags.shard === undefined
  ) {
    throw usageError('name the records, or choose them by --rejection, --from or --shard');
  }
  const records = await gathered(context, flags, names);
  if (flags.execute !== true) {
    if (flags.output !== 'table') writeDiscarded(context, flags.output, false, records);
    else write(context, `${counted(records.length, 'record')} would be discarded`);
    tellDryRun(context);
    return EXIT_CODES.success;
  }
  const question = `Discard ${recordsMeant(records.length, flags, names)} for good?`;
  await confirm(context.host, question, flags.yes === true);
  const time = isoText(services.clock.now());
  for (const { key } of records) {
    const resolution = { outcome: 'discarded' as const, time, reason, actor: flags.actor, events: [] };
    await services.quarantine.resolve(key, resolution, host.stop);
  }
  if (flags.output !== 'table') writeDiscarded(context, flags.output, true, records);
  else write(context, `${counted(records.length, 'record')} discarded`);
  return EXIT_CODES.success;
}

function writeDiscarded(
  context: CommandContext,
  output: Exclude<OutputFormat, 'table'>,
  executed: boolean,
  records: readonly { readonly key: string }[],
): void {
  const discarded = records.map(({ key }) => key);
  writeDocument(
    context,
    output,
    { executed, discarded },
    discarded.map((key) => ({ key })),
  );
}
