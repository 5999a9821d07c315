import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Clock, Logger } from '@twinstream/runtime';
import { type BackoffOptions, fullJitterMs } from '@twinstream/stream-model';
import type { BufferFiles } from './buffer-files.ts';
import type { DeliveryStreamDefinition } from './delivery-stream-definition.ts';
import { MIB } from './firehose-quotas.ts';
import { objectKey } from './object-key.ts';
import {
  addRecords,
  bufferBytes,
  oldestArrivalMs,
  type RecordBuffer,
  recordBuffer,
} from './record-buffer.ts';
import type { ArrivedRecord } from './write-ahead-file.ts';

/** Records that wait for S3, in all buffers of a stream; above it, a stream takes no more. */
const PENDING_BYTES_MAX = 256 * MIB;
/** Waits between tries while S3 does not take an object. */
const DELIVERY_BACKOFF: BackoffOptions = { baseMs: 200, capMs: 10_000 };

/** Puts one object into a bucket. Rejects when it could not. */
export type PutObject = (bucket: string, key: string, body: Buffer) => Promise<void>;

/** How much and how long a stream buffers. */
export interface Buffering {
  readonly bytesMax: number;
  readonly intervalMs: number;
}

export interface DeliveryStreamOptions {
  readonly definition: DeliveryStreamDefinition;
  readonly buffering: Buffering;
  readonly files: BufferFiles;
  readonly putObject: PutObject;
  readonly clock: Clock;
  /** Draws from [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

/** What a stream has done since it was started. */
export interface DeliveryStreamStatus {
  readonly recordsAccepted: number;
  readonly recordsDelivered: number;
  readonly objectsDelivered: number;
  readonly deliveryFailures: number;
  /** Bytes accepted and not yet delivered. */
  readonly pendingBytes: number;
  readonly lastDeliveryMs: number | undefined;
}

/**
 * Collects records and writes them to S3, an object per buffer, in the order of their acceptance. What is accepted is
 * delivered at least once: S3 is asked until it takes the object, and after a restart the buffers on disk are delivered
 * under the same names as before.
 */
export class DeliveryStream {
  readonly #options: DeliveryStreamOptions;
  readonly #abandon = new AbortController();
  #filling: Promise<RecordBuffer> | undefined;
  #sealTimer: AbortController | undefined;
  #delivered: Promise<void> = Promise.resolve();
  #appending: Promise<unknown> = Promise.resolve();
  readonly #counts = { accepted: 0, delivered: 0, objects: 0, failures: 0, pendingBytes: 0 };
  #lastDeliveryMs: number | undefined;

  constructor(options: DeliveryStreamOptions) {
    this.#options = options;
  }

  get definition(): DeliveryStreamDefinition {
    return this.#options.definition;
  }

  /** Takes up the buffers that another process left. */
  async open(): Promise<void> {
    for (const buffer of await this.#options.files.left()) {
      this.#counts.pendingBytes += buffer.bytes;
      this.#deliverNext(buffer);
    }
  }

  /** False while so much waits for S3 that nothing more can be taken. */
  get hasRoom(): boolean {
    return this.#counts.pendingBytes < PENDING_BYTES_MAX;
  }

