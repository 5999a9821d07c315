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
import {
  type DamagedChain,
  type DamageOptions,
  damageOf,
  isUnreadable,
  type MissingRun,
} from './missing-run.ts';
import { restoredPages } from './restore-pages.ts';
import type { RestoreOptions } from './restore-state.ts';
import { spillingLists } from './spilling-lists.ts';

const DEVICES_AT_ONCE = 16;

export interface SurveyOptions extends Required<DamageOptions> {
  /** Told of a device that cannot be surveyed; throws what concerns more than one device. */
  readonly onFailure: (deviceId: DeviceId, error: unknown) => void;
  /** See {@link spillingLists}. */
  readonly heldCharactersMax?: number | undefined;
}

/** Damaged chains; those that do not fit into memory are on disk. */
export interface DamagedChains {
  /** Page numbers that are missing, by device. */
  readonly missing: ReadonlyMap<DeviceId, readonly PageNumbers[]>;
  /** Throws for a device that is none of them. */
  of(deviceId: DeviceId): DamagedChain;
  close(): void;
}

/** From the first to the last of neighbours. */
export type PageNumbers = Pick<MissingRun, 'firstPage' | 'lastPage'>;

/** Every device whose chain lacks pages, or has some that cannot be read. To be closed by the caller. */
export async function damagedChains(
  stores: Stores,
  devices: readonly DeviceId[] | undefined,
  { signal, onFailure, onMisdescribed, heldCharactersMax }: SurveyOptions,
): Promise<DamagedChains> {
  const missing = new Map<DeviceId, readonly PageNumbers[]>();
  const chains = spillingLists<DeviceId, DamagedChain>(heldCharactersMax);
  const limit = pLimit({ concurrency: DEVICES_AT_ONCE, rejectOnClear: true });
  const look = async (deviceId: DeviceId): Promise<void> => {
    try {
      const damage = await damageOf(stores.eventStore, stores.latestState, deviceId, {
        signal,
        onMisdescribed,
      });
      if (damage === undefined) return;
      missing.set(
        deviceId,
        damage.runs.map(({ firstPage, lastPage }) => ({ firstPage, lastPage })),
      );
      chains.add(deviceId, damage, charactersOf(damage));
    } catch (error) {
      onFailure(deviceId, error);
    }
  };
  const lookAtAll = async () => {
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
  };
  const of = (deviceId: DeviceId) => {
    const [chain] = chains.of(deviceId);
    if (chain === undefined) throw new TypeError(`${deviceId} is not damaged`);
    return chain;
  };
  try {
    await lookAtAll();
  } catch (error) {
    chains.close();
    throw error;
  }
  return { missing, of, close: chains.close };
}

function charactersOf({ pages }: DamagedChain): number {
  let characters = 0;
  for (const { events } of pages) for (const { text } of events) characters += text.length;
  return characters;
}

export function missingPageCount({ missing }: Pick<DamagedChains, 'missing'>): number {
  let count = 0;
  for (const runs of missing.values()) {
    for (const { firstPage, lastPage } of runs) count += lastPage - firstPage + 1;
  }
  return count;
}

/** Gathers the events of damaged devices that no page holds; those that do not fit into memory are on disk. */
export interface Gathering {
  readonly target: ReplayTargetFunction;
  of(deviceId: DeviceId): readonly SourceEvent[];
  close(): void;
}

export interface GatherOptions extends Pick<DecodeOptions, 'decoder' | 'redriven' | 'isRefused'> {
  /** See {@link spillingLists}. */
  readonly heldCharactersMax?: number | undefined;
}

/** To be closed by the caller. */
export function gatherMissing(
  damaged: Pick<DamagedChains, 'of'>,
  devices: ReadonlySet<DeviceId>,
  { heldCharactersMax, ...dispositions }: GatherOptions,
): Gathering {
  const gathered = spillingLists<DeviceId, SourceEvent>(heldCharactersMax);
  const stored = new Set<string>();
  for (const deviceId of devices) {
    for (const { shardId, events } of damaged.of(deviceId).pages) {
      for (const { place } of events) stored.add(positionKey({ shardId, ...place }));
    }
  }
  return {
    of: gathered.of,
    close: gathered.close,
    target: async (batch, counts) => {
      const decoded = decodeEntries(batch, { ...dispositions, devices }, counts);
      for await (const { arrived, isRedriven } of decoded) {
        if (stored.has(positionKey({ shardId: batch.shardId, ...arrived.place }))) continue;
        const event = { shardId: batch.shardId, arrived, isRedriven };
        gathered.add(arrived.event.deviceId, event, arrived.text.length);
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
