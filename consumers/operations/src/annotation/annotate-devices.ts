import {
  confirm,
  EXIT_CODES,
  type ExitCode,
  isoText,
  type OutputFormat,
  usageError,
} from '@twinstream/command-line';
import type { DeviceId, DeviceState } from '@twinstream/device-model';
import type { AnnotationName, DeviceAnnotations, Said } from '@twinstream/table-generation/annotations';
import { readDeviceId } from '../command/argument-values.ts';
import {
  type ChangeFlags,
  countOutcomes,
  outcomesText,
  reasonOf,
  refuseUnknown,
  tellDryRun,
} from '../command/change-command.ts';
import { type CommandContext, tell, write, writeDocument, writeTable } from '../command/command-context.ts';

/** Flags of the commands that say something of devices, beside the stream. */
export interface AnnotateFlags extends ChangeFlags {
  readonly withdraw?: true;
  readonly output: OutputFormat;
}

/** A device, and what is kept of it. */
export interface AnnotatedState {
  readonly deviceId: DeviceId;
  readonly state: DeviceState;
  readonly annotations: DeviceAnnotations;
}

/** What a command says of devices. */
export interface Annotating {
  /** Where it is kept. */
  readonly name: AnnotationName;
  /** Asked before anything is changed: `Retire`, with the devices after it. */
  readonly verb: string;
  /** What becomes of a device: in a dry run, and when it is done. */
  readonly outcomes: readonly [wouldBe: string, done: string];
  /** The outcome where nothing has to be said, undefined where something has. Throws a refusal. */
  readonly settled: (device: AnnotatedState) => string | undefined;
  /** What is kept of the device after it. */
  readonly said: (device: AnnotatedState, said: Said, reason: string) => DeviceAnnotations;
}

/** Longest reason and name of an operator, as the API takes them. */
const TEXT_CHARACTERS_MAX = 1_024;

/** Shows the devices that are meant, and with `--execute` says it of them. All are known, or nothing is written. */
export async function annotateDevices(
  context: CommandContext,
  names: readonly string[],
  flags: AnnotateFlags,
  { name, verb, outcomes, settled, said: annotationsAfter }: Annotating,
): Promise<ExitCode> {
  const { services, host } = context;
  const reason = reasonOf(flags);
  for (const [flag, text] of [
    ['--reason', reason],
    ['--actor', flags.actor],
  ]) {
    if ((text?.length ?? 0) > TEXT_CHARACTERS_MAX)
      throw usageError(`${flag}: more than ${TEXT_CHARACTERS_MAX} characters`);
  }
  const devices = await readDevices(context, names);
  const planned = devices.map((device) => ({ device, outcome: settled(device) }));
  const due = planned.filter(({ outcome }) => outcome === undefined);
  if (flags.execute === true) {
    if (due.length > 0) await confirm(host, `${verb} ${namesText(due)}?`, flags.yes === true);
    const said: Said = {
      by: flags.actor,
      time: services.clock.now(),
      ...(flags.withdraw === true ? { withdrawn: true as const } : {}),
    };
    for (const { device } of due) {
      const annotation = annotationsAfter(device, said, reason)[name];
      if (annotation !== undefined) {
        await services.annotations.write(device.deviceId, name, annotation, host.stop);
      }
    }
    // What an earlier run wrote when it failed reaches the lists, too.
    if (due.length === 0) await services.annotations.raise(host.stop);
  }
  const done = outcomes[flags.execute === true ? 1 : 0];
  report(
    context,
    flags,
    planned.map(({ device, outcome = done }) => ({ ...device, outcome })),
  );
  return EXIT_CODES.success;
}

async function readDevices(
  { services, host }: CommandContext,
  names: readonly string[],
): Promise<AnnotatedState[]> {
  const { latestState } = services.stores(await services.generation(host.stop));
  const devices: AnnotatedState[] = [];
  const ids = [...new Set(names.map(readDeviceId))];
  for (const deviceId of ids) {
    const state = await latestState.read(deviceId, { consistent: true, signal: host.stop });
    if (state === undefined) continue;
    devices.push({ deviceId, state, annotations: await services.annotations.read(deviceId, host.stop) });
  }
  refuseUnknown(ids, new Set(devices.map(({ deviceId }) => deviceId)), 'UNKNOWN_DEVICE', 'with a state');
  return devices;
}

function namesText(devices: readonly { readonly device: AnnotatedState }[]): string {
  const [first] = devices;
  return devices.length === 1 ? `${first?.device.deviceId}` : `${devices.length} devices`;
}

function report(
  context: CommandContext,
  { execute, output }: AnnotateFlags,
  results: readonly (AnnotatedState & { readonly outcome: string })[],
): void {
  const rows = results.map(({ deviceId, outcome, state: { status, counts, lastArrivalTime } }) => ({
    deviceId,
    outcome,
    status: status.value,
    events: counts.events,
    gaps: counts.gaps,
    lastArrivalTime: lastArrivalTime === undefined ? null : isoText(lastArrivalTime),
  }));
  if (output !== 'table') {
    const document = { executed: execute === true, outcomes: countOutcomes(rows), devices: rows };
    writeDocument(context, output, document, rows);
  } else {
    writeTable(
      context,
      ['outcome', 'device', 'status', 'events', 'missing', 'last arrival'].map((title) => ({ title })),
      rows.map((row) => [
        row.outcome,
        row.deviceId,
        row.status,
        `${row.events}`,
        `${row.gaps}`,
        row.lastArrivalTime ?? '-',
      ]),
    );
    write(context, outcomesText(countOutcomes(rows)));
  }
  if (execute !== true) tellDryRun(context);
  else
    tell(
      context,
      'Single devices show it immediately; lists, counts and streams follow within a few seconds.',
    );
}
