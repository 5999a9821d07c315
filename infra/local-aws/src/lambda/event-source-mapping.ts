import type { CheckpointStore } from './checkpoint.ts';
import { consumeStream } from './consume-stream.ts';
import type { MappingDefinition } from './mapping-definition.ts';
import { type MappingMetrics, mappingMetrics } from './mapping-metrics.ts';
import type { MappingContext } from './shard-consumer.ts';

/** States of a mapping: EventSourceMappingConfiguration, Lambda API reference, read 2026-11. */
export type MappingState =
  | 'Creating'
  | 'Enabling'
  | 'Enabled'
  | 'Disabling'
  | 'Disabled'
  | 'Updating'
  | 'Deleting';

/** Makes what the consumers of a mapping need from its definition. */
export type ContextFactory = (
  definition: MappingDefinition,
  checkpoints: CheckpointStore,
  metrics: MappingMetrics,
) => MappingContext;

interface Run {
  readonly stop: AbortController;
  readonly cut: AbortController;
  readonly done: Promise<void>;
}

/** One mapping while it exists: it consumes its stream whenever it is enabled. */
export class EventSourceMapping {
  readonly metrics: MappingMetrics = mappingMetrics();
  #definition: MappingDefinition;
  #state: MappingState = 'Creating';
  #run: Run | undefined;
  #change: Promise<void> = Promise.resolve();
  readonly #checkpoints: CheckpointStore;
  readonly #contextOf: ContextFactory;
  readonly #onError: (error: unknown) => void;

  constructor(
    definition: MappingDefinition,
    checkpoints: CheckpointStore,
    contextOf: ContextFactory,
    onError: (error: unknown) => void,
  ) {
    this.#definition = definition;
    this.#checkpoints = checkpoints;
    this.#contextOf = contextOf;
    this.#onError = onError;
  }

  get definition(): MappingDefinition {
    return this.#definition;
  }

  get state(): MappingState {
    return this.#state;
  }

  /** True while a change is under way: no other may begin. */
  get isChanging(): boolean {
    return this.#state !== 'Enabled' && this.#state !== 'Disabled';
  }

  /** Begins to consume if it is enabled. */
  start(): void {
    this.#begin();
  }

  /**
   * Takes a new definition: invocations under way end with the old one, then consumption goes on with the new one, or
   * rests. The state shows the change until it is complete; `settled` waits for that.
   */
  update(definition: MappingDefinition): void {
    const was = this.#definition;
    this.#definition = definition;
    if (definition.enabled && !was.enabled) this.#state = 'Enabling';
    else if (!definition.enabled && was.enabled) this.#state = 'Disabling';
    else this.#state = 'Updating';
    // Checkpoints that cannot be written now are written with the next ones.
    this.#change = this.#rest()
      .catch(this.#onError)
      .then(() => this.#begin());
  }

  /** Resolves when no change is under way. */
  settled(): Promise<void> {
    return this.#change;
  }

  /**
   * Ends consumption: invocations under way may take `graceMs`, then they are cut off (and their records delivered again
   * after a restart). Checkpoints are durable afterwards.
   */
  async close(graceMs: number): Promise<void> {
    this.#state = 'Deleting';
    await this.#change;
    const cut = this.#run?.cut;
    const timer = setTimeout(() => cut?.abort(), graceMs);
    await this.#rest();
    clearTimeout(timer);
  }

  #begin(): void {
    if (this.#state === 'Deleting') return;
    if (!this.#definition.enabled) {
      this.#state = 'Disabled';
      return;
    }
    const stop = new AbortController();
    const cut = new AbortController();
    const context = this.#contextOf(this.#definition, this.#checkpoints, this.metrics);
    const done = consumeStream(context, { stop: stop.signal, cut: cut.signal });
    this.#run = { stop, cut, done };
    this.#state = 'Enabled';
  }

  async #rest(): Promise<void> {
    this.#run?.stop.abort();
    await this.#run?.done;
    this.#run = undefined;
    await this.#checkpoints.flush();
  }
}
