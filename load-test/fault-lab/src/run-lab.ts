import { kinesisClient } from '@twinstream/aws/kinesis';
import { startDynamoDb } from '@twinstream/local-aws/dynamodb';
import { type LocalKinesis, startLocalKinesis } from '@twinstream/local-aws/kinesis';
import { CodedError, type Environment, systemClock } from '@twinstream/runtime';
import { type HandlerHost, startHandlerHost } from './handler-host.ts';
import { LabConsumer } from './lab-consumer.ts';
import { labFaults } from './lab-faults.ts';
import { idOf, LabLedger, recordsIn } from './lab-ledger.ts';
import type { LabOptions } from './lab-options.ts';
import { type LabFaults, type LabResult, violatedBy } from './lab-result.ts';
import { type LabStep, stepsOf } from './lab-steps.ts';
import { LabStream, RESHARD_STEPS } from './lab-stream.ts';

const STREAM = 'lab';
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
/** How long a consumer may take until it reads every shard. */
const READY_MS_MAX = 60_000;
/** Consumers that begin at the tip of a shard are given this long after their first reads. */
const SETTLE_MS = 1_000;
/** How long repetitions are waited for when every record has been reported. */
const REPETITIONS_MS = 3_000;
const POLL_MS = 100;

const clock = systemClock;

export interface LabRun {
  readonly options: LabOptions;
  /** What the consumer inherits. */
  readonly environment: Environment;
  /** Where it is started. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told what happens, in one line each. */
  readonly say: (line: string) => void;
}

/**
 * Starts a Kinesis, a DynamoDB and the consumer, puts records while faults strike, and compares what the consumer printed with
 * what the stream holds. Everything that it started has ended when this settles. Rejects with `CONSUMER_ENDED`, and with the
 * signal's reason.
 */
export async function runLab(run: LabRun): Promise<LabResult> {
  const { options, signal, say } = run;
  await using cleanUp = new AsyncDisposableStack();
  const kinesis = cleanUp.use(await startLocalKinesis({ stream: STREAM, shards: options.shards }));
  const dynamoDb = await startDynamoDb({ engine: 'dynalite' });
  cleanUp.defer(() => dynamoDb.close());
  const handler = await startHandlerHost(options, kinesis.url);
  cleanUp.defer(async () => handler?.close());
  const ledger = new LabLedger();
  const consumer = new LabConsumer({
    command: handler?.command ?? options.command,
    folder: run.folder,
    environment: {
      ...run.environment,
      ...kinesis.environment,
      AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.url,
      // A profile or a session of the user's would be preferred to the keys.
      AWS_PROFILE: undefined,
      AWS_SESSION_TOKEN: undefined,
      LAB_STREAM: STREAM,
    },
    onLine: (line) => {
      if (handler?.take(line) === true) return;
      for (const record of recordsIn(line)) ledger.report(record, clock.now());
    },
  });
  consumer.start();
  cleanUp.defer(() => consumer.stop());
  const client = kinesisClient({ endpoint: kinesis.url, region: 'us-east-1', credentials: CREDENTIALS });
  cleanUp.defer(() => client.destroy());
  const lab = new Lab(run, ledger, consumer, handler, new LabStream(STREAM, client, clock));

  await lab.untilReading(kinesis);
  kinesis.setFaults(labFaults(options.seed, options.faults));
  await lab.putAll();
  say(`${options.records} records are put; waits for the consumer`);
  await lab.untilProcessed();
  signal.throwIfAborted();
  const faults = faultsOf(kinesis);
  const reads = readsOf(kinesis);
  await consumer.stop();
  const counts = ledger.counts();
  const violated = violatedBy(counts, options.requirements);
  const { reshards, kills } = lab;
  return {
    ...{ seed: options.seed, ...counts, reshards, kills, faults, reads, examples: ledger.examples() },
    ...{ violated, passed: violated.length === 0 },
  };
}

/** A run while it goes on. */
class Lab {
  reshards = 0;
  kills = 0;
  #puts = 0;
  readonly #run: LabRun;
  readonly #ledger: LabLedger;
  readonly #consumer: LabConsumer;
  readonly #handler: HandlerHost | undefined;
  readonly #stream: LabStream;

