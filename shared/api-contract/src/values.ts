/**
 * The words and bounds of the contract that a client needs when it runs. This file imports no code, so that a browser loads
 * no schema with it.
 */
import type { LABELS as MODEL_LABELS } from '@twinstream/device-model';

/** What a device says of its connection. */
export const CONNECTION_STATUSES = ['connected', 'disconnected', 'unknown'] as const;
export type ConnectionStatus = (typeof CONNECTION_STATUSES)[number];

/**
 * What is inferred from when a device was last heard, as far as its shard has been processed. `unknown`: silent for too long by
 * the clock, while its events may wait in a pipeline that lags.
 */
export const LIVENESS = ['online', 'unknown', 'stale', 'offline'] as const;
export type Liveness = (typeof LIVENESS)[number];

/** Labels of a device, in the order of their columns: those of the device model. */
export const LABELS = ['site', 'type', 'firmware'] as const satisfies typeof MODEL_LABELS;

/**
 * Why a device needs somebody's attention. `silent`: it went offline without having said so. `gaps`: events that it
 * counted have never arrived.
 */
export const TROUBLES = ['silent', 'gaps'] as const;
export type Trouble = (typeof TROUBLES)[number];

/** What a filter may ask for: one of them, any, or none at all. */
export const TROUBLE_FILTERS = ['any', 'none', ...TROUBLES] as const;
export type TroubleFilter = (typeof TROUBLE_FILTERS)[number];

/** Whether devices that were retired are among the devices: they alone, not at all (the default), or beside the others. */
export const RETIRED_FILTERS = ['true', 'false', 'any'] as const;
export type RetiredFilter = (typeof RETIRED_FILTERS)[number];

/**
 * The two meanings of a past state. `arrival`, as of arrival (system time): what was stored by then. `event-time`, as of
 * event time (valid time): what was true then by the clock of the device, whenever it arrived. They differ where events
 * come late.
 */
export const BASES = ['arrival', 'event-time'] as const;
export type Basis = (typeof BASES)[number];

/** What a list of devices is sorted by. */
export const SORT_NAMES = [
  'deviceId',
  'status',
  'liveness',
  'site',
  'type',
  'firmware',
  'lastArrivalTime',
  'lastEventTime',
  'events',
  'duplicates',
  'late',
  'gaps',
] as const;
export type SortName = (typeof SORT_NAMES)[number];

export const ORDERS = ['asc', 'desc'] as const;
export type Order = (typeof ORDERS)[number];

/** Where a replay writes: `none` in a dry run, `fresh` tables, `repair` in place, `stdout`. */
export const REPLAY_TARGETS = ['none', 'fresh', 'repair', 'stdout'] as const;
export type ReplayTarget = (typeof REPLAY_TARGETS)[number];

/** Most items of one answer. */
export const LIMIT_MAX = 1_000;

/** Devices whose histories one request reads for the fleet at a past moment. */
export const PAST_DEVICES_MAX = 100;

/** Longest value of a text filter, in characters. */
export const TEXT_CHARACTERS_MAX = 256;

/**
 * The outcome of one entry of a redriven record. `stored`: appended. `already-stored`: its identity is there. `would-store`: in a
 * preview. `unrepaired`: the request has no event for it. `still-invalid`: it is an invalid record, still. `not-finished`: the
 * projector has not finished the record yet. `ignored`: the mapping makes no event of it, on purpose.
 */
export const REDRIVE_OUTCOMES = [
  'stored',
  'already-stored',
  'would-store',
  'unrepaired',
  'transform-failed',
  'still-invalid',
  'not-finished',
  'ignored',
] as const;
export type RedriveOutcome = (typeof REDRIVE_OUTCOMES)[number];
