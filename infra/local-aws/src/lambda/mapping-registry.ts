import type { MappingSettings } from '@twinstream/pipeline-settings';
import type { Clock, Logger } from '@twinstream/runtime';
import { type ContextFactory, EventSourceMapping } from './event-source-mapping.ts';
import {
  conflict,
  inUse,
  invalidParameter,
  notFound,
  ok,
  type Result,
  refused,
  streamNotFound,
} from './lambda-error.ts';
import { type Account, functionNameOf, mappingIdOf, streamArn } from './lambda-names.ts';
import type { MappingDefinition } from './mapping-definition.ts';
import type { MappingFiles } from './mapping-files.ts';
import type { MappingChange, MappingCreation } from './mapping-request.ts';

/** A mapping that a pipeline wants, as its deployment would declare it. */
export interface MappingDeclaration {
  readonly functionName: string;
  readonly streamName: string;
  readonly settings: MappingSettings;
  /** Bucket for given-up batches. */
  readonly failureBucket?: string;
  /** Queue that is told of given-up batches, in place of a bucket. */
  readonly failureQueue?: string;
  /** Patterns of which one must match a record that is delivered; absent: each record is. */
  readonly filters?: readonly string[];
}

export interface RegistryOptions {
  readonly account: Account;
  readonly files: MappingFiles;
  readonly contextOf: ContextFactory;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Is there a function of that name? */
  readonly knowsFunction: (functionName: string) => boolean;
  /** Can given-up batches be told to queues? Only where an SQS is. */
  readonly hasQueues: boolean;
  /** Is there a stream of that name, as far as can be told? */
  readonly hasStream: (streamName: string) => Promise<boolean>;
}

