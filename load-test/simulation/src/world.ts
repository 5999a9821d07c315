import { type EntryDecoder, ownFormatDecoder } from '@twinstream/device-model';
import { memoryShardProgressTable, type ShardProgress } from '@twinstream/latest-state';
import { memoryJobStore } from '@twinstream/operations';
import { memoryQuarantine } from '@twinstream/quarantine';
import { createLogger } from '@twinstream/runtime';
import { createProjector, type ProjectorOptions } from '@twinstream/state-projector';
import { compareSequenceNumbers } from '@twinstream/stream-model';
import type { Random } from '@twinstream/test-kit';
import { Archive } from './archive.ts';
import { reachedInBatches, scheduledTiming } from './batched-stores.ts';
import { type Consumer, type ConsumerSurroundings, consume } from './consumers.ts';
import type { FunctionUnderTest } from './containers.ts';
import { Devices } from './devices.ts';
import { checkDurable } from './durability.ts';
import { NO_FAULTS } from './faults.ts';
import { checkDerived, fleetDecoder, type MappingVersion } from './foreign-fleet.ts';
import { deliverAllAgain, redrive } from './mapping.ts';
import { Network } from './network.ts';
import { type DamageableTables, damageableTables } from './operator/damage.ts';
import { Duties } from './operator/duties.ts';
import { checkPromoted } from './operator/fresh-tables.ts';
import { Oracle, Violation } from './oracle.ts';
import { projectorOptions } from './projector-options.ts';
import { type Release, Releases } from './releases.ts';
import type { LeftOut } from './restoration.ts';
import type { OperatorScenario, Scenario } from './scenario.ts';
import { type Owner, Scheduler } from './scheduler.ts';
import { type SimRecord, type SimShard, SimStream } from './sim-stream.ts';
import { type Reach, reachedBy, type WatchedStores, watched } from './watched-stores.ts';

const START_TIME_MS = Date.parse('2026-01-01T00:00:00Z');
const SILENT = createLogger('simulation', 'silent');

/** Tables, and what is really in them. */
interface InUse {
  readonly oracle: Oracle;
  readonly tables: DamageableTables;
  readonly stores: WatchedStores;
}

function hasGivenUp({ triesMax }: Scenario): boolean {
  return Number.isFinite(triesMax);
}

/** One seed's world: devices, stream, mappings, containers and stores, with an oracle that sees what is really there. */
export class World {
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #stream: SimStream;
  /** The tables in use: a promotion puts others in their place. */
  #inUse: InUse;
  readonly #archive: Archive;
  readonly #devices: Devices;
  readonly #projector: Consumer;
  readonly #archiver: Consumer;
  readonly #operator: Duties | undefined;
  readonly #releases = new Releases();
  #projectorsStarted = 0;
  /** Of containers that are created from now on. */
  #mappingVersion: MappingVersion = 1;
  #isHostile = true;
  #violation: unknown;

