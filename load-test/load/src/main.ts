import { writeFileSync } from 'node:fs';
import { describeAwsTarget } from '@twinstream/aws/target';
import {
  callerPath,
  commandHost,
  EXIT_CODES,
  type ExitCode,
  exitCodeOfParsing,
  explainFailure,
} from '@twinstream/command-line';
import { shutdownSignal } from '@twinstream/runtime';
import { findDeployment } from './attached-deployment.ts';
import { confirmLoad } from './confirm-load.ts';
import { type CompareOptions, type LoadOptions, readLoadOptions } from './load-options.ts';
import { readResult } from './load-result.ts';
import { compareResults, comparisonText } from './report/comparison.ts';
import { htmlReport } from './report/html-report.ts';
import { textReport } from './report/text-report.ts';
import { runLoad } from './run-load.ts';

const host = commandHost(process);
const { stdout, stderr } = host;

/** A path that a person wrote. */
const ofCaller = (path: string) => callerPath(path, host.folder);

/** Why there is no result, or a part of the deployment is not as it was before. */
const OWN_ERRORS = new Map<string, ExitCode>([
  ['DEPLOYMENT_NOT_REACHED', EXIT_CODES.unavailable],
  ['SCENARIO_FAILED', EXIT_CODES.failed],
  ['SIMULATOR_FAILED', EXIT_CODES.failed],
  ['BASELINE_NOT_READY', EXIT_CODES.failed],
  ['NOT_WARM', EXIT_CODES.failed],
  ['NOT_RESTORED', EXIT_CODES.failed],
]);

async function main(argv: readonly string[]): Promise<ExitCode> {
  let options: LoadOptions | CompareOptions;
  try {
    options = readLoadOptions(argv);
  } catch (error) {
    return exitCodeOfParsing(error);
  }
  return options.kind === 'compare' ? compare(options) : measure(options);
}

function compare({ files, output }: CompareOptions): ExitCode {
  const [before, after] = files.map(ofCaller).map(readResult);
  if (before === undefined || after === undefined) return EXIT_CODES.usage;
  const comparison = compareResults(before, after);
  stdout.write(output === 'json' ? `${JSON.stringify(comparison, null, 2)}\n` : comparisonText(comparison));
  return EXIT_CODES.success;
}

async function measure(options: LoadOptions): Promise<ExitCode> {
  const found = options.target === 'aws' ? await deployed(options) : undefined;
  const signal = shutdownSignal();
  const say = (line: string) => stderr.write(`${line}\n`);
  try {
    const result = await runLoad({ options, signal, say, ...(found === undefined ? {} : { found }) });
    const document = `${JSON.stringify(result, null, 2)}\n`;
    if (options.saveFile !== undefined) writeFileSync(ofCaller(options.saveFile), document);
    if (options.reportFile !== undefined) writeFileSync(ofCaller(options.reportFile), htmlReport(result));
    stdout.write(options.output === 'json' ? document : textReport(result));
    return result.passed ? EXIT_CODES.success : EXIT_CODES.failed;
  } catch (error) {
    if (!signal.aborted) throw error;
    stderr.write('load-test: stopped\n');
    return EXIT_CODES.interrupted;
  }
}

/** The deployment that the environment names, once a person agrees. */
async function deployed(options: LoadOptions) {
  const found = await findDeployment(host.environment, options.scenario);
  const { stream, eventsTable, deviceStateTable, shardProgressTable, archiveBucket: bucket } = found.access;
  const tables = [eventsTable, deviceStateTable, shardProgressTable].join(' ');
  const told = await describeAwsTarget(['kinesis', 'dynamodb', 'lambda', 's3'], { stream, tables, bucket });
  stderr.write(`${told}\n`);
  await confirmLoad({ found, options, ask: host.ask });
  return found;
}

function complain(error: unknown): ExitCode {
  const { text, exitCode } = explainFailure(error, { environment: host.environment, ownErrors: OWN_ERRORS });
  stderr.write(`load-test: ${text}\n`);
  return exitCode;
}

process.exitCode = await main(host.argv).catch(complain);
