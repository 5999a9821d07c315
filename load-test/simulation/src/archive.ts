import { createArchiver, type DeliveryStream } from '@twinstream/event-archiver';
import { createLogger } from '@twinstream/runtime';
import { openRecord } from '@twinstream/stream-model';
import type { Random } from '@twinstream/test-kit';
import type { ArchiveObjects } from '@twinstream/verification';
import type { FunctionUnderTest } from './containers.ts';
import type { Network } from './network.ts';
import { Violation } from './oracle.ts';
import type { Owner, Scheduler } from './scheduler.ts';
import type { SimRecord, SimShard } from './sim-stream.ts';

/** Lines after which a new object begins. */
const OBJECT_LINES_MAX = 15;
const SILENT = createLogger('simulation', 'silent');

/** The archive as it really is, and the archivers that fill it. */
export class Archive {
  /** Places of the lines that were delivered. */
  readonly #lines = new Set<string>();
  /** Lines as they were delivered, some more than once. */
  readonly #objects: string[][] = [];
  readonly #network: Network;
  readonly #scheduler: Scheduler;
  readonly #random: Random;

  constructor(network: Network, scheduler: Scheduler, random: Random) {
    this.#network = network;
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** The archiver under test, in one container. */
  archiver(owner: Owner): FunctionUnderTest {
    const archive = createArchiver({
      deliveryStream: this.#deliveryStream(owner),
      clock: this.#scheduler.clockOf(owner),
      logger: SILENT,
      random: () => this.#random.next(),
    });
    return (event, { requestId, remainingMs }) =>
      archive(event, { awsRequestId: requestId, getRemainingTimeInMillis: remainingMs });
  }

  #deliveryStream(owner: Owner): DeliveryStream {
    return {
      put: (records, signal) =>
        this.#network.call(
          owner,
          'PutRecordBatch',
          async () => {
            for (const record of records) this.#deliver(record);
            return [];
          },
          signal,
        ),
    };
  }

  /** The archive as a process reads it. */
  objects(owner: Owner): ArchiveObjects {
    const call = <Answer>(name: string, effect: () => Answer, signal?: AbortSignal) =>
      this.#network.call(owner, name, async () => effect(), signal);
    const objects = this.#objects;
    return {
      async *list({ signal }) {
        const listed = () => objects.map((lines, index) => ({ key: String(index), bytes: lines.length }));
        yield* await call('archive list', listed, signal);
      },
      async *read(key, signal) {
        const text = () => (objects[Number(key)] ?? []).map((line) => `${line}\n`).join('');
        yield Buffer.from(await call('archive read', text, signal));
      },
    };
  }

  #openObject(): string[] {
    const last = this.#objects.at(-1);
    if (last !== undefined && last.length < OBJECT_LINES_MAX) return last;
    const next: string[] = [];
    this.#objects.push(next);
    return next;
  }

  #deliver(record: Uint8Array): void {
    const object = this.#openObject();
    for (const line of Buffer.from(record).toString('utf8').split('\n')) {
      if (line === '') continue;
      object.push(line);
      const { shardId, sequenceNumber, subSequenceNumber } = JSON.parse(line);
      this.#lines.add(`${shardId} ${sequenceNumber} ${subSequenceNumber}`);
    }
  }

  /** Every entry of the record has its line, valid or not. */
  checkArchived({ shardId }: SimShard, record: SimRecord): void {
    for (const { subSequenceNumber } of openRecord(record).entries) {
      const place = `${shardId} ${record.sequenceNumber} ${subSequenceNumber}`;
      if (!this.#lines.has(place)) throw new Violation('the archive is complete', place);
    }
  }
}