  constructor(
    run: LabRun,
    ledger: LabLedger,
    consumer: LabConsumer,
    handler: HandlerHost | undefined,
    stream: LabStream,
  ) {
    this.#run = run;
    this.#ledger = ledger;
    this.#consumer = consumer;
    this.#handler = handler;
    this.#stream = stream;
  }

  /** A consumer that begins at the tip must read every shard before the first put. */
  async untilReading(kinesis: LocalKinesis): Promise<void> {
    const { say, options } = this.#run;
    say('waits until the consumer reads every shard');
    const startMs = clock.now();
    while (readsOf(kinesis) < options.shards) {
      if (clock.now() - startMs > READY_MS_MAX) {
        say(`the consumer does not read every shard after ${READY_MS_MAX / 1_000} s; goes on without`);
        return;
      }
      await this.#wait(POLL_MS);
    }
    await this.#wait(SETTLE_MS);
  }

  async putAll(): Promise<void> {
    const { options } = this.#run;
    const startMs = clock.now();
    for (const step of stepsOf(options)) {
      this.#requireRunning();
      if (step.kind === 'kill') await this.#kill();
      else if (step.kind === 'reshard') await this.#reshard(step);
      else {
        const waitMs = startMs + (this.#puts * 1_000) / options.rate - clock.now();
        if (waitMs > 0) await this.#wait(waitMs);
        await this.#put(step);
      }
    }
  }

  /** Returns when all is reported and no repetition came for a while, or nothing has come for long. */
  async untilProcessed(): Promise<void> {
    const { quietMs, deadlineMs } = this.#run.options;
    const endMs = clock.now();
    for (;;) {
      const nowMs = clock.now();
      const silentMs = nowMs - Math.max(endMs, this.#ledger.lastReportMs);
      const isComplete = this.#ledger.counts().lost === 0;
      if (silentMs > (isComplete ? REPETITIONS_MS : quietMs) || nowMs - endMs > deadlineMs) return;
      await this.#wait(POLL_MS);
    }
  }

  async #put({ key, copies }: Extract<LabStep, { kind: 'put' }>): Promise<void> {
    // Entered first: a fast consumer may report a record before the answer to its put is here.
    const id = idOf(this.#ledger.put(key, clock.now(), copies));
    const data = JSON.stringify({ id, type: 'lab', key });
    for (let copy = 0; copy < copies; copy += 1) await this.#stream.put(key, data);
    this.#puts += 1;
  }

  async #reshard({ index }: Extract<LabStep, { kind: 'reshard' }>): Promise<void> {
    const step = RESHARD_STEPS[index];
    if (step === undefined) throw new TypeError(`there is no step ${index}`);
    this.#run.say(`changes the shards after ${this.#puts} records: ${step}`);
    await this.#stream.reshard(step);
    this.reshards += 1;
  }

  async #kill(): Promise<void> {
    this.#run.say(`kills the consumer after ${this.#puts} records, and starts it again`);
    this.#handler?.down();
    await this.#consumer.restart();
    this.kills += 1;
  }

  async #wait(ms: number): Promise<void> {
    this.#requireRunning();
    await clock.sleep(ms, this.#run.signal);
  }

  #requireRunning(): void {
    this.#run.signal.throwIfAborted();
    const { end } = this.#consumer;
    if (end === undefined) return;
    const tail = end.errorTail === '' ? '' : `:\n${end.errorTail}`;
    throw new CodedError('CONSUMER_ENDED', `the consumer ended by itself (${end.how})${tail}`);
  }
}

function readsOf(kinesis: LocalKinesis): number {
  const { GetRecords = 0, SubscribeToShard = 0 } = kinesis.counters().requests;
  return GetRecords + SubscribeToShard;
}

function faultsOf(kinesis: LocalKinesis): LabFaults {
  const { throttled, failed, answersLost, delayed, iteratorsExpired } = kinesis.counters().faults;
  return { throttled, failed, answersLost, delayed, iteratorsExpired };
}
