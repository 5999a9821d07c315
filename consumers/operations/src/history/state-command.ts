import {
  counted,
  EXIT_CODES,
  type ExitCode,
  isoText,
  type OutputFormat,
  outputOption,
  refusal,
  tableText,
  usageError,
} from '@twinstream/command-line';
import { type DeviceId, formatVersion, presentAttributes } from '@twinstream/device-model';
import {
  asOfTime,
  type DescribedState,
  readHistory,
  type StateAtBasis,
  stateAt,
} from '@twinstream/event-store';
import { type Command, Option } from 'commander';
import { pointInTimeMs, readDeviceId } from '../command/argument-values.ts';
import {
  addCommand,
  type CommandContext,
  type RunCommand,
  write,
  writeDocument,
} from '../command/command-context.ts';
import { storedOf } from '../devices.ts';
import type { Stores } from '../services.ts';
import { versionText } from './version-text.ts';

interface StateFlags {
  readonly at?: string;
  readonly basis: StateAtBasis;
  readonly diff?: string;
  readonly output: OutputFormat;
}

export function addState(program: Command, run: RunCommand): void {
  addCommand(
    program,
    'state <device>',
    'The state of one device: now, at a time, or what changed between two.',
    [
      'state bus-2619',
      'state bus-2619 --at 2026-11-23T08:00:00Z',
      'state bus-2619 --at PT2H --basis event-time    (what was true then)',
      'state bus-2619 --at PT2H --diff PT1H',
    ],
  )
    .option(
      '--at <time>',
      'ISO 8601 with offset, or that long ago (PT2H), not in the future; default: the latest state',
    )
    .addOption(
      new Option(
        '--basis <basis>',
        'as of arrival: what was stored by then; as of event-time: what was true then',
      )
        .choices(['arrival', 'event-time'])
        .default('arrival'),
    )
    .option('--diff <time>', 'what changed from --at to this time, which is not earlier')
    .addOption(outputOption())
    .action((device: string, flags: StateFlags) => run((context) => showState(context, device, flags)));
}

async function showState(context: CommandContext, device: string, flags: StateFlags): Promise<ExitCode> {
  const { host, services } = context;
  const deviceId = readDeviceId(device);
  const stores = services.stores(await services.generation(host.stop));
  const now = services.clock.now();
  if (flags.diff !== undefined) {
    if (flags.at === undefined)
      throw usageError('--diff needs --at: the time from which on changes are shown');
    if (pointInTimeMs(flags.diff, now) < pointInTimeMs(flags.at, now))
      throw usageError('--diff must not be earlier than --at: changes are shown from --at to --diff');
    const before = await stateOf(stores, deviceId, { ...flags, at: flags.at }, now, host.stop);
    const after = await stateOf(stores, deviceId, { ...flags, at: flags.diff }, now, host.stop);
    if (!isKnown(before) && !isKnown(after)) await refuseWithoutState(stores, deviceId, flags.at, host.stop);
    return showChanges(context, deviceId, before, after, flags);
  }
  const state = await stateOf(stores, deviceId, flags, now, host.stop);
  if (!isKnown(state)) return await refuseWithoutState(stores, deviceId, flags.at, host.stop);
  if (flags.output !== 'table') writeDocument(context, flags.output, stateDocument(state));
  else write(context, stateText(state));
  return EXIT_CODES.success;
}

function isKnown(state: DescribedState | undefined): state is DescribedState {
  return state !== undefined && state.counts.events + state.counts.duplicates > 0;
}

/** Reports why there is no state to show. */
async function refuseWithoutState(
  stores: Stores,
  deviceId: DeviceId,
  at: string | undefined,
  signal: AbortSignal,
): Promise<never> {
  if ((await storedOf(stores, deviceId, signal)) === 'nothing') {
    throw refusal('UNKNOWN_DEVICE', `no events are stored of ${deviceId}`);
  }
  if (at !== undefined) {
    const { events } = await readHistory(stores.eventStore, {
      deviceId,
      order: 'ascending',
      limit: 1,
      signal,
    });
    const [first] = events;
    const since =
      first === undefined
        ? ''
        : `: its first event arrived at ${isoText(first.arrivalTime)}, with the device time ${first.event.time}`;
    throw refusal('NO_STATE_AT_TIME', `${deviceId} had no state at that time${since}`);
  }
  throw refusal(
    'STATE_MISSING',
    `events of ${deviceId} are stored, but no state: it is larger than an item, or was deleted; ` +
      `verify --device ${deviceId} says which`,
  );
}

