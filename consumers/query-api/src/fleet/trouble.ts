import {
  type Liveness,
  TROUBLES,
  type Trouble,
  type TroubleFilter,
  type TroubleJson,
} from '@twinstream/api-contract';
import { type DeviceAnnotations, isAcknowledged, NOTE } from '@twinstream/table-generation/annotations';
import { acknowledgementOf } from '../annotations/annotation-json.ts';
import type { TimelessDeviceJson } from '../device-json.ts';
import type { OpenGaps } from '../open-gaps.ts';

type TroubledDevice = Pick<TimelessDeviceJson, 'status' | 'counts' | 'lastArrivalTime'>;

/** Bits of troubles: that of the n-th is 2^n. */
const BITS = Object.fromEntries(TROUBLES.map((trouble, index) => [trouble, 1 << index])) as Record<
  Trouble,
  number
>;
const ALL_BITS = (1 << TROUBLES.length) - 1;
/** Tables by {@link troubleIndex} have so many entries. */
export const TROUBLE_INDEXES = 1 << (2 * TROUBLES.length);

/** Troubles of a device and which of them are acknowledged, as one small number. */
export function troubleIndex(isSilentNow: boolean, gaps: number, notes: number): number {
  const isMissing = gaps > 0 && (notes & NOTE.gapsAgedOut) === 0;
  const acknowledged = TROUBLES.reduce(
    (bits, trouble) => bits | (isAcknowledged(notes, trouble) ? BITS[trouble] : 0),
    0,
  );
  const troubles = (isSilentNow ? BITS.silent : 0) | (isMissing ? BITS.gaps : 0);
  return troubles | ((acknowledged & troubles) << TROUBLES.length);
}

export function hasTrouble(index: number, trouble: Trouble): boolean {
  return (index & BITS[trouble]) !== 0;
}

export function isInTrouble(index: number): boolean {
  return (index & ALL_BITS) !== 0;
}

/** Whether a device has a trouble that nobody has acknowledged. */
export function isUnacknowledged(index: number): boolean {
  return (index & ALL_BITS & ~(index >> TROUBLES.length)) !== 0;
}

/** Troubles of a device that are acknowledged. */
export function acknowledgedTroubles(index: number): Trouble[] {
  return TROUBLES.filter((trouble) => hasTrouble(index >> TROUBLES.length, trouble));
}

/** By {@link troubleIndex}, whether devices meet a filter. */
export function troubleTable(
  filter: TroubleFilter | undefined,
  acknowledged: boolean | undefined,
): boolean[] {
  const asked = filter === 'silent' || filter === 'gaps' ? BITS[filter] : ALL_BITS;
  return Array.from({ length: TROUBLE_INDEXES }, (_, index) => {
    const troubles = index & asked;
    const open = troubles & ~(index >> TROUBLES.length);
    if (filter !== undefined && (troubles !== 0) === (filter === 'none')) return false;
    if (acknowledged === undefined) return true;
    return acknowledged ? troubles !== 0 && open === 0 : open !== 0;
  });
}

/** @param notes bits of {@link NOTE} */
export function troubleIndexOf(
  { status, counts }: Pick<TroubledDevice, 'status' | 'counts'>,
  liveness: Liveness,
  notes: number,
): number {
  return troubleIndex(isSilent(status, liveness), counts.gaps, notes);
}

/** Offline without having said so. */
export function isSilent(status: TroubledDevice['status'], liveness: Liveness): boolean {
  return liveness === 'offline' && status !== 'disconnected';
}

/** What is told of the troubles of a device besides what its state says. */
export interface TroubleContext {
  readonly annotations?: DeviceAnnotations | undefined;
  /** Bits of {@link NOTE}. */
  readonly notes: number;
  /** What is known of its gaps, where that was looked for. */
  readonly gaps?: OpenGaps | undefined;
}

/** The troubles of a device with their causes. */
export function troublesJson(
  device: TroubledDevice,
  liveness: Liveness,
  { annotations, notes, gaps }: TroubleContext,
): TroubleJson[] {
  const index = troubleIndexOf(device, liveness, notes);
  return TROUBLES.filter((trouble) => hasTrouble(index, trouble)).map((trouble) => ({
    trouble,
    ...(trouble === 'silent'
      ? { cause: silentCause(device), since: device.lastArrivalTime }
      : { cause: gapsCause(device, gaps), since: gaps?.since ?? null }),
    acknowledgement: acknowledgementOf(annotations, notes, trouble),
  }));
}

function silentCause({ lastArrivalTime }: TroubledDevice): string {
  return lastArrivalTime === null
    ? 'nothing has arrived from the device itself'
    : 'nothing has arrived since, and no disconnect message before';
}

function gapsCause({ counts: { gaps: count } }: TroubledDevice, gaps: OpenGaps | undefined): string {
  const what = gaps === undefined ? `${count} counted ${count === 1 ? 'event' : 'events'}` : gaps.text;
  return `not arrived, though later events have: ${what}`;
}
