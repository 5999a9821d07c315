import { durationOption, exitCodeHelp, wholeNumber } from '@twinstream/command-line';
import { LOCAL_BATCHING_WINDOW_MS, MAPPING_LIMITS } from '@twinstream/pipeline-settings';
import { LOCAL_ENVIRONMENT_FILE } from '@twinstream/runtime';
import { Command, Option } from 'commander';
import { DYNAMODB_ENGINES, type DynamoDbEngine } from '../dynamodb/dynamodb.ts';

/** Flags of `twinstream start`. */
export interface StartOptions {
  /** Port of the page and the API; 0 takes a free one. */
  readonly port: number;
  readonly simulator: boolean;
  /** Devices of the demo fleet. */
  readonly devices: number;
  /** Events per second of the demo fleet. */
  readonly rate: number;
  readonly shards: number;
  /** How long the functions wait for a fuller batch, in milliseconds. */
  readonly window: number;
  /** Folder that keeps everything across restarts; in memory when absent. */
  readonly dataDir?: string;
  readonly dynamodb: DynamoDbEngine;
  /** Mapping documents by which the projector makes events of other payloads: files, separated by commas. */
  readonly mapping?: string;
  /** File that tells other tools how to reach the pipeline; absent: the one that they look for. */
  readonly localEnv?: string;
}

const DEVICES_MAX = 1_000_000;
const RATE_MAX = 100_000;
const SHARDS_MAX = 64;

/** The command line, with its help. */
export function startCommand(): Command {
  return new Command('twinstream start')
    .description(
      'Runs the whole pipeline on this machine: stream, functions, tables, archive, API and dashboard.',
    )
    .option('--port <port>', 'port of the dashboard and the API', wholeNumber(0, 65_535), 8080)
    .option('--no-simulator', 'start without the demo fleet')
    .option('--devices <count>', 'number of devices of the demo fleet', wholeNumber(1, DEVICES_MAX), 200)
    .option('--rate <events>', 'events per second of the demo fleet', wholeNumber(1, RATE_MAX), 50)
    .option(
      '--shards <count>',
      'number of shards if the stream does not exist yet',
      wholeNumber(1, SHARDS_MAX),
      4,
    )
    .addOption(
      durationOption('--window', 'batching window of the functions; 1s in the stacks on AWS', {
        minMs: 0,
        maxMs: MAPPING_LIMITS.batchingWindowSeconds.max * 1_000,
        defaultMs: LOCAL_BATCHING_WINDOW_MS,
      }),
    )
    .option(
      '--mapping <files>',
      'mapping documents for payloads of other formats, separated by commas (see mappings/)',
    )
    .option('--data-dir <folder>', 'keep all data in this folder across restarts')
    .option(
      '--local-env <file>',
      `file with the addresses of the pipeline for other tools; a second pipeline needs its own file (default: ${LOCAL_ENVIRONMENT_FILE})`,
    )
    .addOption(
      new Option('--dynamodb <engine>', 'embedded DynamoDB; java needs Java 17 and listens on all interfaces')
        .choices(DYNAMODB_ENGINES)
        .default('dynalite'),
    )
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      `
Examples:
  twinstream start                                     a demo fleet on http://127.0.0.1:8080/
  twinstream start --no-simulator --port 9000          without simulated devices
  twinstream start --data-dir ./data --shards 8        keep all data across restarts
  twinstream start --no-simulator --mapping fleet.yaml devices of another format
  twinstream start --devices 2000 --rate 500           a larger fleet
  twinstream start --local-env b.env --port 0          a second pipeline; source b.env to use it

${exitCodeHelp({
  success: 'after Ctrl-C',
  refused: 'another pipeline or process is in the way: folder, data folder or port',
  unavailable: 'the pipeline could not start, or one of its processes ended',
  interrupted: 'stopped by a second Ctrl-C',
})}`,
    );
}
