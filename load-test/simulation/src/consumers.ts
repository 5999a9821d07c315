import type { Random } from '@twinstream/test-kit';
import { Containers, type FunctionUnderTest } from './containers.ts';
import { engineMapping } from './engine-mapping.ts';
import type { Mapping, MappingOptions } from './mapping.ts';
import type { Scenario } from './scenario.ts';
import type { Owner, Scheduler } from './scheduler.ts';
import { SimMapping } from './sim-mapping.ts';
import type { SimRecord, SimShard, SimStream } from './sim-stream.ts';

/** A function, the containers it runs in, and the mapping that feeds it. */
export interface Consumer {
  readonly containers: Containers;
  readonly mapping: Mapping;
  readonly options: MappingOptions;
}

export interface ConsumerSurroundings {
  readonly scenario: Scenario;
  readonly stream: SimStream;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly isHostile: () => boolean;
  readonly onViolation: (error: unknown) => void;
}

/**
 * Starts a consumer of the whole stream.
 *
 * @param check throws what does not hold of a record that counts as finished from now on
 */
export function consume(
  { scenario, stream, scheduler, random, isHostile, onViolation }: ConsumerSurroundings,
  name: string,
  create: (owner: Owner) => FunctionUnderTest,
  check: (shard: SimShard, record: SimRecord) => void,
): Consumer {
  const { batchRecordsMax, parallelizationFactor, triesMax, mapping: kind } = scenario;
  const containers = new Containers(name, create, scheduler, random);
  const options: MappingOptions = {
    stream,
    containers,
    scheduler,
    random,
    batchRecordsMax,
    parallelizationFactor,
    triesMax,
    isHostile,
    onAcknowledged: (shard, record) => {
      try {
        check(shard, record);
      } catch (error) {
        onViolation(error);
      }
    },
    onFault: onViolation,
  };
  const mapping = kind === 'engine' ? engineMapping(options) : new SimMapping(options);
  return { containers, mapping, options };
}
