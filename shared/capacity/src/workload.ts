import { ASSUMPTIONS } from './assumptions.ts';
import type { Arrivals } from './event-counts.ts';
import { LAMBDA_FLEET_DEVICES_MAX } from './fleet-service.ts';
import { stateBytesOf } from './state-size.ts';
import { streamReaders } from './stream-readers.ts';

/** What is to be carried. */
export interface Workload {
  readonly deviceCount: number;
  /** Events of one device in a second: 0.1 is one every ten seconds. */
  readonly eventsPerSecondPerDevice: number;
  /** One event as it is put, its line end included. */
  readonly eventBytes: number;
  /** Several events to a Kinesis record (KPL format). Default: false. */
  readonly isAggregated?: boolean;
  /** On the device's clock, or independently of each other. Default: `regular`, which promises fewer events a page. */
  readonly arrivals?: Arrivals;
  /** Item of one device in the table of states. Default: that of a device whose reports all name the same attributes. */
  readonly stateBytes?: number;
  /** Window of the mapping. Default: 1. Longer windows gather more events of a device to a page, and make state older. */
  readonly windowSeconds?: number;
  /** Linger of the producers, with which their records fill. Default: 0.05, theirs. */
  readonly lingerSeconds?: number;
  /** Processes that put: each fills records of its own. Default: one for 20,000 events a second. */
  readonly producerCount?: number;
  /** Share of a shard that is used at the mean rate, so that peaks fit. Default: 0.6. */
  readonly shardUse?: number;
  /** Readers that share what a shard gives out. Default: {@link streamReaders}, with the long-lived API where only it answers for the fleet. */
  readonly readerCount?: number;
}

export type CompleteWorkload = Required<Workload>;

/** Bounds of a workload's numbers, both included. */
export const WORKLOAD_LIMITS = {
  deviceCount: { min: 1, max: 1e9 },
  eventsPerSecondPerDevice: { min: 1e-6, max: 1e4 },
  /** 256 KiB: the limit of a device event. */
  eventBytes: { min: 1, max: 256 * 1024 },
  /** 400 KB: the limit of an item. */
  stateBytes: { min: 1, max: 400_000 },
  /** Of a mapping: CreateEventSourceMapping, API reference, read 2026-11. */
  windowSeconds: { min: 0, max: 300 },
  /** Below its deadline of 300 s. */
  lingerSeconds: { min: 0, max: 60 },
  producerCount: { min: 1, max: 1e6 },
  shardUse: { min: 0.01, max: 1 },
  readerCount: { min: 1, max: 100 },
} as const;

/** Fills in defaults. Throws RangeError naming every member that is outside its bounds. */
export function completeWorkload(workload: Workload): CompleteWorkload {
  const complete: CompleteWorkload = {
    isAggregated: false,
    arrivals: 'regular',
    stateBytes: Math.min(WORKLOAD_LIMITS.stateBytes.max, stateBytesOf(workload.eventBytes)),
    windowSeconds: 1,
    lingerSeconds: ASSUMPTIONS.lingerSeconds,
    producerCount: Math.max(
      1,
      Math.ceil((workload.deviceCount * workload.eventsPerSecondPerDevice) / ASSUMPTIONS.eventsPerProducer),
    ),
    shardUse: 0.6,
    readerCount: streamReaders(workload.deviceCount > LAMBDA_FLEET_DEVICES_MAX),
    ...workload,
  };
  const faults: string[] = [];
  const check = (name: keyof typeof WORKLOAD_LIMITS): void => {
    const { min, max } = WORKLOAD_LIMITS[name];
    const value = complete[name];
    if (!(value >= min && value <= max)) faults.push(`${name} must be from ${min} to ${max}`);
  };
  check('deviceCount');
  check('eventsPerSecondPerDevice');
  check('eventBytes');
  check('stateBytes');
  check('windowSeconds');
  check('lingerSeconds');
  check('producerCount');
  check('shardUse');
  check('readerCount');
  if (!Number.isInteger(complete.deviceCount)) faults.push('deviceCount must be whole');
  if (!Number.isInteger(complete.producerCount)) faults.push('producerCount must be whole');
  if (faults.length > 0) throw new RangeError(`no such workload: ${faults.join('; ')}`);
  return complete;
}
