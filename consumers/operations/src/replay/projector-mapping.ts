import {
  type EventSourceMappingConfiguration,
  GetEventSourceMappingCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { durationText, refusal } from '@twinstream/command-line';
import { type Clock, CodedError } from '@twinstream/runtime';

/** The event source mapping that feeds the live projector. */
export interface ProjectorMapping {
  /** Stops the deliveries, and waits out what may still run: after it no invocation writes any more. */
  pause(signal: AbortSignal): Promise<void>;
  /** Throws `PROJECTOR_RESUMED` where somebody has started the deliveries again since. */
  requirePaused(signal: AbortSignal): Promise<void>;
  resume(signal: AbortSignal): Promise<void>;
}

export interface ProjectorMappingOptions {
  readonly client: LambdaClient;
  readonly functionName: string;
  readonly streamName: string;
  readonly clock: Clock;
  /** The function's timeout, in milliseconds: an invocation that was given up may write for so long. */
  readonly functionTimeoutMs: number;
  /** Told what is waited for. */
  readonly onWait: (what: string) => void;
}

const POLL_MS = 500;
/** A mapping that is being disabled finishes its invocations first. */
const TRANSITION_MS_MAX = 20 * 60_000;

/**
 * Throws `MAPPING_NOT_FOUND` where no mapping feeds the function from the stream, and refuses
 * (`PARALLELIZATION_FACTOR`) one with more than one concurrent batch per shard: the checkpoint of the shard is not known then.
 */
export async function projectorMapping(
  options: ProjectorMappingOptions,
  signal: AbortSignal,
): Promise<ProjectorMapping> {
  const { client, clock, functionTimeoutMs, onWait } = options;
  const { UUID, ParallelizationFactor = 1 } = await requireMapping(options, signal);
  if (ParallelizationFactor > 1) {
    const why = 'above 1 the checkpoint of a shard is unknown';
    throw refusal(
      'PARALLELIZATION_FACTOR',
      `the mapping has a parallelization factor of ${ParallelizationFactor}; ${why}. Set it to 1 first`,
    );
  }
  return {
    pause: async (abort) => {
      await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }), {
        abortSignal: abort,
      });
      onWait('the mapping of the projector, which finishes what is under way before it is disabled');
      await reach(client, clock, UUID, 'Disabled', abort);
      onWait(
        `${durationText(functionTimeoutMs)}, the function's timeout, for invocations that may still write`,
      );
      await clock.sleep(functionTimeoutMs, abort);
    },
    requirePaused: async (abort) => {
      const { State } = await client.send(new GetEventSourceMappingCommand({ UUID }), { abortSignal: abort });
      if (State === 'Disabled') return;
      throw new CodedError('PROJECTOR_RESUMED', `the mapping is ${State}, and has to be Disabled`, {
        retryable: true,
      });
    },
    resume: async (abort) => {
      await client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }), { abortSignal: abort });
      onWait('the mapping of the projector, which is being enabled');
      await reach(client, clock, UUID, 'Enabled', abort);
    },
  };
}

type MappingQuery = Pick<ProjectorMappingOptions, 'client' | 'functionName' | 'streamName'>;

/** The mapping that feeds a function from a stream; undefined where there is none. */
export async function findMapping(
  { client, functionName, streamName }: MappingQuery,
  signal: AbortSignal,
): Promise<EventSourceMappingConfiguration | undefined> {
  const command = new ListEventSourceMappingsCommand({ FunctionName: functionName });
  const { EventSourceMappings = [] } = await client.send(command, { abortSignal: signal });
  return EventSourceMappings.find(({ EventSourceArn }) => EventSourceArn?.endsWith(`:stream/${streamName}`));
}

async function requireMapping(
  query: MappingQuery,
  signal: AbortSignal,
): Promise<EventSourceMappingConfiguration & { readonly UUID: string }> {
  const mapping = await findMapping(query, signal);
  if (mapping?.UUID !== undefined) return { ...mapping, UUID: mapping.UUID };
  const { functionName, streamName } = query;
  throw refusal(
    'MAPPING_NOT_FOUND',
    `no event source mapping feeds ${functionName} from ${streamName}: set TWINSTREAM_PROJECTOR_FUNCTION`,
  );
}

async function reach(
  client: LambdaClient,
  clock: Clock,
  UUID: string,
  wanted: 'Disabled' | 'Enabled',
  signal: AbortSignal,
): Promise<void> {
  for (const giveUpMs = clock.now() + TRANSITION_MS_MAX; clock.now() < giveUpMs; ) {
    const { State } = await client.send(new GetEventSourceMappingCommand({ UUID }), { abortSignal: signal });
    if (State === wanted) return;
    await clock.sleep(POLL_MS, signal);
  }
  throw new CodedError('MAPPING_STUCK', `the mapping ${UUID} does not become ${wanted}`, { retryable: true });
}