  constructor(scenario: Scenario, random: Random) {
    this.#scenario = scenario;
    this.#random = random;
    this.#scheduler = new Scheduler(random, START_TIME_MS);
    this.#network = new Network({
      scheduler: this.#scheduler,
      random,
      rates: (owner) =>
        (this.#operator?.meetsFaults(owner) ?? this.#isHostile) ? scenario.faultRates : NO_FAULTS,
      crash: (owner) => {
        for (const { containers } of this.#consumers) containers.crash(owner);
        this.#operator?.crash(owner);
      },
    });
    this.#stream = new SimStream(scenario.shardCount, random, () => this.#scheduler.now);
    const options = projectorOptions(scenario);
    const oracle = new Oracle(options.pageLimits.receipts, this.#leftOut());
    const tables = damageableTables();
    const stores = watched(
      {
        ...tables,
        shardProgress: memoryShardProgressTable(),
        quarantine: memoryQuarantine(),
      },
      {
        oracle,
        onProgress: (progress) => this.#checkProgress(progress),
        onViolation: (error) => this.#onViolation(error),
      },
    );
    this.#inUse = { oracle, tables, stores };
    this.#archive = new Archive(this.#network, this.#scheduler, random);
    this.#devices = new Devices({
      scenario,
      random,
      scheduler: this.#scheduler,
      network: this.#network,
      stream: this.#stream,
      isHostile: () => this.#isHostile,
      onSaid: (said) => {
        if (said === scenario.foreign?.changeAfter) this.#mappingVersion = 2;
      },
      onViolation: (error) => this.#onViolation(error),
    });
    const around = this.#surroundings();
    this.#projector = consume(around, 'projector', this.#createProjector(options), (...record) =>
      this.#checkDurable(...record),
    );
    this.#archiver = consume(
      around,
      'archiver',
      (owner) => this.#archive.archiver(owner),
      (...record) => this.#archive.checkArchived(...record),
    );
    this.#operator = scenario.operator && this.#createOperator(scenario.operator, options);
  }

  get turns(): number {
    return this.#scheduler.turns;
  }

  get storedCount(): number {
    return this.#oracle.storedCount();
  }

  get injected(): ReadonlyMap<string, number> {
    const sum = (of: (consumer: Consumer) => number) =>
      this.#consumers.reduce((total, one) => total + of(one), 0);
    return new Map([
      ...this.#network.injected,
      ...(this.#operator?.counts ?? []),
      ...(this.#releases.refusedCount > 0
        ? [['state refused by the release before', this.#releases.refusedCount] as const]
        : []),
      ['abandoned invocation', sum(({ containers }) => containers.abandonedCount)] as const,
      ['redelivered batch', sum(({ mapping }) => mapping.redeliveryCount)] as const,
    ]);
  }

  /** Runs until everything that was sent is stored, then lets the world be kind and checks that nothing is missing. */
  async run(): Promise<void> {
    this.#devices.run().catch((error: unknown) => this.#onViolation(error));
    const { isDone: isOperatorDone } = this.#begin([this.#operator?.besideLive()]);
    await this.#until(
      () =>
        this.#devices.isDone &&
        isOperatorDone() &&
        this.#consumers.every(({ mapping }) => mapping.isCaughtUp()),
    );
    this.#isHostile = false;
    await this.#finish(this.#consumers.map(({ mapping, options }) => redrive(mapping, options)));
    await this.#checkEverything();
    await this.#finish([this.#operator?.behindLive()]);
    await this.#finish(this.#consumers.map(({ options }) => deliverAllAgain(options)));
    for (const { mapping } of this.#consumers) mapping.stop();
    await this.#checkEverything();
    if (this.#violation !== undefined) throw this.#violation;
  }

  get #oracle(): Oracle {
    return this.#inUse.oracle;
  }

  get #stores(): WatchedStores {
    return this.#inUse.stores;
  }

  get #consumers(): readonly Consumer[] {
    return [this.#projector, this.#archiver];
  }

  #surroundings(): ConsumerSurroundings {
    return {
      scenario: this.#scenario,
      stream: this.#stream,
      scheduler: this.#scheduler,
      random: this.#random,
      isHostile: () => this.#isHostile,
      onViolation: (error) => this.#onViolation(error),
    };
  }

  #createProjector(options: ProjectorOptions): (owner: Owner) => FunctionUnderTest {
    return (owner) => {
      this.#projectorsStarted += 1;
      const release = this.#projectorsStarted % 2 === 0 ? 'before' : 'this';
      return createProjector(
        {
          ...this.#reachOf(release)(owner, this.#stores),
          clock: this.#scheduler.clockOf(owner),
          logger: SILENT,
          decoder: this.#decoder(this.#mappingVersion),
          report: ({ shardId, progressOverlaps }) => {
            if (progressOverlaps === 0) return;
            this.#onViolation(new Violation('batches overlap only above a factor of 1', shardId));
          },
        },
        options,
      );
    };
  }

  #decoder(version: MappingVersion): EntryDecoder {
    return this.#scenario.foreign === undefined ? ownFormatDecoder : fleetDecoder(version);
  }

  /** As this world's processes reach stores. */
  #reachOf(release: Release): Reach {
    if (!this.#scenario.mixesReleases) return this.#reachStores;
    return (owner, stores) =>
      this.#releases.read(release, this.#reachStores(owner, this.#releases.written(release, stores)), stores);
  }

  readonly #reachStores: Reach = (owner, stores) => {
    if (!this.#scenario.writesInBatches) return reachedBy(owner, stores, this.#network);
    return reachedInBatches(owner, stores, {
      network: this.#network,
      onViolation: (error) => this.#onViolation(error),
      timing: scheduledTiming(owner, this.#scheduler, this.#random),
    });
  };

  #createOperator(scenario: OperatorScenario, pageWriting: ProjectorOptions): Duties {
    const inUse = () => this.#inUse;
    const first = this.#inUse.stores;
    const around = {
      ...this.#surroundings(),
      network: this.#network,
      archive: this.#archive,
      reach: this.#reachOf('this'),
      get stores() {
        return inUse().stores;
      },
      get tables() {
        return inUse().tables;
      },
      get oracle() {
        return inUse().oracle;
      },
      get isPromoted() {
        return inUse().stores !== first;
      },
      switchTo: (fresh: InUse) => this.#switchTo(fresh),
      leftOut: this.#leftOut(),
      isEverythingStored:
        this.#scenario.parallelizationFactor === 1 || this.#scenario.foreign?.changeAfter === undefined,
      containers: this.#projector.containers,
      jobs: memoryJobStore(),
      pageWriting,
      decoder: this.#decoder(this.#scenario.foreign?.changeAfter === undefined ? 1 : 2),
    };
    return new Duties(around, scenario);
  }

  #leftOut(): LeftOut {
    return {
      hasGivenUp: hasGivenUp(this.#scenario),
      has: (shardId, sequenceNumber) =>
        this.#inUse.stores.quarantined.has(`${shardId} ${sequenceNumber}`) ||
        this.#projector.mapping.givenUp.some(
          ({ shard, record }) => shard.shardId === shardId && record.sequenceNumber === sequenceNumber,
        ),
    };
  }

  /** Shard progress and quarantine stay what they are. */
  #switchTo({ oracle, tables, stores }: InUse): void {
    // An attempt before has switched, and the live projector writes to them already.
    if (oracle === this.#oracle) return;
    try {
      checkPromoted(this.#oracle, oracle);
    } catch (error) {
      this.#onViolation(error);
    }
    const { shardProgress, quarantine, quarantined } = this.#stores;
    this.#inUse = { oracle, tables, stores: { ...stores, shardProgress, quarantine, quarantined } };
  }

  /** Begins work beside everything else, and tells when all of it is done. */
  #begin(works: readonly (Promise<void> | undefined)[]): { readonly isDone: () => boolean } {
    let underWay = works.length;
    const done = () => {
      underWay -= 1;
    };
    for (const work of works) Promise.resolve(work).then(done, (error: unknown) => this.#onViolation(error));
    return { isDone: () => underWay === 0 };
  }

  /** Runs until the work is done and nothing is on its way any more. */
  async #finish(works: readonly (Promise<void> | undefined)[]): Promise<void> {
    const { isDone } = this.#begin(works);
    await this.#until(() => isDone() && this.#network.landingCount === 0);
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
    checkDurable({ oracle: this.#oracle, quarantined: this.#stores.quarantined }, shard, record);
  }

  #checkProgress({ shardId, finishedThrough }: ShardProgress): void {
    const shard = this.#stream.shards.find((candidate) => candidate.shardId === shardId);
    if (shard === undefined) throw new Violation('shard progress names a shard', shardId);
    const givenUp = new Set(this.#projector.mapping.givenUp.map(({ record }) => record));
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
    for (const [deviceId, accepted] of this.#devices.accepted) {
      const pages = this.#oracle.pages.get(deviceId) ?? [];
      const stored = pages.reduce((sum, { events }) => sum + events.length, 0);
      const mended = [...(this.#devices.mendable.get(deviceId) ?? [])].filter(
        (identity) => this.#oracle.pageOf(deviceId, identity) !== undefined,
      );
      // Each copy of what was refused lies in quarantine, as was checked above.
      const refused = [...(this.#devices.refusable.get(deviceId) ?? [])].filter(
        (identity) => this.#oracle.pageOf(deviceId, identity) === undefined,
      );
      const expected = accepted.difference(new Set(refused)).union(new Set(mended)).size;
      if (stored !== expected) {
        throw new Violation('each identity is stored once', `${deviceId}: ${stored} of ${expected}`);
      }
    }
    this.#oracle.checkVersions();
    await this.#oracle.checkSnapshots(this.#stores.eventStore);
    this.#oracle.checkLastWriterWins();
    const { foreign, operator } = this.#scenario;
    const isInOrder = !hasGivenUp(this.#scenario) && foreign?.changeAfter === undefined;
    if (isInOrder && operator === undefined) checkDerived(this.#oracle.pages);
  }
}