async function stateOf(
  { eventStore, latestState }: Stores,
  deviceId: DeviceId,
  { at, basis }: StateFlags,
  nowMs: number,
  signal: AbortSignal,
): Promise<DescribedState | undefined> {
  if (at === undefined && basis === 'arrival') return latestState.read(deviceId, { signal });
  const timeMs = asOfTime(at === undefined ? nowMs : pointInTimeMs(at, nowMs), nowMs);
  return (await stateAt(eventStore, deviceId, timeMs, basis, { consistent: true, signal })).state;
}

/** A state as JSON says it: stable, for scripts. */
function stateDocument(state: DescribedState) {
  const { deviceId, page = 0, status, lastEventTime, lastArrivalTime, position, current, counts } = state;
  const { attributesFloor } = state;
  return {
    deviceId,
    page,
    status: status.value,
    attributes: Object.fromEntries(presentAttributes(state)),
    versions: Object.fromEntries(
      [...state.attributes].map(([name, { version }]) => [name, formatVersion(version)]),
    ),
    attributesFloor: attributesFloor === undefined ? null : formatVersion(attributesFloor),
    lastEventTime: lastEventTime?.value ?? null,
    lastArrivalTime: lastArrivalTime === undefined ? null : isoText(lastArrivalTime),
    session: current.session < 0 ? null : current.session,
    counter: current.counter < 0 ? null : current.counter,
    position: position ?? null,
    counts,
  };
}

function stateText(state: DescribedState): string {
  const { attributesFloor, counts, page = 0, status, lastEventTime, lastArrivalTime } = state;
  const head = [
    `device      ${state.deviceId}`,
    `status      ${status.value}`,
    `page        ${page}`,
    `device time ${lastEventTime?.value ?? '-'}`,
    `arrived     ${lastArrivalTime === undefined ? '-' : isoText(lastArrivalTime)}`,
    `events      ${counts.events} (late ${counts.late}, duplicates ${counts.duplicates}, gaps ${counts.gaps})`,
    ...(attributesFloor === undefined
      ? []
      : [`not kept    attributes up to version ${formatVersion(attributesFloor)}: too many names`]),
    '',
  ].join('\n');
  const rows = [...state.attributes]
    .filter(([, { value }]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { value, version }]) => [name, JSON.stringify(value), versionText(version)]);
  return `${head}\n${tableText([{ title: 'attribute' }, { title: 'value' }, { title: 'version' }], rows)}`;
}

function showChanges(
  context: CommandContext,
  deviceId: DeviceId,
  before: DescribedState | undefined,
  after: DescribedState | undefined,
  { output }: StateFlags,
): ExitCode {
  const [old, young] = [before, after].map(
    (state) => new Map(state === undefined ? [] : presentAttributes(state)),
  );
  const names = [...new Set([...(old?.keys() ?? []), ...(young?.keys() ?? [])])].sort();
  const changes = names
    .map((name) => ({ name, before: old?.get(name), after: young?.get(name) }))
    .filter(({ before: a, after: b }) => JSON.stringify(a) !== JSON.stringify(b));
  const statuses = { before: before?.status.value ?? 'unknown', after: after?.status.value ?? 'unknown' };
  const events = (after?.counts.events ?? 0) - (before?.counts.events ?? 0);
  if (output !== 'table') {
    writeDocument(context, output, {
      deviceId,
      events,
      status: statuses,
      attributes: Object.fromEntries(
        changes.map((change) => [
          change.name,
          { before: change.before ?? null, after: change.after ?? null },
        ]),
      ),
    });
    return EXIT_CODES.success;
  }
  const rows = changes.map((change) => [
    change.name,
    change.before === undefined ? '-' : JSON.stringify(change.before),
    change.after === undefined ? '-' : JSON.stringify(change.after),
  ]);
  if (statuses.before !== statuses.after) rows.unshift(['(status)', statuses.before, statuses.after]);
  write(context, tableText([{ title: 'attribute' }, { title: 'before' }, { title: 'after' }], rows));
  write(context, `\n${counted(events, 'event')} between`);
  return EXIT_CODES.success;
}
