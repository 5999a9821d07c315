import type { DeviceId, EventPage } from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { positionKey } from '@twinstream/stream-model';
import { canonicalText } from '@twinstream/verification';
import pLimit from 'p-limit';
import { allDevices } from '../../devices.ts';
import type { Stores } from '../../services.ts';
import { type DecodeOptions, decodeEntries } from '../replay-entry.ts';
import type { ReplayTargetFunction } from '../targets.ts';
import type { SourceEvent } from './candidates.ts';
import { type DamagedChain, type DamageOptions, damageOf, isUnreadable } from './missing-run.ts';
import { restoredPages } from './restore-pages.ts';
import type { RestoreOptions } from './restore-state.ts';

/** Text of events of damaged devices that is held in memory; more is refused: repair fewer devices at a time. */
const GATHERED_CHARACTERS_MAX = 512 * 1_024 * 1_024;
const DEVICES_AT_ONCE = 16;

export interface SurveyOptions extends Required<DamageOptions> {
  /** Told of a device that cannot be surveyed; throws what concerns more than one device. */
  readonly onFailure: (deviceId: DeviceId, error: unknown) => void;
}

/** Every device whose chain lacks pages, or has some that cannot be read. */
export async function damagedChains(
  stores: Stores,
  devices: readonly DeviceId[] | undefined,
  { signal, onFailure, onMisdescribed }: SurveyOptions,
): Promise<Map<DeviceId, DamagedChain>> {
  const damaged = new Map<DeviceId, DamagedChain>();
  const limit = pLimit({ concurrency: DEVICES_AT_ONCE, rejectOnClear: true });
  const look = async (deviceId: DeviceId): Promise<void> => {
    try {
      const damage = await damageOf(stores.eventStore, stores.latestState, deviceId, {
        signal,
        onMisdescribed,
      });
      if (damage !== undefined) damaged.set(deviceId, damage);
    } catch (error) {
      onFailure(deviceId, error);
    }
  };
  let pending: Promise<void>[] = [];
  for await (const deviceId of devices ?? allDevices(stores, signal)) {
    const looking = limit(look, deviceId);
    // It may fail before it is waited for.
    looking.catch(() => undefined);
    pending.push(looking);
    if (pending.length < DEVICES_AT_ONCE * 4) continue;
    await Promise.all(pending);
    pending = [];
  }
  await Promise.all(pending);
  return damaged;
}

export function missingPageCount(damaged: ReadonlyMap<DeviceId, DamagedChain>): number {
  let count = 0;
  for (const { runs } of damaged.values()) {
    for (const { firstPage, lastPage } of runs) count += lastPage - firstPage + 1;
  }
  return count;
}

/** Gathers the events of damaged devices that no page holds. */
export interface Gathering {
  readonly target: ReplayTargetFunction;
  of(deviceId: DeviceId): readonly SourceEvent[];
}

export function gatherMissing(
  damaged: ReadonlyMap<DeviceId, DamagedChain>,
  dispositions: Pick<DecodeOptions, 'decoder' | 'redriven' | 'isRefused'>,
): Gathering {
  const gathered = new Map<DeviceId, SourceEvent[]>();
  const stored = new Set<string>();
  for (const { pages } of damaged.values()) {
    for (const { shardId, events } of pages) {
      for (const { place } of events) stored.add(positionKey({ shardId, ...place }));
    }
  }
  const devices = new Set(damaged.keys());
  let characters = 0;
  return {
    of: (deviceId) => gathered.get(deviceId) ?? [],
    target: async (batch, counts) => {
      const decoded = decodeEntries(batch, { ...dispositions, devices }, counts);
      for await (const { arrived, isRedriven } of decoded) {
        if (stored.has(positionKey({ shardId: batch.shardId, ...arrived.place }))) continue;
        characters += arrived.text.length;
        if (characters > GATHERED_CHARACTERS_MAX) {
          throw new CodedError(
            'REPAIR_TOO_LARGE',
            'too much is missing to hold in memory: repair fewer devices with --device',
          );
        }
        const events = gathered.get(arrived.event.deviceId) ?? [];
        gathered.set(arrived.event.deviceId, events);
        events.push({ shardId: batch.shardId, arrived, isRedriven });
      }
    },
  };
}

/** Puts the pages of a device back. Throws `PAGES_NOT_RESTORABLE`, or `CHAIN_CHANGED` when somebody else put others meanwhile. */
export async function restoreChain(
  { eventStore }: Stores,
  damage: DamagedChain,
  events: readonly SourceEvent[],
  { limits, signal }: RestoreOptions,
): Promise<number> {
  const pages = await restoredPages(damage, events, limits);
  for (const page of pages) {
    if (isUnreadable(damage, page)) {
      if ((await eventStore.replacePage(page, signal)) === 'replaced') continue;
      throw new CodedError('CHAIN_CHANGED', `page ${page.page} of ${damage.deviceId} was changed meanwhile`);
    }
    const result = await eventStore.appendPage(page, signal);
    if (result.outcome === 'appended' || isEqual(result.existing, page)) continue;
    throw new CodedError('CHAIN_CHANGED', `page ${page.page} of ${damage.deviceId} is there by now`);
  }
  return pages.length;
}

/** It may be this very page, put by a request whose answer was lost. */
function isEqual(existing: EventPage, page: EventPage): boolean {
  return canonicalText(existing) === canonicalText(page);
}
