import { decodeEvent } from '@twinstream/device-model';
import { memoryEventStore } from '@twinstream/event-store';
import {
  memoryLatestStateTable,
  memoryShardProgressTable,
  type ShardProgress,
} from '@twinstream/latest-state';
import { memoryQuarantine } from '@twinstream/quarantine';
import { createLogger } from '@twinstream/runtime';
import { createProjector, PROJECTOR_OPTIONS, type ProjectorOptions } from '@twinstream/state-projector';
import { compareSequenceNumbers, openRecord } from '@twinstream/stream-model';
import { Archive } from './archive.ts';
import { Containers, type FunctionUnderTest } from './containers.ts';
import { Devices, eventsOf } from './devices.ts';
import { engineMapping } from './engine-mapping.ts';
import { NO_FAULTS } from './faults.ts';
import { Ghost, Violation } from './ghost.ts';
import { deliverAllAgain, type Mapping, type MappingOptions, redrive } from './mapping.ts';
import { Network } from './network.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { type Owner, Scheduler } from './scheduler.ts';
import { SimMapping } from './sim-mapping.ts';
import { type SimRecord, type SimShard, SimStream } from './sim-stream.ts';
import { reachedBy, type WatchedStores, watched } from './watched-stores.ts';

const START_TIME_MS = Date.parse('2026-01-01T00:00:00Z');
const SILENT = createLogger('simulation', 'silent');

/** A function, the containers it runs in, and the mapping that feeds it. */
interface Consumer {
  readonly containers: Containers;
  readonly mapping: Mapping;
  readonly options: MappingOptions;
}

/** One seed's world: devices, stream, mappings, containers and stores, with a ghost that sees what is really there. */
export class World {
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #stream: SimStream;
  readonly #ghost: Ghost;
  readonly #stores: WatchedStores;
  readonly #archive: Archive;
  readonly #devices: Devices;
  readonly #consumers: Consumer[] = [];
  #isHostile = true;
  #violation: unknown;

