import { parseDurationMs } from '@twinstream/runtime';
import type { CommandContext } from '../command/command-context.ts';
import { refusal } from '../command/refusal.ts';
import { refuseUnknown } from '../history/known-device.ts';
import { existingTables } from './fresh-tables.ts';
import { makePlan, type ReplayPlan } from './make-plan.ts';
import { type ReplayFlags, readSpec } from './read-spec.ts';
import { mappingOf } from './replay-services.ts';
import type { ReplaySpec } from './replay-spec.ts';
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

/** Devices are unknown when nothing of them is stored; a rebuild from nothing is asked for without --device. */
async function refuseUnknownDevices(
  { services, host }: CommandContext,
  { devices = [] }: ReplaySpec,
): Promise<void> {
  await refuseUnknown(services.stores(await services.generation(host.stop)), devices, host.stop);
}
