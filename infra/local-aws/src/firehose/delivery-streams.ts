import type { Clock, Logger } from '@twinstream/runtime';
import { type Buffering, DeliveryStream, type PutObject } from './delivery-stream.ts';
import type { DeliveryStreamDefinition } from './delivery-stream-definition.ts';
import type { DeliveryStreamFiles } from './delivery-stream-files.ts';
import { ok, type Result, refused, streamInUse, streamNotFound } from './firehose-error.ts';

export interface DeliveryStreamsOptions {
  readonly accountId: string;
  readonly files: DeliveryStreamFiles;
  readonly putObject: PutObject;
  /** Instead of what each stream's definition says. */
  readonly buffering: Buffering | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** All delivery streams, kept in files. */
export class DeliveryStreams {
  readonly #options: DeliveryStreamsOptions;
  readonly #streams = new Map<string, DeliveryStream>();

  constructor(options: DeliveryStreamsOptions) {
    this.#options = options;
  }

  /** Brings back the streams that were kept, with what they had accepted. */
  async open(): Promise<void> {
    for (const definition of await this.#options.files.load()) await this.#add(definition);
  }

  /** In the order of their names. */
  list(): readonly DeliveryStream[] {
    return [...this.#streams.values()].sort((a, b) => (a.definition.name < b.definition.name ? -1 : 1));
  }

  get(name: string): Result<DeliveryStream> {
    const stream = this.#streams.get(name);
    return stream ? ok(stream) : refused(streamNotFound(name, this.#options.accountId));
  }

  async create(definition: DeliveryStreamDefinition): Promise<Result<DeliveryStream>> {
    if (this.#streams.has(definition.name)) {
      return refused(streamInUse(definition.name, this.#options.accountId));
    }
    const stream = await this.#add(definition);
    await this.#save();
    return ok(stream);
  }

  async remove(name: string): Promise<Result<DeliveryStream>> {
    const found = this.get(name);
    if (found.kind === 'refused') return found;
    this.#streams.delete(name);
    await this.#save();
    await found.value.destroy();
    return found;
  }

  async flush(): Promise<void> {
    await Promise.all(this.list().map((stream) => stream.flush()));
  }

  async close(graceMs: number): Promise<void> {
    await Promise.all(this.list().map((stream) => stream.close(graceMs)));
  }

  async #add(definition: DeliveryStreamDefinition): Promise<DeliveryStream> {
    const { files, putObject, clock, random, logger, buffering } = this.#options;
    const { bufferBytesMax: bytesMax, bufferIntervalMs: intervalMs } = definition.destination;
    const stream = new DeliveryStream({
      definition,
      buffering: buffering ?? { bytesMax, intervalMs },
      files: await files.buffers(definition.name),
      putObject,
      clock,
      random,
      logger,
    });
    await stream.open();
    this.#streams.set(definition.name, stream);
    return stream;
  }

  #save(): Promise<void> {
    return this.#options.files.save(this.list().map(({ definition }) => definition));
  }
}
