import { LAMBDA_DEFAULT_SETTINGS } from '@twinstream/pipeline-settings';
import { describe, expect, it } from 'vitest';
import { EventSourceMapping } from '../../src/lambda/event-source-mapping.ts';
import { type MappingDefinition, resolvedSettings } from '../../src/lambda/mapping-definition.ts';
import { mappingWorld, type WorldOptions } from './mapping-world.ts';

const SHARD = 'shardId-000000000000';

function mappingOn(options: WorldOptions = {}, changes: Partial<MappingDefinition> = {}) {
  const world = mappingWorld(options);
  const definition: MappingDefinition = {
    mappingId: 'mapping-1',
    functionName: 'function-1',
    streamArn: 'arn:stream',
    streamName: 'stream-1',
    settings: { ...LAMBDA_DEFAULT_SETTINGS, startingPosition: { type: 'TRIM_HORIZON' } },
    enabled: true,
    createdMs: world.clock.now(),
    lastModifiedMs: world.clock.now(),
    ...changes,
  };
  const mapping = new EventSourceMapping(
    definition,
    world.checkpoints,
    (current) => ({ ...world.context, settings: resolvedSettings(current) }),
    (error) => {
      throw error;
    },
  );
  world.stream.addShard(SHARD);
  return { world, mapping, definition };
}

describe('a mapping', () => {
  it('is Disabled only after the invocation under way has ended, and reads nothing from then on', async () => {
    const { world, mapping, definition } = mappingOn({ script: () => world.clock.sleep(10_000) });
    world.stream.put(SHARD, 'a', '1');
    mapping.start();
    await world.clock.runUntil(() => world.invocations.length === 1);
    mapping.update({ ...definition, enabled: false });
    expect(mapping.state).toBe('Disabling');
    await world.clock.advance(9_000);
    expect(mapping.state).toBe('Disabling');
    await world.clock.runUntil(() => mapping.state === 'Disabled', 2_000);
    expect(world.checkpoint(SHARD)).toMatchObject({ kind: 'at' });

    const reads = world.stream.readTimes.length;
    world.stream.put(SHARD, 'a', '2');
    await world.clock.advance(60_000);
    expect(world.stream.readTimes).toHaveLength(reads);
    expect(world.invocations).toHaveLength(1);

    mapping.update({ ...definition, enabled: true });
    expect(mapping.state).toBe('Enabling');
    await world.clock.runUntil(() => world.invocations.length === 2);
    expect(mapping.state).toBe('Enabled');
    expect(world.batches()).toEqual([['1'], ['2']]);
    await world.clock.advance(20_000);
    await mapping.close(0);
  });

  it('uses new settings from the next batch on, and redelivers nothing', async () => {
    const { world, mapping, definition } = mappingOn();
    for (const text of ['1', '2', '3', '4']) world.stream.put(SHARD, 'a', text);
    mapping.start();
    await world.clock.runUntil(() => world.invocations.length === 1);
    mapping.update({ ...definition, settings: { ...definition.settings, batchSize: 1 } });
    expect(mapping.state).toBe('Updating');
    await world.clock.runUntil(() => mapping.state === 'Enabled');
    for (const text of ['5', '6']) world.stream.put(SHARD, 'a', text);
    await world.clock.runUntil(() => world.invocations.length === 3);
    expect(world.batches()).toEqual([['1', '2', '3', '4'], ['5'], ['6']]);
    await world.clock.advance(1_000);
    await mapping.close(0);
  });

  it('created disabled begins nothing', async () => {
    const { world, mapping } = mappingOn({}, { enabled: false });
    world.stream.put(SHARD, 'a', '1');
    mapping.start();
    expect(mapping.state).toBe('Disabled');
    await world.clock.advance(60_000);
    expect(world.stream.readTimes).toEqual([]);
    await mapping.close(0);
  });

  it('with LATEST begins at its creation, also when it is started much later', async () => {
    const latest = { ...LAMBDA_DEFAULT_SETTINGS, startingPosition: { type: 'LATEST' } as const };
    const { world, mapping, definition } = mappingOn({}, { settings: latest, enabled: false });
    world.stream.put(SHARD, 'a', 'at creation');
    await world.clock.advance(60_000);
    world.stream.put(SHARD, 'a', 'later');
    mapping.start();
    await world.clock.advance(60_000);
    mapping.update({ ...definition, enabled: true });
    await world.clock.runUntil(() => world.invocations.length > 0);
    expect(world.batches().flat()).toEqual(['at creation', 'later']);
    await world.clock.advance(1_000);
    await mapping.close(0);
  });
});
