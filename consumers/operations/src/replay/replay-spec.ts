import { existsSync, readFileSync } from 'node:fs';
import { callerPath, isoText, readWholeNumber, refusal, usageError } from '@twinstream/command-line';
import type { DeviceId } from '@twinstream/device-model';
import type { ReplayTarget } from '@twinstream/pipeline-status';
import type { ShardId } from '@twinstream/stream-model';
import {
  EARLIEST,
  pointInTimeMs,
  readDeviceId,
  readShardId,
  withoutByteOrderMark,
} from '../command/argument-values.ts';
import { mappingIn } from '../services.ts';
import type { StreamFacts } from '../shard-reads.ts';
import { freshTableNames } from './fresh-tables.ts';

export const REPLAY_SOURCES = ['stream', 'archive', 'event-store', 'auto'] as const;
export type ReplaySourceName = (typeof REPLAY_SOURCES)[number];

/**
 * A range of time that one source covers: of each shard of stream and archive from the first record that arrived at `fromMs` or later, to
 * before the first that arrived at `toMs` or later; of the event store the events that arrived between.
 */
export interface ReplayPart {
  readonly source: Exclude<ReplaySourceName, 'auto'>;
  /** 0: from the earliest that the source has. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a replay is to do; fixed when its job is created. */
export interface ReplaySpec {
  /** Without one the replay is a dry run: it reads and counts. */
  readonly target?: ReplayTarget;
  /** A dry run that does what this target would do, to stores of its own. */
  readonly preview?: 'repair';
  /** One after the other. */
  readonly parts: readonly ReplayPart[];
  /** These alone; all where absent. */
  readonly devices?: readonly DeviceId[];
  readonly shards?: readonly ShardId[];
  /** Entries a second over all shards; absent: as fast as it goes. */
  readonly rate?: number;
  /** True leaves the live consumers at least half of each shard's reads. */
  readonly isPolite: boolean;
  readonly reason?: string;
  /** True passes over what is foreign in the archive. */
  readonly isForeignSkipped?: true;
  /** Mapping documents to decode with, separated by commas; absent: those of the projector. */
  readonly mapping?: string;
  /** Fresh tables, where they are the target. */
  readonly tables?: { readonly eventsTable: string; readonly deviceStateTable: string };
}

/** What a replay does, or would do: its target, or that of which it is a preview. */
export function effectOf({ target, preview }: ReplaySpec): ReplayTarget | undefined {
  return target ?? preview;
}

/** What the command line says of a replay. */
export interface ReplayFlags {
  readonly from?: string;
  readonly to?: string;
  readonly device?: readonly string[];
  readonly shard?: readonly string[];
  readonly source: ReplaySourceName;
  readonly into?: ReplayTarget;
  readonly rate?: string;
  readonly name?: string;
  readonly cutover?: string;
  readonly execute?: true;
  readonly reason?: string;
  readonly skipForeign?: true;
  readonly mapping?: string;
}

/** Entries a second where tables are written: a small part of what their live consumers can take. */
const DEFAULT_WRITE_RATE = 2_000;
const RATE_MAX = 10_000_000;
const DEVICES_MAX = 100_000;

/** What a spec depends on besides its flags. */
export interface SpecContext {
  /** Of the job. */
  readonly id: string;
  readonly stream: StreamFacts;
  readonly nowMs: number;
  readonly folder: string;
  readonly freshTablesPrefix: string;
}

/** A spec from flags. Throws `INVALID_USAGE`, `INVALID_TIME`, or refuses what the source does not have. */
export function readSpec(
  flags: ReplayFlags,
  { id, stream, nowMs, folder, freshTablesPrefix }: SpecContext,
): ReplaySpec {
  if (flags.from === undefined && flags.source !== 'event-store') {
    throw usageError('say where to begin: --from earliest, --from PT2H, or --from 2026-11-23T08:00:00Z');
  }
  const fromMs = flags.from === undefined ? EARLIEST : pointInTimeMs(flags.from, nowMs);
  const toMs = flags.to === undefined ? nowMs : pointInTimeMs(flags.to, nowMs);
  if (toMs <= fromMs) throw usageError('--to must be later than --from');
  if (toMs > nowMs) throw usageError('--to lies in the future');
  const parts = partsOf(flags, fromMs, toMs, stream, nowMs);
  const target = flags.into;
  checkCombination(flags, parts, fromMs);
  const devices = flags.device === undefined ? undefined : readDevices(flags.device, folder);
  const shards = flags.shard === undefined ? undefined : flags.shard.map(readShardId);
  const rate = readRate(flags);
  return {
    parts,
    isPolite: flags.rate !== 'max',
    ...(target === undefined ? {} : { target }),
    ...(devices === undefined ? {} : { devices }),
    ...(shards === undefined ? {} : { shards }),
    ...(rate === undefined ? {} : { rate }),
    ...(flags.reason === undefined ? {} : { reason: flags.reason }),
    ...(flags.skipForeign === true ? { isForeignSkipped: true } : {}),
    ...(flags.mapping === undefined ? {} : { mapping: mappingIn(folder, flags.mapping) }),
    ...(target === 'fresh'
      ? { tables: freshTableNames(freshTablesPrefix, flags.name ?? `replay-${id}`) }
      : {}),
  };
}

function partsOf(
  { source, cutover }: ReplayFlags,
  fromMs: number,
  toMs: number,
  { createdMs, retentionMs }: StreamFacts,
  nowMs: number,
): readonly ReplayPart[] {
  const oldestMs = nowMs - retentionMs;
  /** True where the stream still has everything from there on. A named time may be older than a stream that was created again. */
  const streamReaches = fromMs >= oldestMs || (fromMs === EARLIEST && createdMs > oldestMs);
  if (source === 'archive' || source === 'event-store') return [{ source, fromMs, toMs }];
  if (source === 'stream') {
    if (fromMs !== EARLIEST && !streamReaches) {
      const oldest = isoText(oldestMs);
      throw refusal(
        'BEFORE_RETENTION',
        `the stream keeps what came since ${oldest}: --source archive has what is older, --source auto joins both, --from earliest takes all that the stream has`,
      );
    }
    return [{ source, fromMs, toMs }];
  }
  if (streamReaches && cutover === undefined) return [{ source: 'stream', fromMs, toMs }];
  // Half the retention ago: long delivered to the archive, and far from being dropped by the stream.
  const cutoverMs = cutover === undefined ? nowMs - retentionMs / 2 : pointInTimeMs(cutover, nowMs);
  if (cutoverMs < oldestMs) throw usageError('--cutover is older than the retention of the stream');
  if (toMs <= cutoverMs) return [{ source: 'archive', fromMs, toMs }];
  if (fromMs >= cutoverMs) return [{ source: 'stream', fromMs, toMs }];
  return [
    { source: 'archive', fromMs, toMs: cutoverMs },
    { source: 'stream', fromMs: cutoverMs, toMs },
  ];
}

function checkCombination(flags: ReplayFlags, parts: readonly ReplayPart[], fromMs: number): void {
  const { into, execute, reason, name, shard, source, to } = flags;
  if (execute === true && into === undefined)
    throw usageError('--execute needs --into: fresh, repair or stdout');
  if (execute === true && (reason === undefined || reason === '')) {
    throw usageError('--execute needs --reason: why, for the record of the job');
  }
  if (name !== undefined && into !== 'fresh')
    throw usageError('--name is the name of fresh tables: --into fresh');
  if (name !== undefined && !/^[a-zA-Z0-9_.-]{3,200}$/.test(name)) {
    throw usageError('--name must be 3-200 of a-z A-Z 0-9 _ . -');
  }
  if (into === 'repair' && shard !== undefined) {
    throw usageError('--into repair needs every shard: pages of a device are in the order of all of them');
  }
  if (into === 'fresh' && shard !== undefined && source === 'event-store') {
    throw usageError('--source event-store copies whole chains: leave --shard out');
  }
  const isWhole = fromMs === EARLIEST && to === undefined;
  if (parts[0]?.source === 'event-store' && (into === 'fresh' || into === 'repair') && !isWhole) {
    throw usageError('--source event-store works on whole chains: leave --from and --to out');
  }
}

/** Ids, or `@file` with one on each line. */
function readDevices(given: readonly string[], folder: string): readonly DeviceId[] {
  const ids = given.flatMap((text) => {
    if (!text.startsWith('@')) return [text];
    const path = callerPath(text.slice(1), folder);
    if (!existsSync(path)) throw usageError(`--device ${text}: no such file`);
    return withoutByteOrderMark(readFileSync(path, 'utf8'))
      .split(/\r?\n/)
      .filter((line) => line !== '');
  });
  if (ids.length > DEVICES_MAX) throw usageError(`at most ${DEVICES_MAX} devices at a time`);
  return [...new Set(ids)].map(readDeviceId);
}

function readRate({ rate, into }: ReplayFlags): number | undefined {
  if (rate === undefined) return into === 'fresh' || into === 'repair' ? DEFAULT_WRITE_RATE : undefined;
  if (rate === 'max') return undefined;
  const value = readWholeNumber(rate, 1, RATE_MAX);
  if (value !== undefined) return value;
  throw usageError(`--rate ${rate}: a whole number of events a second up to ${RATE_MAX}, or max`);
}
