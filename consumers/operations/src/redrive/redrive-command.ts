import {
  confirm,
  counted,
  EXIT_CODES,
  type ExitCode,
  isoText,
  type OutputFormat,
  outputOption,
  usageError,
  whole,
  wholeNumber,
} from '@twinstream/command-line';
import { kinesisTransport } from '@twinstream/stream-producer';
import { type Command, Option } from 'commander';
import { pointInTimeMs } from '../command/argument-values.ts';
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
  write,
  writeDocument,
  writeTable,
} from '../command/command-context.ts';
import { readTablesInUse } from '../services.ts';
import {
  FAILURE_KINDS,
  type FailedDocument,
  type FailureKind,
  readFailedDocument,
} from './failed-document.ts';
import { type FailedListing, s3FailedDocuments } from './failed-documents.ts';
import { type DocumentResult, type RedriveDocumentServices, redriveDocument } from './redrive-document.ts';

interface RedriveFlags extends ChangeFlags {
  readonly kind?: FailureKind;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly output: OutputFormat;
}

interface Result extends DocumentResult {
  readonly document: string;
  readonly failedAt: string;
  readonly kind: FailedDocument['kind'];
}

/** For the move of a document, which Ctrl-C does not cut off: what was redriven is not redriven again. */
const SETTLE_MS_MAX = 30_000;

export function addRedrive(program: Command, run: RunCommand): void {
  const command = addCommand(
    program,
    'redrive [documents...]',
    'Redrive batches that a mapping gave up, and messages that the IoT rule could not put on the stream.',
    [
      'redrive --from PT24H                                 (a preview: what lies in the bucket, and what would be done)',
      "redrive --kind projector --execute --reason 'the table was throttled'",
      "redrive --kind iot --from 2026-11-23T08:00:00Z --execute --reason 'stream throttled' --yes",
      'redrive --output json > failures.json',
    ],
  )
    .addOption(new Option('--kind <kind>', 'only documents of this kind').choices(FAILURE_KINDS))
    .option(
      '--from <time>',
      'only what failed at or after this time: ISO 8601 with offset, or a duration ago (PT2H)',
    )
    .option('--to <time>', 'only what failed before this time')
    .option('--limit <documents>', 'maximum number of documents', wholeNumber(1, CHANGED_MAX));
  addChangeOptions(command)
    .addOption(outputOption())
    .action((documents: string[], flags: RedriveFlags) =>
      run((context) => redriveCommand(context, documents, flags), CHANGES),
    );
}

async function redriveCommand(
  context: CommandContext,
  names: readonly string[],
  flags: RedriveFlags,
): Promise<ExitCode> {
  const { services, host } = context;
  const { execute = false, actor, limit = CHANGED_MAX } = flags;
  const reason = reasonOf(flags);
  const { archiveBucket } = services.configuration;
  const documents = s3FailedDocuments(services.s3, archiveBucket);
  const listings = await listed(context, documents.list(host.stop), names, flags);
  if (execute && listings.length > 0) {
    const which = flags.kind === undefined ? '' : `, those of kind ${flags.kind} alone,`;
    const most = flags.limit === undefined ? '' : ` (${whole(limit)} at most)`;
    const question = `Redrive ${counted(listings.length, 'document')}${which} into the pipeline${most}?`;
    await confirm(host, question, flags.yes === true);
  }
  const redriving = await documentServices(context);
  const results: Result[] = [];
  let failure: { readonly error: unknown } | undefined;
  try {
    for (const { key, failedMs } of listings) {
      if (results.length >= limit) break;
      host.stop.throwIfAborted();
      const text = await documents.read(key, host.stop);
      if (text === undefined) continue;
      const document = readFailedDocument(key, text, services.configuration);
      if (flags.kind !== undefined && document.kind !== flags.kind) continue;
      const result = await redriveDocument(redriving, document, { execute, signal: host.stop });
      if (result.outcome === 'redriven') {
        const stamp = { time: isoText(services.clock.now()), reason, actor };
        await documents.settle(key, text, stamp, AbortSignal.timeout(SETTLE_MS_MAX));
      }
      results.push({ document: key, kind: document.kind, failedAt: isoText(failedMs), ...result });
    }
  } catch (error) {
    failure = { error };
  }
  report(context, execute, flags.output, results);
  if (failure !== undefined) throw failure.error;
  const isFine = results.every(({ outcome }) => ['redriven', 'would-redrive', 'skipped'].includes(outcome));
  return isFine ? EXIT_CODES.success : EXIT_CODES.failed;
}

/** The documents that are meant. Refuses names that the filters do not find. */
async function listed(
  { services }: CommandContext,
  all: AsyncIterable<FailedListing>,
  names: readonly string[],
  flags: RedriveFlags,
): Promise<readonly FailedListing[]> {
  const now = services.clock.now();
  const from = flags.from === undefined ? Number.NEGATIVE_INFINITY : pointInTimeMs(flags.from, now);
  const to = flags.to === undefined ? Number.POSITIVE_INFINITY : pointInTimeMs(flags.to, now);
  const wanted = new Set(names);
  const found: FailedListing[] = [];
  for await (const one of all) {
    if (wanted.size > 0 && !wanted.has(one.key)) continue;
    if (one.failedMs < from || one.failedMs >= to) continue;
    found.push(one);
    if (found.length > CHANGED_MAX)
      throw usageError(`more than ${CHANGED_MAX} documents: use --from and --to`);
  }
  const keys = new Set(found.map(({ key }) => key));
  const where = 'in the bucket, or not by these filters: see redrive without names';
  refuseUnknown(names, keys, 'DOCUMENT_NOT_FOUND', where);
  return found;
}

async function documentServices({ services, host }: CommandContext): Promise<RedriveDocumentServices> {
  const { configuration, logger, quarantine, lambda } = services;
  const { streamName, pageWriting, archiverFunction } = configuration;
  const [progress, [decoder]] = await Promise.all([
    services.shardProgress.read(streamName, host.stop),
    services.decoders(undefined, host.folder),
  ]);
  return {
    tablesInUse: () => readTablesInUse(services, host.stop),
    ...{ logger, pageWriting, decoder, quarantine, lambda, archiverFunction },
    finishedThrough: new Map(progress.map(({ shardId, finishedThrough }) => [shardId, finishedThrough])),
    stream: kinesisTransport({ streamName, client: services.kinesis }),
  };
}

function report(
  context: CommandContext,
  executed: boolean,
  output: OutputFormat,
  results: readonly Result[],
): void {
  const counts = countOutcomes(results);
  if (output !== 'table') {
    const document = { executed, documents: results.length, outcomes: counts, results };
    writeDocument(context, output, document, results);
  } else {
    writeTable(
      context,
      ['outcome', 'kind', 'records', 'stored', 'document', 'detail'].map((title) => ({ title })),
      results.map(({ outcome, kind, records, stored, document, detail }) => [
        ...[outcome, kind, whole(records), stored === undefined ? '-' : whole(stored)],
        ...[document, detail],
      ]),
    );
    write(context, `${counted(results.length, 'document')}: ${outcomesText(counts)}`);
  }
  if (!executed) tellDryRun(context);
}
