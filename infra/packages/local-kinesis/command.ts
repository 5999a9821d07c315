#!/usr/bin/env node
import { readFileSync, writeFileSync } from 'node:fs';
import {
  callerPath,
  commandHost,
  EXIT_CODES,
  type ExitCode,
  exitCodeHelp,
  explainFailure,
  parseCommandLine,
  usageError,
  wholeNumber,
} from '@twinstream/command-line';
import { type FaultRule, startLocalKinesis } from '@twinstream/local-aws/kinesis';
import { shutdownSignal } from '@twinstream/runtime';
import { Command, Option } from 'commander';
import { z } from 'zod';

interface Flags {
  readonly stream: string;
  readonly shards: number;
  readonly port: number;
  readonly tlsPort?: number;
  readonly caFile: string;
  readonly dataDir?: string;
  readonly faults?: string;
  readonly limits: boolean;
  readonly output: 'env' | 'json';
}

const SHARDS_MAX = 1_000;
const PORT_MAX = 65_535;
/** Why the server does not start. */
const OWN_ERRORS = new Map<string, ExitCode>([
  ['DATA_DIR_UNWRITABLE', EXIT_CODES.usage],
  ['INVALID_FAULT_RULES', EXIT_CODES.usage],
  ['INVALID_LOCAL_KINESIS', EXIT_CODES.usage],
  ['DATA_DIR_IN_USE', EXIT_CODES.refused],
  ['PORT_TAKEN', EXIT_CODES.refused],
]);
const manifest = z.object({ version: z.string() });
/** What the rules hold is checked by the server. */
const faultsDocument = z.object({ rules: z.array(z.custom<FaultRule>()) });

const host = commandHost(process);

function localKinesisCommand(): Command {
  const { version } = manifest.parse(readJson(new URL('../package.json', import.meta.url)));
  return new Command('local-kinesis')
    .description(
      'Runs a local Kinesis with one stream until Ctrl-C, and writes the variables by which clients find it.',
    )
    .version(version)
    .option('--stream <name>', 'name of the stream', 'local')
    .option(
      '--shards <count>',
      'number of shards if the stream does not exist yet',
      wholeNumber(1, SHARDS_MAX),
      1,
    )
    .option('--port <port>', 'port on 127.0.0.1; 0 takes a free one', wholeNumber(0, PORT_MAX), 4567)
    .option(
      '--tls-port <port>',
      'also listen with TLS on this port; 0 takes a free one',
      wholeNumber(0, PORT_MAX),
    )
    .option(
      '--ca-file <file>',
      'with --tls-port: file for the certificate that clients must trust',
      'local-kinesis-ca.pem',
    )
    .option('--data-dir <folder>', 'keep streams and records in this folder across restarts')
    .option('--faults <file>', 'JSON document with faults to inject: {"rules": [{"service": "kinesis", …}]}')
    .option('--no-limits', 'do not enforce the per-second limits of shards')
    .addOption(
      new Option('--output <format>', 'variables for a shell, or one JSON object')
        .choices(['env', 'json'])
        .default('env'),
    )
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `
Examples:
  local-kinesis --stream devices --shards 4
  local-kinesis --data-dir ./data > kinesis.env    source kinesis.env to use it in another shell
  local-kinesis --port 0 --output json             a free port, for scripts
  local-kinesis --tls-port 4568                    then AWS_CA_BUNDLE, NODE_EXTRA_CA_CERTS or a trust store name the file

${exitCodeHelp({ success: 'after Ctrl-C', refused: 'the port or the data folder is taken', interrupted: 'stopped by a second Ctrl-C' })}`,
    );
}

async function main(): Promise<ExitCode> {
  const program = localKinesisCommand();
  const ended = parseCommandLine(program, host);
  if (ended !== undefined) return ended;
  const { stream, shards, port, tlsPort, caFile, dataDir, faults, limits, output } = program.opts<Flags>();
  const stopping = shutdownSignal();
  const kinesis = await startLocalKinesis({
    stream,
    shards,
    port,
    limitsEnforced: limits,
    ...(tlsPort === undefined ? {} : { tlsPort }),
    ...(dataDir === undefined ? {} : { dataDir: callerPath(dataDir, host.folder) }),
    ...(faults === undefined ? {} : { faults: rulesIn(callerPath(faults, host.folder)) }),
  });
  const { url, environment, tls } = kinesis;
  const ca = callerPath(caFile, host.folder);
  if (tls) writeFileSync(ca, tls.ca);
  const secure = tls === undefined ? {} : { tlsUrl: tls.url, caFile: ca };
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${value}\n`);
  host.stdout.write(
    output === 'json' ? `${JSON.stringify({ url, stream, environment, ...secure })}\n` : lines.join(''),
  );
  const also = tls === undefined ? '' : ` and ${tls.url}, whose authority is in ${ca}`;
  host.stderr.write(`local-kinesis: stream ${stream} at ${url}${also}; Ctrl-C stops\n`);
  await new Promise((resolve) => stopping.addEventListener('abort', resolve, { once: true }));
  await kinesis.close();
  return EXIT_CODES.success;
}

function rulesIn(path: string): readonly FaultRule[] {
  try {
    return faultsDocument.parse(readJson(path)).rules;
  } catch (error) {
    throw usageError(`--faults ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readJson(path: string | URL): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function complain(error: unknown): ExitCode {
  const { text, exitCode } = explainFailure(error, { environment: host.environment, ownErrors: OWN_ERRORS });
  host.stderr.write(`local-kinesis: ${text}\n`);
  return exitCode;
}

process.exitCode = await main().catch(complain);