  /** Resolves when the records will be delivered whatever happens to this process, where the stream has a folder. */
  async put(data: readonly Buffer[]): Promise<void> {
    if (data.length === 0) return;
    let buffer = await this.#buffer();
    // Another put may have filled it meanwhile.
    while (buffer.sealed) buffer = await this.#buffer();
    const arrivalMs = this.#options.clock.now();
    const records: readonly ArrivedRecord[] = data.map((each) => ({ arrivalMs, data: each }));
    const before = buffer.bytes;
    addRecords(buffer, records);
    this.#counts.pendingBytes += buffer.bytes - before;
    this.#counts.accepted += records.length;
    const appended = buffer.file?.append(records) ?? Promise.resolve();
    this.#appending = Promise.allSettled([this.#appending, appended]);
    if (buffer.bytes >= this.#options.buffering.bytesMax) this.#seal(buffer);
    else if (before === 0) this.#sealLater(buffer);
    await appended;
  }

  /** Writes what is buffered now and resolves when it is in S3. */
  async flush(): Promise<void> {
    const filling = await this.#filling;
    if (filling) this.#seal(filling);
    await this.#delivered;
  }

  /** Delivers what it can within `graceMs`. Without a folder, what S3 has not taken by then is lost, which is logged. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#abandon.abort(), graceMs);
    await this.flush();
    clearTimeout(timer);
    this.#abandon.abort();
  }

  /** Ends the stream and forgets what it has not delivered. */
  async destroy(): Promise<void> {
    this.#abandon.abort();
    await this.flush();
    await this.#options.files.removeAll();
  }

  status(): DeliveryStreamStatus {
    const { accepted, delivered, objects, failures, pendingBytes } = this.#counts;
    return {
      recordsAccepted: accepted,
      recordsDelivered: delivered,
      objectsDelivered: objects,
      deliveryFailures: failures,
      pendingBytes,
      lastDeliveryMs: this.#lastDeliveryMs,
    };
  }

  /** The buffer that is being filled. */
  #buffer(): Promise<RecordBuffer> {
    this.#filling ??= this.#newBuffer();
    return this.#filling;
  }

  async #newBuffer(): Promise<RecordBuffer> {
    const uuid = randomUUID();
    return recordBuffer(uuid, await this.#options.files.create(uuid));
  }

  /** Its time begins with its first record. */
  #sealLater(buffer: RecordBuffer): void {
    const timer = new AbortController();
    this.#sealTimer = timer;
    this.#options.clock.sleep(this.#options.buffering.intervalMs, timer.signal).then(
      () => this.#seal(buffer),
      () => undefined, // Sealed before its time was over.
    );
  }

  #seal(buffer: RecordBuffer): void {
    if (buffer.sealed || buffer.records.length === 0) return;
    buffer.sealed = true;
    this.#filling = undefined;
    this.#sealTimer?.abort();
    const appended = this.#appending;
    this.#deliverNext(buffer, appended);
  }

  #deliverNext(buffer: RecordBuffer, after: Promise<unknown> = Promise.resolve()): void {
    this.#delivered = Promise.all([this.#delivered, after])
      .then(() => this.#deliver(buffer))
      .catch((error: unknown) => this.#options.logger.error({ error }, 'delivery failed for good'));
  }

  async #deliver(buffer: RecordBuffer): Promise<void> {
    const { definition, putObject, clock, random, logger } = this.#options;
    const { bucket, compression } = definition.destination;
    const key = objectKey(definition, {
      oldestArrivalMs: oldestArrivalMs(buffer),
      uuid: buffer.uuid,
      random,
    });
    const plain = bufferBytes(buffer);
    const body = compression === 'GZIP' ? await compress(plain) : plain;
    const about = { stream: definition.name, records: buffer.records.length, bytes: buffer.bytes };
    for (let attempt = 0; !this.#abandon.signal.aborted; attempt += 1) {
      try {
        await putObject(bucket, key, body);
        await buffer.file?.remove();
        this.#counts.delivered += buffer.records.length;
        this.#counts.objects += 1;
        this.#counts.pendingBytes -= buffer.bytes;
        this.#lastDeliveryMs = clock.now();
        logger.debug({ ...about, key }, 'object delivered');
        return;
      } catch (error) {
        this.#counts.failures += 1;
        logger.warn({ ...about, error, attempt }, 'object not delivered, will be tried again');
        await clock
          .sleep(fullJitterMs(attempt, DELIVERY_BACKOFF, random), this.#abandon.signal)
          .catch(() => undefined); // Abandoned: the loop ends.
      }
    }
    await buffer.file?.close();
    if (buffer.file === undefined) logger.error(about, 'records lost: S3 did not take them before the end');
    else logger.warn(about, 'records stay on disk until the next start');
  }
}

/** Speed before size: the archive is compressed while everything else runs on the same machine. */
function compress(body: Buffer): Promise<Buffer> {
  return promisify(gzip)(body, { level: constants.Z_BEST_SPEED });
}
