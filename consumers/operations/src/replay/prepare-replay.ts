import { refusal } from '@twinstream/command-line';
import { parseDurationMs } from '@twinstream/runtime';
import type { CommandContext } from '../command/command-context.ts';
import { notStoredAmong, unknownDevices } from '../history/known-device.ts';
import { existingTables } from './fresh-tables.ts';
import { makePlan } from './make-plan.ts';
import { type ReplayFlags, readSpec } from './read-spec.ts';
import type { ReplayPlan } from './replay-plan.ts';
import { mappingOf, sourceOf } from './replay-services.ts';
import type { ReplaySpec } from './replay-spec.ts';
import { readResolved } from './run-replay.ts';
import { checkSource, devicesInSource, type LookAhead } from './sources/look-ahead.ts';
import { streamFacts } from './stream-facts.ts';

/** Timeout of the projector's function, as the stacks have it. */
export const FUNCTION_TIMEOUT = '60s';

/** The spec and the plan of it. Refuses devices that are not known. */
export async function prepare(
  context: CommandContext,
  flags: ReplayFlags & { readonly functionTimeout?: string },
  id: string,
): Promise<{ readonly spec: ReplaySpec; readonly plan: ReplayPlan }> {
  const { services, host } = context;
  const stream = await streamFacts(services, host.stop);
  const spec = readSpec(flags, id, stream, services.clock.now(), host.folder);
  if (spec.tables !== undefined) {
    const found = await existingTables(services.dynamoDb, spec.tables, host.stop);
    if (found.length > 0)
      throw refusal('TARGET_EXISTS', `${found.join(' and ')} exists: choose another --name`);
  }
  await refuseUnknownDevices(context, spec);
  await refuseUnknownProgress(context, spec);
  return {
    spec,
    plan: await makePlan(
      services,
      spec,
      parseDurationMs(flags.functionTimeout ?? FUNCTION_TIMEOUT),
      host.stop,
    ),
  };
}

/**
 * A repair appends up to shard progress, which nobody knows where a shard has more than one lane: looking for the mapping
 * refuses that.
 */
export async function refuseUnknownProgress(
  { services, host }: CommandContext,
  { target, parts }: ReplaySpec,
): Promise<void> {
  const appends = target === 'repair' && parts.some(({ source }) => source !== 'event-store');
  if (appends) await mappingOf(services, 0, host.stop);
}

/**
 * A device is unknown when nothing of it is stored, nor in the source: one that was deleted whole comes back from there. The
 * source is read only where nothing is stored of one of them.
 */
async function refuseUnknownDevices(context: CommandContext, spec: ReplaySpec): Promise<void> {
  const { services, host } = context;
  const { stop: signal } = host;
  const stores = services.stores(await services.generation(signal));
  const notStored = await notStoredAmong(stores, spec.devices ?? [], signal);
  if (notStored.length === 0) return;
  const { redriven } = await readResolved(services, signal);
  const inSource = await devicesInSource(lookAhead(context, spec), notStored, redriven);
  const unknown = notStored.filter((deviceId) => !inSource.has(deviceId));
  if (unknown.length > 0) throw unknownDevices(unknown, 'nor is anything in this window of the source');
}

/** Refuses an archive with foreign parts before anything is written, unless they are to be passed over. */
export async function refuseForeignParts(context: CommandContext, spec: ReplaySpec): Promise<void> {
  if (spec.isForeignSkipped !== true) await checkSource(lookAhead(context, spec));
}

function lookAhead({ services, host }: CommandContext, spec: ReplaySpec): LookAhead {
  return { spec, sourceOf: (source) => sourceOf(services, spec, source), signal: host.stop };
}
