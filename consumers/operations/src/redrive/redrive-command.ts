import { userInfo } from 'node:os';
import {
  confirm,
  EXIT_CODES,
  type ExitCode,
  isoText,
  type OutputFormat,
  outputOption,
  refusal,
  usageError,
  whole,
  wholeNumber,
} from '@twinstream/command-line';
import { kinesisTransport } from '@twinstream/stream-producer';
import { type Command, Option } from 'commander';
import { pointInTimeMs } from '../command/argument-values.ts';
import {
  addCommand,
  CHANGES,
  type CommandContext,
  type RunCommand,
  tell,
  write,
  writeJson,
  writeTable,
} from '../command/command-context.ts';
import {
  FAILURE_KINDS,
  type FailedDocument,
  type FailureKind,
  readFailedDocument,
} from './failed-document.ts';
import { type FailedListing, s3FailedDocuments } from './failed-documents.ts';
import { type DocumentResult, type RedriveDocumentServices, redriveDocument } from './redrive-document.ts';

interface RedriveFlags {
  readonly kind?: FailureKind;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly execute?: true;
  readonly reason?: string;
  readonly actor: string;
  readonly yes?: true;
  readonly output: OutputFormat;
}

interface Result extends DocumentResult {
  readonly document: string;
  readonly failedAt: string;
  readonly kind: FailedDocument['kind'];
}

const LIMIT_MAX = 1_000_000;
/** Names that a refusal lists. */
const NAMED_MAX = 10;
/** For the move of a document, which Ctrl-C does not cut off: what was redriven is not redriven again. */
const SETTLE_MS_MAX = 30_000;

export function addRedrive(program: Command, run: RunCommand): void {
  addCommand(
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
    .option('--limit <documents>', 'maximum number of documents', wholeNumber(1, LIMIT_MAX))
    .option('--execute', 'apply changes (the default is a dry run)')
    .option('--reason <text>', 'reason, recorded; required with --execute')
    .option('--actor <name>', 'name of the operator, recorded', userInfo().username)
    .option('--yes', 'do not ask for confirmation')
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
  const { execute = false, reason = '', actor, limit = LIMIT_MAX } = flags;
  if (execute && reason === '') throw usageError('--execute needs --reason: why, which is recorded');
  const { archiveBucket } = services.configuration;
  const documents = s3FailedDocuments(services.s3, archiveBucket);
  const listings = await listed(context, documents.list(host.stop), names, flags);
  if (execute && listings.length > 0) {
    const which = flags.kind === undefined ? '' : `, those of kind ${flags.kind} alone,`;
    const most = flags.limit === undefined ? '' : ` (${whole(limit)} at most)`;
    const question = `Redrive ${whole(listings.length)} documents${which} into the pipeline${most}?`;
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

/** The documents that are meant. Refuses names that the filters do not find: a typo must not pass for work that is done. */
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
    if (found.length > LIMIT_MAX) throw usageError(`more than ${LIMIT_MAX} documents: use --from and --to`);
  }
  const keys = new Set(found.map(({ key }) => key));
  const unknown = names.filter((name) => !keys.has(name));
  if (unknown.length === 0) return found;
  const where = 'in the bucket, or not by these filters: see redrive without names';
  throw refusal('DOCUMENT_NOT_FOUND', `there is no ${unknown.slice(0, NAMED_MAX).join(', ')} ${where}`);
}

async function documentServices({ services, host }: CommandContext): Promise<RedriveDocumentServices> {
  const { configuration, logger, quarantine, lambda } = services;
  const { streamName, pageWriting, archiverFunction } = configuration;
  const [progress, [decoder]] = await Promise.all([
    services.shardProgress.read(streamName, host.stop),
    services.decoders(undefined, host.folder),
  ]);
  return {
    tablesInUse: async () => {
      const generation = await services.generation(host.stop);
      return { ...services.stores(generation), generation: generation.id };
    },
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
  const counts: Record<string, number> = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  if (output === 'json') {
    writeJson(context, { executed, documents: results.length, outcomes: counts, results });
  } else {
    writeTable(
      context,
      ['outcome', 'kind', 'records', 'stored', 'document', 'detail'].map((title) => ({ title })),
      results.map(({ outcome, kind, records, stored, document, detail }) => [
        ...[outcome, kind, whole(records), stored === undefined ? '-' : whole(stored)],
        ...[document, detail],
      ]),
    );
    const sums = Object.entries(counts).map(([outcome, count]) => `${whole(count)} ${outcome}`);
    write(context, `${whole(results.length)} documents: ${sums.join(', ') || 'nothing to do'}`);
  }
  if (!executed) tell(context, 'This was a preview: --execute --reason "…" acts.');
}
