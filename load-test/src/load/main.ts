import { writeFileSync } from 'node:fs';
import { CodedError, shutdownSignal } from '@twinstream/runtime';
import { CommanderError } from 'commander';
import { type CompareOptions, type LoadOptions, readLoadOptions } from './load-options.ts';
import { compareResults, comparisonText } from './report/comparison.ts';
import { htmlReport } from './report/html-report.ts';
import { readResult } from './report/result-file.ts';
import { textReport } from './report/text-report.ts';
import { runLoad } from './run-load.ts';

const EXIT_CODES = { passed: 0, failed: 1, wrongUsage: 2, interrupted: 130 } as const;

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
  const [before, after] = files.map(readResult);
  if (before === undefined || after === undefined) return EXIT_CODES.wrongUsage;
  const comparison = compareResults(before, after);
  process.stdout.write(
    output === 'json' ? `${JSON.stringify(comparison, null, 2)}\n` : comparisonText(comparison),
  );
  return EXIT_CODES.passed;
}

async function measure(options: LoadOptions): Promise<number> {
  const signal = shutdownSignal();
  try {
    const result = await runLoad({ options, signal, say: (line) => process.stderr.write(`${line}\n`) });
    const document = `${JSON.stringify(result, null, 2)}\n`;
    if (options.saveFile !== undefined) writeFileSync(options.saveFile, document);
    if (options.reportFile !== undefined) writeFileSync(options.reportFile, htmlReport(result));
    process.stdout.write(options.output === 'json' ? document : textReport(result));
    return result.passed ? EXIT_CODES.passed : EXIT_CODES.failed;
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stderr.write('load-test: stopped\n');
    return EXIT_CODES.interrupted;
  }
}

function complain(error: unknown): number {
  const told =
    error instanceof CodedError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`load-test: ${told}\n`);
  return error instanceof CodedError && error.code === 'INVALID_USAGE'
    ? EXIT_CODES.wrongUsage
    : EXIT_CODES.failed;
}

process.exitCode = await main(process.argv.slice(2)).catch(complain);