  constructor(scenario: Scenario, random: Random) {
    this.#scenario = scenario;
    this.#random = random;
    this.#scheduler = new Scheduler(random, START_TIME_MS);
    this.#network = new Network({
      scheduler: this.#scheduler,
      random,
      rates: () => (this.#isHostile ? scenario.faultRates : NO_FAULTS),
      crash: (owner) => {
        for (const { containers } of this.#consumers) containers.crash(owner);
      },
    });
    this.#stream = new SimStream(scenario.shardCount, random, () => this.#scheduler.now);
    const options = projectorOptions(scenario);
    this.#ghost = new Ghost(options.pageLimits.receipts);
    this.#stores = watched(
      {
        eventStore: memoryEventStore(),
        latestState: memoryLatestStateTable(),
        shardProgress: memoryShardProgressTable(),
        quarantine: memoryQuarantine(),
      },
      {
        ghost: this.#ghost,
        onProgress: (progress) => this.#checkProgress(progress),
        onViolation: (error) => this.#onViolation(error),
      },
    );
    this.#archive = new Archive(this.#network, this.#scheduler, random);
    this.#devices = new Devices({
      scenario,
      random,
      scheduler: this.#scheduler,
      network: this.#network,
      stream: this.#stream,
      isHostile: () => this.#isHostile,
      onViolation: (error) => this.#onViolation(error),
    });
    this.#consume('projector', this.#projector(options), (...record) => this.#checkDurable(...record));
    this.#consume(
      'archiver',
      (owner) => this.#archive.archiver(owner),
      (...record) => this.#archive.checkArchived(...record),
    );
  }

  get turns(): number {
    return this.#scheduler.turns;
  }

  get storedCount(): number {
    return this.#ghost.storedCount();
  }

  get injected(): ReadonlyMap<string, number> {
    const sum = (of: (consumer: Consumer) => number) =>
      this.#consumers.reduce((total, one) => total + of(one), 0);
    return new Map([
      ...this.#network.injected,
      ['abandoned invocation', sum(({ containers }) => containers.abandonedCount)] as const,
      ['redelivered batch', sum(({ mapping }) => mapping.redeliveryCount)] as const,
    ]);
  }

  /** Runs until everything that was sent is stored, then lets the world be kind and checks that nothing is missing. */
  async run(): Promise<void> {
    this.#devices.run().catch((error: unknown) => this.#onViolation(error));
    await this.#until(
      () => this.#devices.isDone && this.#consumers.every(({ mapping }) => mapping.isCaughtUp()),
    );
    this.#isHostile = false;
    await this.#each((consumer) => redrive(consumer.mapping, consumer.options));
    await this.#checkEverything();
    await this.#each((consumer) => deliverAllAgain(consumer.options));
    for (const { mapping } of this.#consumers) mapping.stop();
    await this.#checkEverything();
    if (this.#violation !== undefined) throw this.#violation;
  }

  #projector(options: ProjectorOptions): (owner: Owner) => FunctionUnderTest {
    return (owner) =>
      createProjector(
        {
          ...reachedBy(owner, this.#stores, this.#network),
          clock: this.#scheduler.clockOf(owner),
          logger: SILENT,
          report: () => undefined,
        },
        options,
      );
  }

  #consume(
    name: string,
    create: (owner: Owner) => FunctionUnderTest,
    check: (shard: SimShard, record: SimRecord) => void,
  ): void {
    const { batchRecordsMax, parallelizationFactor, triesMax, mapping: kind } = this.#scenario;
    const containers = new Containers(name, create, this.#scheduler, this.#random);
    const options: MappingOptions = {
      stream: this.#stream,
      containers,
      scheduler: this.#scheduler,
      random: this.#random,
      batchRecordsMax,
      parallelizationFactor,
      triesMax,
      isHostile: () => this.#isHostile,
      onAcknowledged: (shard, record) => {
        try {
          check(shard, record);
        } catch (error) {
          this.#onViolation(error);
        }
      },
      onFault: (error) => this.#onViolation(error),
    };
    const mapping = kind === 'engine' ? engineMapping(options) : new SimMapping(options);
    this.#consumers.push({ containers, mapping, options });
  }

  /** Runs work beside every consumer until it is done and nothing is on its way any more. */
  async #each(work: (consumer: Consumer) => Promise<void>): Promise<void> {
    let underWay = this.#consumers.length;
    const done = () => {
      underWay -= 1;
    };
    for (const consumer of this.#consumers) {
      work(consumer).then(done, (error: unknown) => this.#onViolation(error));
    }
    await this.#until(() => underWay === 0 && this.#network.landingCount === 0);
  }

  async #until(isDone: () => boolean): Promise<void> {
    await this.#scheduler.run(() => {
      if (this.#violation !== undefined) throw this.#violation;
      return isDone();
    });
  }

  #onViolation(error: unknown): void {
    this.#violation ??= error;
  }

  #checkDurable(shard: SimShard, record: SimRecord): void {
    const what = `${shard.shardId} ${record.sequenceNumber}`;
    for (const { deviceId, identity } of eventsOf(shard, record)) {
      const page = this.#ghost.pageOf(deviceId, identity);
      if (page === undefined)
        throw new Violation('nothing is lost', `${what}: ${deviceId} ${identity} is not stored`);
      if (this.#ghost.statePage(deviceId) < page) {
        throw new Violation('a record is acknowledged only when the state is at or past its pages', what);
      }
    }
    if (hasPoison(record) && !this.#stores.quarantined.has(what)) {
      throw new Violation('a poison record is in quarantine before it counts as finished', what);
    }
  }

  #checkProgress({ shardId, finishedThrough }: ShardProgress): void {
    const shard = this.#stream.shards.find((candidate) => candidate.shardId === shardId);
    if (shard === undefined) throw new Violation('shard progress names a shard', shardId);
    const givenUp = new Set(this.#consumers[0]?.mapping.givenUp.map(({ record }) => record));
    for (const record of shard.records) {
      if (compareSequenceNumbers(record.sequenceNumber, finishedThrough) > 0) return;
      if (!givenUp.has(record)) this.#checkDurable(shard, record);
    }
  }

  async #checkEverything(): Promise<void> {
    for (const shard of this.#stream.shards) {
      for (const record of shard.records) {
        this.#checkDurable(shard, record);
        this.#archive.checkArchived(shard, record);
      }
    }
    for (const [deviceId, identities] of this.#devices.accepted) {
      const pages = this.#ghost.pages.get(deviceId) ?? [];
      const stored = pages.reduce((sum, { events }) => sum + events.length, 0);
      if (stored !== identities.size) {
        throw new Violation('each identity is stored once', `${deviceId}: ${stored} of ${identities.size}`);
      }
    }
    this.#ghost.checkVersions();
    await this.#ghost.checkSnapshots(this.#stores.eventStore);
    this.#ghost.checkLastWriterWins();
  }
}

function projectorOptions(scenario: Scenario): ProjectorOptions {
  const { eventsPerPageMax: eventsMax, sessionsMax, rangesMax, correctionsMax, marksMax } = scenario;
  const receipts = { sessionsMax, rangesMax, correctionsMax, marksMax };
  return {
    ...PROJECTOR_OPTIONS,
    headsMax: scenario.headsMax,
    pagesPerSnapshot: scenario.pagesPerSnapshot,
    parallelizationFactor: scenario.parallelizationFactor,
    pageLimits: { eventsMax, charactersMax: 100_000, receipts },
  };
}

function hasPoison(record: SimRecord): boolean {
  const opened = openRecord(record);
  return opened.status === 'damaged' || opened.entries.some(({ data }) => 'rejected' in decodeEvent(data));
}
