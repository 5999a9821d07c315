import {
  durationOption,
  exitCodeHelp,
  numberWithin,
  outputOption,
  wholeNumber,
} from '@twinstream/command-line';
import { Command, InvalidArgumentError, Option } from 'commander';
import { REQUIREMENTS, type Requirement } from './lab-options.ts';

const RECORDS_MAX = 1_000_000;
const RATE_MAX = 2_000;
const SHARDS_MAX = 64;
const KEYS_MAX = 10_000;
const KILLS_MAX = 100;
const BATCH_SIZE_MAX = 10_000;
const QUIET_MS_MIN = 1_000;
const DEADLINE_MS_MAX = 24 * 3_600_000;

function requirements(text: string): readonly Requirement[] {
  return text.split(',').map((word) => {
    const found = REQUIREMENTS.find((requirement) => requirement === word.trim());
    if (found === undefined) throw new InvalidArgumentError(`must be some of ${REQUIREMENTS.join(', ')}`);
    return found;
  });
}

/** The command line, with its help. */
export function labCommand(): Command {
  return new Command('twinstream lab')
    .description(
      `Runs a consumer of Kinesis that you wrote against a local stream, while reads are throttled, fail, take long or lose their answers, shards
split and merge, and the consumer is killed. Reports what it lost, repeated and reordered.

The consumer prints each record that it has processed, its data as it came, on standard output. It finds the stream \`lab\` by the
variables that AWS SDKs read (AWS_ENDPOINT_URL_KINESIS, AWS_ENDPOINT_URL_DYNAMODB, AWS_REGION, keys), and its name in LAB_STREAM.`,
    )
    .argument('[command...]', 'the consumer, with its arguments, after --')
    .option('--handler <file>', 'a Lambda handler, invoked with batches, in place of a command')
    .option('--handler-name <name>', 'with --handler: the export of the file', 'handler')
    .option(
      '--batch-size <records>',
      'with --handler: records of a batch',
      wholeNumber(1, BATCH_SIZE_MAX),
      100,
    )
    .option('--records <count>', 'number of records', wholeNumber(1, RECORDS_MAX), 2_000)
    .option('--keys <count>', 'number of partition keys', wholeNumber(1, KEYS_MAX), 20)
    .option('--rate <records>', 'records per second', wholeNumber(1, RATE_MAX), 100)
    .option('--shards <count>', 'number of shards at the beginning', wholeNumber(1, SHARDS_MAX), 2)
    .option(
      '--no-reshards',
      'leave the shards as they are; otherwise one is split, all are doubled, and two merged',
    )
    .option(
      '--kills <count>',
      'how often the consumer is killed (SIGKILL) and started again',
      wholeNumber(0, KILLS_MAX),
      1,
    )
    .option('--faults <share>', 'scales the rates of all faults; 0 injects none', numberWithin(0, 1), 1)
    .option(
      '--duplicates <share>',
      'share of records that stand twice in the stream, as after a lost answer of a producer',
      numberWithin(0, 1),
      0.01,
    )
    .option(
      '--seed <number>',
      'the same seed puts the same records and draws the same faults',
      wholeNumber(0, 1_000_000),
      1,
    )
    .addOption(
      durationOption('--quiet', 'time without a report after which what is missing counts as lost', {
        minMs: QUIET_MS_MIN,
        maxMs: DEADLINE_MS_MAX,
        defaultMs: 30_000,
      }),
    )
    .addOption(
      durationOption('--deadline', 'maximum time to process what was put', {
        minMs: QUIET_MS_MIN,
        maxMs: DEADLINE_MS_MAX,
        defaultMs: 300_000,
      }),
    )
    .addOption(
      new Option('--require <list>', `what must be kept for exit code 0, some of ${REQUIREMENTS.join(', ')}`)
        .argParser(requirements)
        .default(['no-loss', 'order'], 'no-loss,order'),
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  twinstream lab -- node consumer.js
  twinstream lab --kills 5 --records 10000 -- java -jar consumer.jar
  twinstream lab --handler ./handler.mjs --require no-loss,order,once
  twinstream lab --output json -- python consumer.py | jq '.lost'

${exitCodeHelp({
  success: 'everything required was kept',
  failed: 'something required was not kept, or the consumer ended by itself',
  interrupted: 'interrupted by Ctrl-C',
})}`,
    );
}
