import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { describeAwsTarget } from '@twinstream/aws/target';
import {
  CodedError,
  callerFolder,
  callerPath,
  npmBannerNote,
  shutdownSignal,
  textOutput,
} from '@twinstream/runtime';
import { CommanderError } from 'commander';
import { confirmLoad } from './confirm-load.ts';
import { findDeployment } from './find-deployment.ts';
import { type CompareOptions, type LoadOptions, readLoadOptions } from './load-options.ts';
import { compareResults, comparisonText } from './report/comparison.ts';
import { htmlReport } from './report/html-report.ts';
import { readResult } from './report/result-file.ts';
import { textReport } from './report/text-report.ts';
import { runLoad } from './run-load.ts';

const [stdout, stderr] = [textOutput(process.stdout), textOutput(process.stderr)];

const note = npmBannerNote(process.cwd(), process.env, stdout.isTTY);
if (note !== undefined) stderr.write(`${note}\n`);

/** A path that a person wrote. */
const ofCaller = (path: string) => callerPath(path, callerFolder(process.cwd(), process.env));

const EXIT_CODES = { passed: 0, failed: 1, wrongUsage: 2, interrupted: 130 } as const;
/** Codes of errors that a person puts right in what was given; nothing was started or sent. */
const WRONG_USAGE: ReadonlySet<string> = new Set(['INVALID_USAGE', 'INVALID_CONFIGURATION']);

async function main(argv: readonly string[]): Promise<number> {
  let options: LoadOptions | CompareOptions;
  try {
    options = readLoadOptions(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT_CODES.passed : EXIT_CODES.wrongUsage;
  }
  return options.kind === 'compare' ? compare(options) : measure(options);
}

function compare({ files, output }: CompareOptions): number {
  const [before, after] = files.map(ofCaller).map(readResult);
  if (before === undefined || after === undefined) return EXIT_CODES.wrongUsage;
  const comparison = compareResults(before, after);
  stdout.write(output === 'json' ? `${JSON.stringify(comparison, null, 2)}\n` : comparisonText(comparison));
  return EXIT_CODES.passed;
}

async function measure(options: LoadOptions): Promise<number> {
  const found = options.target === 'aws' ? await deployed(options) : undefined;
  const signal = shutdownSignal();
  const say = (line: string) => stderr.write(`${line}\n`);
  try {
    const result = await runLoad({ options, signal, say, ...(found === undefined ? {} : { found }) });
    const document = `${JSON.stringify(result, null, 2)}\n`;
    if (options.saveFile !== undefined) writeFileSync(ofCaller(options.saveFile), document);
    if (options.reportFile !== undefined) writeFileSync(ofCaller(options.reportFile), htmlReport(result));
    stdout.write(options.output === 'json' ? document : textReport(result));
    return result.passed ? EXIT_CODES.passed : EXIT_CODES.failed;
  } catch (error) {
    if (!signal.aborted) throw error;
    stderr.write('load-test: stopped\n');
    return EXIT_CODES.interrupted;
  }
}

/** The deployment that the environment names, once a person agrees. */
async function deployed(options: LoadOptions) {
  const found = await findDeployment(process.env, options.scenario);
  const { stream, eventsTable, deviceStateTable, shardProgressTable, archiveBucket: bucket } = found.access;
  const tables = [eventsTable, deviceStateTable, shardProgressTable].join(' ');
  const told = await describeAwsTarget(['kinesis', 'dynamodb', 'lambda', 's3'], { stream, tables, bucket });
  process.stderr.write(`${told}\n`);
  await confirmLoad({ found, options, ask });
  return found;
}

async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } catch (error) {
    // Ctrl-C, or the end of the input, is no yes.
    if (error instanceof Error && error.name === 'AbortError') return '';
    throw error;
  } finally {
    terminal.close();
  }
}

function complain(error: unknown): number {
  const told =
    error instanceof CodedError ? error.message : error instanceof Error ? error.stack : String(error);
  stderr.write(`load-test: ${told}\n`);
  const isWrong = error instanceof CodedError && WRONG_USAGE.has(error.code);
  return isWrong ? EXIT_CODES.wrongUsage : EXIT_CODES.failed;
}

process.exitCode = await main(process.argv.slice(2)).catch(complain);
