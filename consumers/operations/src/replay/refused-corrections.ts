import { type DeviceEvent, newDevice } from '@twinstream/device-model';
import { catchUp, completeReceipts } from '@twinstream/event-store';
import type { QuarantineStore } from '@twinstream/quarantine';
import { CodedError } from '@twinstream/runtime';
import type { Stores } from '../services.ts';
import type { ReplayEntry } from './replay-entry.ts';

/** Records of which an operator has discarded what lay in quarantine, by {@link recordKey}. */
export type DiscardedRecords = ReadonlySet<string>;

export function recordKey({
  shardId,
  sequenceNumber,
}: Pick<ReplayEntry, 'shardId' | 'sequenceNumber'>): string {
  return `${shardId}:${sequenceNumber}`;
}

export interface RefusedCorrectionsOptions {
  readonly quarantine: Pick<QuarantineStore, 'list' | 'read'>;
  readonly discarded: DiscardedRecords;
  /** The tables in use. */
  readonly live: Pick<Stores, 'eventStore' | 'latestState'>;
  readonly signal: AbortSignal;
}

/**
 * Whether the live projector refused this correction as ahead of its device, nobody redrove it, and no later delivery of
 * its record was accepted. Its bytes do not say so: quarantine and the live store do. Lists the hour in which it arrived,
 * so it is to be asked of corrections that name their target alone.
 */
export function refusedCorrections(
  options: RefusedCorrectionsOptions,
): (entry: ReplayEntry, event: DeviceEvent) => Promise<boolean> {
  return async (entry, event) => {
    const isNamed = await isQuarantined(options, entry);
    return isNamed && !(await isStored(options, event));
  };
}

async function isQuarantined(
  { quarantine, discarded, signal }: RefusedCorrectionsOptions,
  entry: ReplayEntry,
): Promise<boolean> {
  if (discarded.has(recordKey(entry))) return true;
  const hour = { from: entry.arrivalTime, to: entry.arrivalTime + 1, signal };
  for await (const { key, shardId, sequenceNumber } of quarantine.list(hour)) {
    if (shardId !== entry.shardId || sequenceNumber !== entry.sequenceNumber) continue;
    const record = await quarantine.read(key, signal);
    const isNamed = record?.entries.some(
      ({ subSequenceNumber, reason }) =>
        subSequenceNumber === entry.subSequenceNumber && reason === 'correction-ahead',
    );
    if (isNamed === true) return true;
  }
  return false;
}

async function isStored(
  { live: { eventStore, latestState }, signal }: RefusedCorrectionsOptions,
  { deviceId, correction }: DeviceEvent,
): Promise<boolean> {
  const isSame = ({ correctionId }: { readonly correctionId: string }) =>
    correctionId === correction?.correctionId;
  const state = await latestState.read(deviceId, { consistent: true, signal });
  if (state?.receipts.corrections.some(isSame) === true) return true;
  try {
    // Receipts alone are asked for, so that a snapshot without values serves too.
    const { state: head } = await catchUp(eventStore, state ?? newDevice(deviceId), {
      valuesOmitted: true,
      signal,
    });
    return (await completeReceipts(eventStore, head, signal)).corrections.some(isSame);
  } catch (error) {
    // What is missing of a damaged chain cannot be asked; its state item was.
    if (error instanceof CodedError && error.code === 'CHAIN_BROKEN') return false;
    throw error;
  }
}
