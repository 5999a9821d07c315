import { join } from 'node:path';
import type { Clock, Logger } from '@twinstream/runtime';
import { evenRanges } from '@twinstream/stream-model';
import { AppendFiles } from './append-files.ts';
import {
  type DataFolder,
  deleteStreamFolder,
  openDataFolder,
  readStreamDocuments,
  streamFolder,
  writeStreamDocument,
} from './data-folder.ts';
import { hashKeyText } from './hash-key-text.ts';
import type { ReshardStep } from './reshard-step.ts';
import { applySteps } from './resharding.ts';
import { type SegmentMemory, segmentMemory, shrinkToFit } from './segment-memory.ts';
import { shardNumbering } from './sequence-numbering.ts';
import { shardLimiter } from './shard-limiter.ts';
import { ShardLog } from './shard-log.ts';
import { horizonMs, openShards, type Shard, type Stream, shardIdOf } from './stream.ts';
import type { StreamConsumer } from './stream-consumer.ts';
import { documentOf, type ShardDocument, type StreamDocument } from './stream-document.ts';
import type { Tags } from './tags.ts';
import { wake } from './wake.ts';

/** A new stream keeps its records so long (API reference, CreateStream: 24 hours by default, read 2026-11). */
const RETENTION_HOURS_DEFAULT = 24;

export interface StreamStoreOptions {
  /** Keeps everything in this folder; memory is all there is when it is undefined. */
  readonly dataDir: string | undefined;
  readonly memoryBytesMax: number;
  /** How long a stream stays CREATING, UPDATING or DELETING, in ms. */
  readonly transitionMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

export interface NewStream {
  readonly name: string;
  readonly shardCount: number;
  readonly mode: Stream['mode'];
  readonly recordBytesMax: number;
  readonly tags: Tags;
}

type StreamChange = Partial<
  Pick<
    Stream,
    | 'status'
    | 'mode'
    | 'recordBytesMax'
    | 'retentionHours'
    | 'trimmedBeforeMs'
    | 'shards'
    | 'pendingSteps'
    | 'consumers'
    | 'tags'
    | 'policy'
    | 'encryptionKeyId'
    | 'shardLevelMetrics'
    | 'warmThroughputMiBps'
  >
>;

/**
 * All streams of a server. A change is on disk before it is visible; so is a reshard that is still to come, which a restart
 * carries out.
 */
export class StreamStore {
  readonly memory: SegmentMemory;
  readonly #options: StreamStoreOptions;
  readonly #data: DataFolder | undefined;
  readonly #files: AppendFiles | undefined;
  readonly #streams = new Map<string, Stream>();
  readonly #closing = new AbortController();
  #newestCreatedMs = 0;

