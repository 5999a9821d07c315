import { refusal } from '@twinstream/command-line';
import type { DeviceId } from '@twinstream/device-model';
import type { TableNames } from '@twinstream/table-generation';
import { allDevices, DEVICES_AT_ONCE, forEachDevice } from '../../devices.ts';
import type { Stores } from '../../services.ts';
import type { StreamFacts } from '../../shard-reads.ts';
import { type ReplayJob, totalOf } from '../replay-job.ts';
import type { ReplayServices } from '../replay-run.ts';
import { thisProcess } from '../run-replay.ts';
import { type CarryOver, createCarryOver } from './carry-over.ts';
import { catchUpFromStream } from './stream-catch-up.ts';

export interface PromotionServices extends ReplayServices {
  /** The tables of the job. */
  readonly fresh: Stores;
  /** Names of `stores`, the tables whose place they take. */
  readonly replaced: TableNames;
  /** True where a promotion before was killed after its switch: the tables of the job are in use, and the rest is left. */
  readonly isSwitched: boolean;
  readonly stream: StreamFacts;
}

/** What a promotion added to the fresh tables. */
export interface PromotionCounts {
  /** Events read from stream and archive since the replay ended, those among them that were stored already included. */
  readonly caughtUpEvents: number;
  /** Events that came from the tables in use: further pages of a copy, what was redriven or repaired, what no source has. */
  readonly carriedEvents: number;
}

/** Devices that a refusal names; the rest is counted. */
const DEVICES_NAMED_MAX = 20;
/** Time for what is left to do after the switch, which must not be interrupted; but it must end. */
const SETTLE_MS = 10 * 60_000;

/**
 * Puts the tables of a finished replay into use, and loses nothing that is stored in those before:
 *
 * 1. beside the live projector: reads what the stream got since the replay, and carries over what only the tables in use
 *    hold (the further pages of a copy; otherwise what was redriven or repaired);
 * 2. with the live projector stopped: the same for what has come since, up to the checkpoints of the shards;
 * 3. compares every device: its count of events, its high-water marks and its receipts must cover those in use. What no
 *    source gave is taken from the chain in use. Throws `NOT_COVERED`, and names devices, where that is not enough;
 * 4. switches, and carries over what an operator's command had put into the old tables before it heard of the switch.
 *
 * Throws `NOT_CAUGHT_UP` where events of the stream cannot be stored. The tables in use stay what they were then. It may
 * be repeated however it ended.
 */
export async function promoteTables(
  services: PromotionServices,
  job: ReplayJob,
  signal: AbortSignal,
): Promise<PromotionCounts> {
  const { jobs, whilePaused, replaced, isSwitched, newRunner = thisProcess } = services;
  const { tables } = job.spec;
  if (tables === undefined) throw new TypeError('a job that is promoted has tables');
  const previous = job.runner;
  job.runner = newRunner();
  await jobs.takeOver(job, previous, signal);
  job.replaces = replaced;
  const isCopy = job.spec.parts.at(-1)?.source === 'event-store';
  const carryOver = createCarryOver({ ...services, isCopy, heldFromMs: heldFromMs(job, services.stream) });
  let caughtUpEvents = 0;
  let reached = job;
  const bringUp = async (isPolite: boolean) => {
    if (!isCopy) {
      reached = await catchUpFromStream(services, reached, services.stream, { isPolite, signal });
      refuseFailures(job, reached);
      caughtUpEvents += totalOf(reached.ledger).read;
    }
    await eachDevice(services, signal, (deviceId) => carryOver.visit(deviceId, signal));
  };
  const settle = async () => {
    const patience = AbortSignal.timeout(SETTLE_MS);
    await eachDevice(services, patience, (deviceId) => carryOver.visitAgain(deviceId, patience));
  };
  if (!isSwitched) await bringUp(true);
  const { host, pid } = job.runner;
  job.pause = { purpose: 'promotion', since: services.clock.now(), host, pid };
  // Before the projector stops, so that a kill leaves word of it.
  await save(services, job);
  await whilePaused(
    async () => {
      if (isSwitched) return;
      await bringUp(false);
      await requireCovered(services, job, carryOver, signal);
      await save(services, job);
    },
    { tables, settle },
  );
  delete job.pause;
  job.promotedTime = services.clock.now();
  await save(services, job);
  return { caughtUpEvents, carriedEvents: carryOver.eventCount };
}

function refuseFailures({ id }: ReplayJob, { failures, failureCount }: ReplayJob): void {
  if (failureCount === 0) return;
  const named = failures.slice(0, DEVICES_NAMED_MAX).map(({ subject, detail }) => `${subject}: ${detail}`);
  throw refusal(
    'NOT_CAUGHT_UP',
    `the tables of job ${id} could not be brought up to date; those in use stay. ${list(named, failureCount)}`,
  );
}

async function requireCovered(
  services: PromotionServices,
  { id }: ReplayJob,
  carryOver: CarryOver,
  signal: AbortSignal,
): Promise<void> {
  const named: string[] = [];
  let count = 0;
  await eachDevice(services, signal, async (deviceId) => {
    const lack = await carryOver.lack(deviceId, signal);
    if (lack === undefined) return;
    count += 1;
    if (named.length < DEVICES_NAMED_MAX) named.push(`${deviceId}: ${lack}`);
  });
  if (count === 0) return;
  throw refusal(
    'NOT_COVERED',
    `the tables of job ${id} lack what those in use hold; those in use stay. ${list(named.sort(), count)}`,
  );
}

function list(named: readonly string[], count: number): string {
  const more = count - named.length;
  return `${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function eachDevice(
  { stores }: PromotionServices,
  signal: AbortSignal,
  work: (deviceId: DeviceId) => Promise<void>,
): Promise<void> {
  return forEachDevice(allDevices(stores, signal), DEVICES_AT_ONCE, signal, work);
}

async function save({ jobs, clock }: PromotionServices, job: ReplayJob): Promise<void> {
  job.updatedTime = clock.now();
  job.saves = (job.saves ?? 0) + 1;
  await jobs.save(job);
}

/**
 * The arrival before which the fresh tables of a job hold nothing, or not all, milliseconds since 1970; 0 where they
 * hold everything that their source had. `--from earliest` of a stream that is older than its retention is such a window,
 * too: it begins where the stream began when the job was created.
 */
export function heldFromMs(
  { spec, createdTime }: Pick<ReplayJob, 'spec' | 'createdTime'>,
  stream: StreamFacts,
): number {
  const [first] = spec.parts;
  if (first === undefined || first.source === 'event-store') return 0;
  if (first.source === 'archive' || first.fromMs > 0) return first.fromMs;
  const oldestMs = createdTime - stream.retentionMs;
  return stream.createdMs > oldestMs ? 0 : oldestMs;
}
