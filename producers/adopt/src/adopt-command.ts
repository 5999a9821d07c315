import { readFile, writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { Readable } from 'node:stream';
import {
  type CommandHost,
  callerPath,
  EXIT_CODES,
  type ExitCode,
  exitCodeHelp,
  explainFailure,
  parseCommandLine,
  refusal,
  usageError,
} from '@twinstream/command-line';
import type { JsonValue } from '@twinstream/device-model';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { applyMapping, type Outcome } from './apply-mapping.ts';
import { proposeMapping } from './propose-mapping.ts';
import { readSamples, type SampleLine } from './read-samples.ts';
import { mapperOf, readReadyMade } from './ready-made.ts';
import { outcomeText } from './show-outcome.ts';

export interface AdoptHost extends CommandHost {
  readonly stdin: Readable;
  readonly nowMs: number;
}

interface Flags {
  readonly test?: string;
  readonly write?: string;
  readonly name?: string;
  readonly id?: string;
  readonly force?: true;
}

const HELP = `
Reads samples of a fleet, one record a line, proposes a mapping of them with reasons, shows the devices and events that they
become, and writes the mapping. Edit it, and see what it does to any file of records.

Examples:
  twinstream adopt sample.ndjson
  twinstream adopt --id meta.unit sample.ndjson
  twinstream adopt --test sample.yaml sample.ndjson

${exitCodeHelp({ success: 'every record is mapped or ignored', failed: 'records are rejected', refused: 'no mapping could be proposed, or the file to write exists' })}`;

/** The command line, with its help. */
export function adoptProgram(): Command {
  return new Command('twinstream adopt')
    .description('Proposes a payload mapping from samples, or tests one.')
    .argument('[samples]', 'file of one record a line; standard input without it or with -')
    .option('--test <mapping>', 'apply this mapping: events on standard output as they would be stored')
    .option('--write <file>', 'where the proposed mapping is written; default: NAME.yaml')
    .option('--name <name>', 'name of the proposed mapping; default: that of the samples, or fleet')
    .option('--id <path>', 'member that names the device; default: the one that looks like an id')
    .option('--force', 'replace the file where it exists')
    .addHelpText('after', HELP);
}

/** Runs `adopt`, and returns its exit code. Never throws for what its input holds. */
export async function adoptCommand(host: AdoptHost): Promise<ExitCode> {
  const command = adoptProgram();
  const ended = parseCommandLine(command, host);
  if (ended !== undefined) return ended;
  const [samples] = command.args;
  const flags = command.opts<Flags>();
  try {
    const lines = await readSamples(samples, host.folder, host.stdin);
    const outcome =
      flags.test === undefined
        ? await propose(host, samples, flags, lines)
        : await test(host, flags.test, lines);
    return outcome.rejections.length > 0 ? EXIT_CODES.failed : EXIT_CODES.success;
  } catch (error) {
    const { text, exitCode } = explainFailure(error, host);
    host.stderr.write(`${text}\n`);
    return exitCode;
  }
}

async function test(host: AdoptHost, file: string, lines: readonly SampleLine[]): Promise<Outcome> {
  let text: string;
  try {
    text = await readFile(callerPath(file, host.folder), 'utf8');
  } catch (error) {
    throw usageError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const outcome = applyMapping(mapperOrUsageError(text, file), lines, host.nowMs);
  for (const event of outcome.events) {
    host.stdout.write(`${event.text}\n`);
  }
  host.stderr.write(outcomeText(outcome));
  return outcome;
}

function mapperOrUsageError(text: string, name: string): ReturnType<typeof mapperOf> {
  try {
    return mapperOf(text, name);
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

async function propose(
  host: AdoptHost,
  samples: string | undefined,
  flags: Flags,
  lines: readonly SampleLine[],
): Promise<Outcome> {
  const name = flags.name ?? nameOf(samples);
  const { text, reasons } =
    (flags.id === undefined ? await knownFormat(lines, host.nowMs) : undefined) ??
    ownProposal(name, lines, flags.id);
  const outcome = applyMapping(mapperOrUsageError(text, name), lines, host.nowMs);
  for (const reason of reasons) host.stdout.write(`- ${reason}\n`);
  host.stdout.write(`\n${text}\n${outcomeText(outcome)}`);
  const file = flags.write ?? `${name}.yaml`;
  await write(callerPath(file, host.folder), text, file, flags.force === true);
  host.stderr.write(`wrote ${file}; test it: npx twinstream adopt --test ${file} ${samples ?? '-'}\n`);
  return outcome;
}

interface Proposed {
  readonly text: string;
  readonly reasons: readonly string[];
}

/** A ready-made mapping that takes every record. */
async function knownFormat(lines: readonly SampleLine[], nowMs: number): Promise<Proposed | undefined> {
  for (const { name, text, mapper } of await readReadyMade()) {
    const { events, rejections } = applyMapping(mapper, lines, nowMs);
    if (rejections.length > 0 || events.length === 0 || !events.every(({ text }) => isMapped(text))) continue;
    return { text, reasons: [`every record is of the format of the ready-made mapping ${name}`] };
  }
  return undefined;
}

/** Events of this project's own format name no mapping. */
function isMapped(text: string): boolean {
  return text.includes('"mapping":{"name":');
}

/** Proposed from the lines that are JSON; the others are among the rejected of the outcome. */
function ownProposal(name: string, lines: readonly SampleLine[], idPath: string | undefined): Proposed {
  const payloads: JsonValue[] = [];
  for (const { data } of lines) {
    try {
      payloads.push(JSON.parse(Buffer.from(data).toString('utf8')));
    } catch {
      // A sample may be cut off, or hold what a broken device sent.
    }
  }
  if (payloads.length === 0)
    throw refusal('SAMPLES_NOT_JSON', 'no line is JSON; write a mapping by hand for another format');
  const proposal = proposeMapping(name, payloads, idPath);
  if ('problem' in proposal) throw refusal('NO_MAPPING_PROPOSED', proposal.problem);
  return { text: stringify(proposal.document, { lineWidth: 0 }), reasons: proposal.reasons };
}

function nameOf(samples: string | undefined): string {
  if (samples === undefined || samples === '-') return 'fleet';
  const plain = basename(samples, extname(samples)).toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'fleet';
}

async function write(path: string, text: string, file: string, replaces: boolean): Promise<void> {
  try {
    await writeFile(path, text, { flag: replaces ? 'w' : 'wx' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw refusal('FILE_EXISTS', `${file} exists: pass --force to replace it, or --write another file`);
    }
    throw usageError(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
