import { type DeviceId, decodeEvent } from '@twinstream/device-model';
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
import { Containers } from './containers.ts';
import { engineMapping } from './engine-mapping.ts';
import { NO_FAULTS } from './faults.ts';
import { Ghost, identityOf, Violation } from './ghost.ts';
import { type Mapping, type MappingOptions, redrive } from './mapping.ts';
import { Network } from './network.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { type Owner, Scheduler } from './scheduler.ts';
import { SimMapping } from './sim-mapping.ts';
import { type SimRecord, type SimShard, SimStream } from './sim-stream.ts';
import { reachedBy, type WatchedStores, watched } from './watched-stores.ts';
import { sendings } from './workload.ts';

const START_TIME_MS = Date.parse('2026-01-01T00:00:00Z');
const DEVICES: Owner = 'devices';
const SILENT = createLogger('simulation', 'silent');

/** One seed's world: devices, stream, mapping, containers and stores, with a ghost that sees what is really there. */
export class World {
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #stream: SimStream;
  readonly #ghost: Ghost;
  readonly #stores: WatchedStores;
  readonly #projectors: Containers;
  readonly #mappingOptions: MappingOptions;
  #mapping: Mapping | undefined;
  readonly #acknowledged = new Map<SimShard, Set<SimRecord>>();
  /** Identities that the stream holds, by device. */
  readonly #accepted = new Map<DeviceId, Set<string>>();
  #isHostile = true;
  #isSending = true;
  #violation: unknown;

  constructor(scenario: Scenario, random: Random) {
    this.#scenario = scenario;
    this.#random = random;
    this.#scheduler = new Scheduler(random, START_TIME_MS);
    this.#network = new Network({
      scheduler: this.#scheduler,
      random,
      rates: () => (this.#isHostile ? scenario.faultRates : NO_FAULTS),
      crash: (owner) => this.#projectors.crash(owner),
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
    const container = (owner: Owner) =>
      createProjector(
        {
          ...reachedBy(owner, this.#stores, this.#network),
          clock: this.#scheduler.clockOf(owner),
          logger: SILENT,
          report: () => undefined,
        },
        options,
      );
    this.#projectors = new Containers('projector', container, this.#scheduler, random);
    this.#mappingOptions = {
      stream: this.#stream,
      containers: this.#projectors,
      scheduler: this.#scheduler,
      random,
      batchRecordsMax: scenario.batchRecordsMax,
      parallelizationFactor: scenario.parallelizationFactor,
      triesMax: scenario.triesMax,
      isHostile: () => this.#isHostile,
      onAcknowledged: (shard, record) => void this.#onAcknowledged(shard, record),
      onFault: (error) => this.#onViolation(error),
    };
  }

  get turns(): number {
    return this.#scheduler.turns;
  }

  get storedCount(): number {
    return this.#ghost.storedCount();
  }

  get injected(): ReadonlyMap<string, number> {
    const { abandonedCount } = this.#projectors;
    const redeliveryCount = this.#mapping?.redeliveryCount ?? 0;
    return new Map([
      ...this.#network.injected,
      ['abandoned invocation', abandonedCount] as const,
      ['redelivered batch', redeliveryCount] as const,
    ]);
  }

  /** Runs until everything that was sent is stored, then lets the world be kind and checks that nothing is missing. */
  async run(): Promise<void> {
    const { mapping: kind } = this.#scenario;
    const mapping =
      kind === 'engine' ? engineMapping(this.#mappingOptions) : new SimMapping(this.#mappingOptions);
    this.#mapping = mapping;
    void this.#send();
    await this.#until(() => !this.#isSending && mapping.isCaughtUp());
    this.#isHostile = false;
    let redriven = false;
    void redrive(mapping, this.#mappingOptions).then(
      () => {
        redriven = true;
      },
      (error: unknown) => this.#onViolation(error),
    );
    await this.#until(() => redriven && this.#network.landingCount === 0);
    mapping.stop();
    await this.#checkEverything();
    if (this.#violation !== undefined) throw this.#violation;
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

  async #send(): Promise<void> {
    const { deviceCount, eventCount, reshardCount } = this.#scenario;
    let said = 0;
    const reshardAt = new Set(
      Array.from({ length: reshardCount }, () => this.#random.integer(Math.max(1, eventCount))),
    );
    for (const { deviceId, data } of sendings(deviceCount, eventCount, this.#random)) {
      await this.#scheduler.step(DEVICES);
      if (reshardAt.has(said)) this.#stream.reshard();
      said += 1;
      const { shard, record } = this.#stream.put(deviceId, data);
      for (const { identity } of eventsOf(shard, record)) {
        const identities = this.#accepted.get(deviceId) ?? new Set();
        this.#accepted.set(deviceId, identities.add(identity));
      }
    }
    this.#isSending = false;
  }

  async #onAcknowledged(shard: SimShard, record: SimRecord): Promise<void> {
    const acknowledged = this.#acknowledged.get(shard) ?? new Set();
    this.#acknowledged.set(shard, acknowledged.add(record));
    try {
      this.#checkDurable(shard, record);
    } catch (error) {
      this.#onViolation(error);
    }
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
    if (hasPoison(record) && !this.#stores.quarantined.has(quarantineName(shard, record))) {
      throw new Violation('a poison record is in quarantine before it counts as finished', what);
    }
  }

  #checkProgress({ shardId, finishedThrough }: ShardProgress): void {
    const shard = this.#stream.shards.find((candidate) => candidate.shardId === shardId);
    if (shard === undefined) throw new Violation('shard progress names a shard', shardId);
    const givenUp = new Set(this.#mapping?.givenUp.map(({ record }) => record));
    for (const record of shard.records) {
      if (compareSequenceNumbers(record.sequenceNumber, finishedThrough) > 0) return;
      if (!givenUp.has(record)) this.#checkDurable(shard, record);
    }
  }

  async #checkEverything(): Promise<void> {
    for (const shard of this.#stream.shards) {
      for (const record of shard.records) this.#checkDurable(shard, record);
    }
    for (const [deviceId, identities] of this.#accepted) {
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

/** What a record really holds, read by the same decoder that devices are promised. */
function eventsOf(
  shard: SimShard,
  record: SimRecord,
): { readonly deviceId: DeviceId; readonly identity: string }[] {
  const opened = openRecord(record);
  if (opened.status === 'damaged') return [];
  return opened.entries.flatMap(({ data, subSequenceNumber }) => {
    const decoded = decodeEvent(data);
    if ('rejected' in decoded) return [];
    const place = { sequenceNumber: record.sequenceNumber, subSequenceNumber };
    const { event } = decoded;
    return [{ deviceId: event.deviceId, identity: identityOf(shard.shardId, { event, place }) }];
  });
}

function hasPoison(record: SimRecord): boolean {
  const opened = openRecord(record);
  return opened.status === 'damaged' || opened.entries.some(({ data }) => 'rejected' in decodeEvent(data));
}

function quarantineName(shard: SimShard, record: SimRecord): string {
  return `${shard.shardId} ${record.sequenceNumber}`;
}