  /** Throws `DATA_DIR_IN_USE`, `DATA_DIR_UNWRITABLE`, `KINESIS_STREAM_DOCUMENT_INVALID`, `KINESIS_SEGMENT_CORRUPT`. */
  constructor(options: StreamStoreOptions) {
    this.#options = options;
    this.memory = segmentMemory(options.memoryBytesMax, options.dataDir !== undefined);
    if (options.dataDir === undefined) return;
    this.#data = openDataFolder(options.dataDir);
    this.#files = new AppendFiles();
    try {
      for (const document of readStreamDocuments(this.#data)) this.#load(this.#data, document);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** A stream that a crash left DELETING is deleted; any other is ACTIVE again. */
  #load(data: DataFolder, document: StreamDocument): void {
    this.#newestCreatedMs = Math.max(this.#newestCreatedMs, document.createdMs);
    if (document.status === 'DELETING') {
      deleteStreamFolder(data, document);
      return;
    }
    const shards = document.shards.map((shard) => this.#openShard(document, shard));
    const { version: _, shards: __, consumers: registered, ...rest } = document;
    const consumers = registered
      .filter(({ status }) => status !== 'DELETING')
      .map((consumer): StreamConsumer => ({ ...consumer, status: 'ACTIVE' }));
    const stream: Stream = { ...rest, consumers, shards, open: openShards(shards) };
    this.#streams.set(stream.name, stream);
    if (stream.status !== 'ACTIVE') this.#activate(stream);
  }

  #openShard(stream: Pick<Stream, 'name' | 'createdMs'>, shard: ShardDocument): Shard {
    const { clock, random, logger } = this.#options;
    const id = shardIdOf(shard.index);
    const folder = this.#data === undefined ? undefined : join(streamFolder(this.#data, stream), id);
    const log = new ShardLog(folder, { memory: this.memory, files: this.#files, random });
    if (log.cutBytes > 0) {
      logger.warn(
        { stream: stream.name, shardId: id, cutBytes: log.cutBytes },
        'an append that was interrupted was cut off',
      );
    }
    const { index, startMs, hashStart, hashEnd, parentIndex, adjacentParentIndex, closedMs } = shard;
    return {
      index,
      id,
      numbering: shardNumbering(startMs, index),
      startMs,
      hashStart,
      hashEnd,
      parentIndex,
      adjacentParentIndex,
      closedMs,
      log,
      limiter: shardLimiter(clock.now()),
      changed: wake(clock),
    };
  }

  find(name: string): Stream | undefined {
    return this.#streams.get(name);
  }

  /** In order of their names. */
  all(): readonly Stream[] {
    return [...this.#streams.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Creates a stream of even shards that is ACTIVE after the transition time. No stream may have its name. */
  create({ name, shardCount, mode, recordBytesMax, tags }: NewStream): Stream {
    const createdMs = Math.max(this.#options.clock.now(), this.#newestCreatedMs + 1);
    const shards = evenRanges(shardCount).map(({ start, end }, index) =>
      this.#openShard(
        { name, createdMs },
        { index, startMs: createdMs, hashStart: hashKeyText(start), hashEnd: hashKeyText(end) },
      ),
    );
    const stream: Stream = {
      name,
      createdMs,
      mode,
      recordBytesMax,
      status: 'CREATING',
      retentionHours: RETENTION_HOURS_DEFAULT,
      trimmedBeforeMs: 0,
      nextShardIndex: shardCount,
      pendingSteps: [],
      tags,
      shardLevelMetrics: [],
      consumers: [],
      shards,
      open: openShards(shards),
    };
    if (this.#data) writeStreamDocument(this.#data, documentOf(stream), true);
    this.#newestCreatedMs = createdMs;
    this.#streams.set(name, stream);
    this.#afterTransition(() => this.#activate(stream));
    return stream;
  }

  /** Changes a stream, on disk first. */
  change(stream: Stream, change: StreamChange): void {
    const before = stream.shards;
    const shards = change.shards ?? before;
    const nextShardIndex = Math.max(stream.nextShardIndex, ...shards.map(({ index }) => index + 1));
    const changed = { ...change, nextShardIndex, open: openShards(shards) };
    if (this.#data) writeStreamDocument(this.#data, documentOf({ ...stream, ...changed }), false);
    Object.assign(stream, changed);
    if (shards !== before) for (const shard of before) shard.changed.notify();
  }

  /** The stream is UPDATING for the transition time, with its shards as they were; then they close and others open. */
  reshard(stream: Stream, steps: readonly ReshardStep[]): void {
    this.change(stream, { pendingSteps: steps, status: 'UPDATING' });
    this.#afterTransition(() => this.#activate(stream));
  }

  /** The stream is DELETING for the transition time, then gone with all its records. */
  delete(stream: Stream): void {
    this.change(stream, { status: 'DELETING' });
    this.#afterTransition(() => {
      for (const shard of stream.shards) shard.log.close();
      this.#streams.delete(stream.name);
      for (const shard of stream.shards) shard.changed.notify();
      if (this.#data) deleteStreamFolder(this.#data, stream);
    });
  }

  /** The stream is UPDATING for the transition time. */
  update(stream: Stream, change: StreamChange): void {
    this.change(stream, { ...change, status: 'UPDATING' });
    this.#afterTransition(() => this.#activate(stream));
  }

  /** Changes a registered consumer, on disk first. */
  changeConsumer(
    stream: Stream,
    consumer: StreamConsumer,
    change: Partial<Pick<StreamConsumer, 'tags' | 'policy'>>,
  ): void {
    const consumers = stream.consumers.map((other) =>
      isSameConsumer(other, consumer) ? { ...other, ...change } : other,
    );
    this.change(stream, { consumers });
  }

  /** The consumer is CREATING for the transition time, then ACTIVE. None may have its name. */
  register(stream: Stream, name: string, tags: Tags): StreamConsumer {
    const consumer: StreamConsumer = { name, createdMs: this.#options.clock.now(), status: 'CREATING', tags };
    this.change(stream, { consumers: [...stream.consumers, consumer] });
    this.#afterTransition(() => this.#setConsumer(stream, consumer, 'ACTIVE'));
    return consumer;
  }

  /** The consumer is DELETING for the transition time, then gone. */
  deregister(stream: Stream, consumer: StreamConsumer): void {
    this.#setConsumer(stream, consumer, 'DELETING');
    this.#afterTransition(() => {
      const consumers = stream.consumers.filter((other) => !isSameConsumer(other, consumer));
      if (this.#streams.get(stream.name) === stream) this.change(stream, { consumers });
    });
  }

  #setConsumer(stream: Stream, consumer: StreamConsumer, status: StreamConsumer['status']): void {
    if (this.#streams.get(stream.name) !== stream) return;
    const consumers = stream.consumers.map((other) =>
      isSameConsumer(other, consumer) && other.status !== 'DELETING' ? { ...other, status } : other,
    );
    this.change(stream, { consumers });
  }

  #activate(stream: Stream): void {
    if (stream.status !== 'CREATING' && stream.status !== 'UPDATING') return;
    const at = { nowMs: this.#options.clock.now(), nextIndex: stream.nextShardIndex };
    const shards = applySteps(stream.shards, stream.pendingSteps, at, (opened) =>
      this.#openShard(stream, { ...opened, closedMs: undefined }),
    );
    this.change(stream, { shards, pendingSteps: [], status: 'ACTIVE' });
  }

  #afterTransition(finish: () => void): void {
    const { clock, transitionMs, logger } = this.#options;
    if (transitionMs <= 0) {
      finish();
      return;
    }
    clock
      .sleep(transitionMs, this.#closing.signal)
      .then(finish)
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) logger.error({ error }, 'a stream could not change its status');
      });
  }

  /** Deletes what has expired: whole segments, and closed shards of which nothing is left. */
  trim(stream: Stream): void {
    const horizon = horizonMs(stream, this.#options.clock.now());
    for (const shard of stream.shards) shard.log.trim(horizon);
    const left = stream.shards.filter(
      ({ closedMs, log }) => closedMs === undefined || closedMs >= horizon || !log.isExpired(horizon),
    );
    if (left.length === stream.shards.length) return;
    const gone = stream.shards.filter((shard) => !left.includes(shard));
    this.change(stream, { shards: left });
    for (const shard of gone) shard.log.destroy();
  }

  trimAll(): void {
    for (const stream of this.all()) if (stream.status !== 'DELETING') this.trim(stream);
    shrinkToFit(this.memory);
  }

  /** Finishes no transition: a data folder says what remains to be done. */
  close(): void {
    this.#closing.abort(new Error('the server is closing'));
    for (const stream of this.#streams.values()) for (const shard of stream.shards) shard.log.close();
    this.#streams.clear();
    this.#files?.close();
    this.#data?.lock.release();
  }
}

function isSameConsumer(a: StreamConsumer, b: StreamConsumer): boolean {
  return a.name === b.name && a.createdMs === b.createdMs;
}