/** All mappings, kept in files, and the changes that the API makes to them. */
export class MappingRegistry {
  readonly #options: RegistryOptions;
  readonly #mappings = new Map<string, EventSourceMapping>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /**
   * Brings back the mappings that were kept and sets up those declared. A declaration decides the settings, as a
   * deployment does; whether the mapping is enabled was decided by an operator and stays.
   */
  async open(declarations: readonly MappingDeclaration[]): Promise<void> {
    const { account, files, clock } = this.#options;
    const definitions = new Map((await files.load()).map((kept) => [kept.mappingId, kept] as const));
    for (const declaration of declarations) {
      const arn = streamArn(account, declaration.streamName);
      const mappingId = mappingIdOf(declaration.functionName, arn);
      const kept = definitions.get(mappingId);
      const nowMs = clock.now();
      definitions.set(mappingId, {
        ...declaration,
        mappingId,
        streamArn: arn,
        enabled: kept?.enabled ?? true,
        createdMs: kept?.createdMs ?? nowMs,
        lastModifiedMs: nowMs,
      });
    }
    for (const definition of definitions.values()) (await this.#add(definition)).start();
    await this.save();
  }

  /** Resolves when the mappings are kept as they are now. */
  save(): Promise<void> {
    return this.#options.files.save(this.list().map(({ definition }) => definition));
  }

  list(): readonly EventSourceMapping[] {
    return [...this.#mappings.values()].sort((a, b) =>
      a.definition.mappingId < b.definition.mappingId ? -1 : 1,
    );
  }

  get(mappingId: string): Result<EventSourceMapping> {
    const mapping = this.#mappings.get(mappingId);
    return mapping ? ok(mapping) : refused(notFound('The resource you requested does not exist.'));
  }

  async create(creation: MappingCreation): Promise<Result<EventSourceMapping>> {
    const functionName = functionNameOf(creation.functionName);
    if (!this.#options.knowsFunction(functionName)) return refused(unknownFunction(creation.functionName));
    if (!(await this.#options.hasStream(creation.streamName))) {
      return refused(streamNotFound(creation.streamArn));
    }
    if (creation.failureQueue !== undefined && !this.#options.hasQueues) return refused(noQueues());
    const mappingId = mappingIdOf(functionName, creation.streamArn);
    if (this.#mappings.has(mappingId)) {
      return refused(
        conflict(
          `The event source arn (" ${creation.streamArn} ") and function (" ${functionName} ") provided mapping ` +
            `already exists. Please update or delete the existing mapping with UUID ${mappingId}`,
        ),
      );
    }
    const nowMs = this.#options.clock.now();
    const mapping = await this.#add({
      ...creation,
      functionName,
      mappingId,
      createdMs: nowMs,
      lastModifiedMs: nowMs,
    });
    await this.save();
    return ok(mapping);
  }

  /** Begins the change. It is kept when `save` has been awaited. */
  update(mappingId: string, change: MappingChange): Result<EventSourceMapping> {
    const found = this.get(mappingId);
    if (found.kind === 'refused') return found;
    const mapping = found.value;
    if (mapping.isChanging)
      return refused(inUse(`The mapping is ${mapping.state} and cannot be updated now.`));
    const { definition } = mapping;
    const functionName = functionNameOf(change.functionName ?? definition.functionName);
    if (functionName !== definition.functionName) {
      // Its id, and so its checkpoints, follow from the function.
      return refused(invalidParameter('FunctionName: cannot be changed in the local emulator'));
    }
    if (change.failure?.failureQueue !== undefined && !this.#options.hasQueues) return refused(noQueues());
    const { failureBucket, failureQueue, filters: keptFilters = [], ...rest } = definition;
    const filters = change.filters ?? keptFilters;
    const kept = {
      ...(failureBucket === undefined ? {} : { failureBucket }),
      ...(failureQueue === undefined ? {} : { failureQueue }),
    };
    mapping.update({
      ...rest,
      ...(change.failure ?? kept),
      settings: { ...definition.settings, ...change.settings },
      ...(filters.length === 0 ? {} : { filters }),
      enabled: change.enabled ?? definition.enabled,
      lastModifiedMs: this.#options.clock.now(),
    });
    return ok(mapping);
  }

  /**
   * Begins to end the mapping; invocations under way may take `graceMs`. It is listed as Deleting until it has ended,
   * and its checkpoints are forgotten then.
   */
  remove(mappingId: string, graceMs: number): Result<EventSourceMapping> {
    const found = this.get(mappingId);
    if (found.kind === 'refused') return found;
    const mapping = found.value;
    if (mapping.isChanging) {
      return refused(inUse(`The mapping is ${mapping.state} and cannot be deleted now.`));
    }
    const { logger } = this.#options;
    this.#end(mapping, graceMs).catch((error: unknown) => {
      logger.error({ error, mappingId }, 'event source mapping not deleted');
    });
    return ok(mapping);
  }

  /** Ends all consumption; invocations under way may take `graceMs`. */
  async close(graceMs: number): Promise<void> {
    await Promise.all(this.list().map((mapping) => mapping.close(graceMs)));
  }

  async #end(mapping: EventSourceMapping, graceMs: number): Promise<void> {
    await mapping.close(graceMs);
    await this.#options.files.deleteCheckpoints(mapping.definition.mappingId);
    this.#mappings.delete(mapping.definition.mappingId);
    await this.save();
  }

  async #add(definition: MappingDefinition): Promise<EventSourceMapping> {
    const { files, contextOf, logger } = this.#options;
    const checkpoints = await files.openCheckpoints(definition.mappingId);
    const onError = (error: unknown) => logger.error({ error }, 'checkpoints cannot be written');
    const mapping = new EventSourceMapping(definition, checkpoints, contextOf, onError);
    this.#mappings.set(definition.mappingId, mapping);
    return mapping;
  }
}

function noQueues() {
  return invalidParameter(
    'DestinationConfig.OnFailure.Destination: the local emulator was started without an SQS',
  );
}

function unknownFunction(name: string) {
  return notFound(`Function not found: ${name}`);
}
