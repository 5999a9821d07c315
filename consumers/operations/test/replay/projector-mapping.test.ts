import {
  GetEventSourceMappingCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { describe, expect, test } from 'vitest';
import { projectorMapping } from '../../src/replay/projector-mapping.ts';

const signal = new AbortController().signal;
const FUNCTION_TIMEOUT_MS = 60_000;

/** A mapping that takes so many polls to come to rest. */
function mappingOver({ polls = 2, factor = 1 } = {}) {
  const steps: string[] = [];
  let [state, wanted, left, now] = ['Enabled', 'Enabled', 0, 0];
  const EventSourceArn = 'arn:aws:kinesis:eu-central-1:123456789012:stream/device-events';
  const send = async (command: unknown) => {
    if (command instanceof ListEventSourceMappingsCommand) {
      return { EventSourceMappings: [{ UUID: 'one', EventSourceArn, ParallelizationFactor: factor }] };
    }
    if (command instanceof UpdateEventSourceMappingCommand) {
      wanted = command.input.Enabled === true ? 'Enabled' : 'Disabled';
      [state, left] = [wanted === 'Enabled' ? 'Enabling' : 'Disabling', polls];
    } else if (command instanceof GetEventSourceMappingCommand) {
      if (left === 0) state = wanted;
      left -= 1;
    }
    steps.push(state);
    return { UUID: 'one', State: state };
  };
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
      steps.push(`${ms} ms`);
    },
  };
  const open = () =>
    projectorMapping(
      {
        client: { send } as unknown as LambdaClient,
        functionName: 'state-projector',
        streamName: 'device-events',
        clock,
        onWait: () => undefined,
        functionTimeoutMs: FUNCTION_TIMEOUT_MS,
      },
      signal,
    );
  return { steps, open };
}

describe('a pause of the live projector', () => {
  test('ends when the mapping is disabled and its last invocation cannot write any more', async () => {
    const { steps, open } = mappingOver();
    await (await open()).pause(signal);
    expect(steps).toEqual([
      ...['Disabling', 'Disabling', '500 ms', 'Disabling', '500 ms', 'Disabled'],
      `${FUNCTION_TIMEOUT_MS} ms`,
    ]);
  });

  test('is refused where nobody knows up to where a shard is finished', async () => {
    await expect(mappingOver({ factor: 2 }).open()).rejects.toMatchObject({ code: 'PARALLELIZATION_FACTOR' });
  });

  test('gives up a mapping that does not come to rest', async () => {
    const { open } = mappingOver({ polls: Number.POSITIVE_INFINITY });
    const mapping = await open();
    await expect(mapping.pause(signal)).rejects.toMatchObject({ code: 'MAPPING_STUCK', retryable: true });
  });

  test('is over when the mapping is enabled, and a step that requires the pause is refused', async () => {
    const { steps, open } = mappingOver({ polls: 0 });
    const mapping = await open();
    await mapping.pause(signal);
    await expect(mapping.requirePaused(signal)).resolves.toBeUndefined();
    await mapping.resume(signal);
    expect(steps.at(-1)).toBe('Enabled');
    await expect(mapping.requirePaused(signal)).rejects.toMatchObject({ code: 'PROJECTOR_RESUMED' });
  });
});
