import { randomUUID } from 'node:crypto';
import {
  confirm,
  EXIT_CODES,
  type ExitCode,
  isoText,
  type OutputFormat,
  outputOption,
  refusal,
  repeatable,
  usageError,
} from '@twinstream/command-line';
import {
  correctionAhead,
  EVENT_LIMITS,
  encodeEvent,
  inexactNumbers,
  type JsonValue,
  newDevice,
  readEvent,
} from '@twinstream/device-model';
import { CodedError } from '@twinstream/runtime';
import { kinesisTransport } from '@twinstream/stream-producer';
import type { Command } from 'commander';
import { readDeviceId } from '../command/argument-values.ts';
import {
  addCommand,
  CHANGES,
  type CommandContext,
  type RunCommand,
  tell,
  write,
  writeDocument,
} from '../command/command-context.ts';
import { storedOf } from '../devices.ts';
import { attributeChanges, changesText } from './preview-correction.ts';

interface CorrectFlags {
  readonly set: readonly string[];
  readonly reason: string;
  readonly actor: string;
  readonly corrects?: string;
  readonly id?: string;
  readonly allowUnknownDevice?: true;
  readonly yes?: true;
  readonly output: OutputFormat;
}

const PUT_TIMEOUT_MS = 10_000;

export function addCorrect(program: Command, run: RunCommand): void {
  addCommand(
    program,
    'correct <device>',
    'Publish a correction, which is processed like any other event. Shows the changes and asks first.',
    [
      "correct bus-2619 --set speedMph=17.5 --reason 'odometer fault' --actor ann@example.com",
      'correct bus-2619 --set note=null --set tags=\'["a"]\' --corrects 3:1042 --reason r --actor ann --yes',
    ],
  )
    .requiredOption(
      '--set <name=value>',
      'an attribute and its value as JSON, or as plain text; null removes it',
      repeatable,
    )
    .requiredOption('--reason <text>', 'reason, 1-1024 characters')
    .requiredOption('--actor <name>', 'name of the operator')
    .option(
      '--corrects <session:counter>',
      'the event that is corrected, which the device must have come to; default: the newest that set these attributes, also where a correction ahead of the device did',
    )
    .option('--id <id>', 'idempotency key: the same id again stores nothing')
    .option('--allow-unknown-device', 'also correct a device without stored events')
    .option('--yes', 'do not ask for confirmation')
    .addOption(outputOption())
    .action((device: string, flags: CorrectFlags) =>
      run((context) => correct(context, device, flags), CHANGES),
    );
}

async function correct(context: CommandContext, device: string, flags: CorrectFlags): Promise<ExitCode> {
  const { host, services } = context;
  const { streamName } = services.configuration;
  const deviceId = readDeviceId(device);
  const stores = services.stores(await services.generation(host.stop));
  const known = await stores.latestState.read(deviceId, { consistent: true, signal: host.stop });
  const isUnknown = known === undefined && (await storedOf(stores, deviceId, host.stop)) === 'nothing';
  if (isUnknown && flags.allowUnknownDevice !== true) {
    throw refusal(
      'UNKNOWN_DEVICE',
      `no events of ${deviceId} are stored; pass --allow-unknown-device to correct it nevertheless`,
    );
  }
  const correctionId = flags.id ?? randomUUID();
  const event = readEvent({
    v: 1,
    deviceId,
    type: 'corrected',
    time: isoText(services.clock.now()),
    data: Object.fromEntries(flags.set.map(readAssignment)),
    correctionId,
    reason: flags.reason,
    actor: flags.actor,
    ...(flags.corrects === undefined ? {} : { corrects: readTarget(flags.corrects) }),
  });
  if ('rejected' in event) throw usageError(`${event.rejected}: ${event.detail}`);
  const ahead = correctionAhead(known ?? newDevice(deviceId), event);
  if (ahead !== undefined) {
    throw refusal(
      'CORRECTION_AHEAD',
      `${deviceId}: ${ahead.detail}; such a correction would stand until the device has passed it`,
    );
  }
  const data = encodeEvent(event);
  if (data.length > EVENT_LIMITS.bytesMax) {
    throw usageError(`the correction would have ${data.length} bytes; the limit is ${EVENT_LIMITS.bytesMax}`);
  }
  const changes = attributeChanges(known, event.data);
  tell(context, changesText(changes).trimEnd());
  await confirm(context.host, `Correct ${deviceId}?`, flags.yes === true);
  const transport = kinesisTransport({ streamName, client: services.kinesis });
  const deadline = AbortSignal.any([host.stop, AbortSignal.timeout(PUT_TIMEOUT_MS)]);
  const [answer] = await transport.putRecords([{ partitionKey: deviceId, data }], deadline);
  if (answer?.status !== 'stored') {
    throw new CodedError('CORRECTION_NOT_TAKEN', answer?.message ?? 'the stream gave no answer', {
      retryable: true,
    });
  }
  const { shardId, sequenceNumber } = answer;
  const attributes = changes.map(({ before = null, after = null, ...rest }) => ({ ...rest, before, after }));
  if (flags.output !== 'table')
    writeDocument(context, flags.output, {
      deviceId,
      correctionId,
      shardId,
      sequenceNumber,
      attributes,
    });
  else write(context, `correction ${correctionId} of ${deviceId} is in ${shardId} at ${sequenceNumber}`);
  return EXIT_CODES.success;
}

/** `name=value`: the value is JSON where it is any, and text otherwise. */
function readAssignment(text: string): readonly [string, JsonValue] {
  const at = text.indexOf('=');
  if (at < 1) throw usageError(`--set ${text}: write name=value`);
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(value);
  } catch {
    return [name, value];
  }
  const [inexact] = inexactNumbers(value);
  if (inexact !== undefined) {
    const quoted = `'${name}="${inexact}"'`;
    throw usageError(
      `--set ${name}: number-not-exact: ${inexact} would be rounded; a text keeps it: --set ${quoted}`,
    );
  }
  return [name, parsed];
}

function readTarget(text: string): { readonly session: number; readonly counter: number } {
  const parts = /^(\d+):(\d+)$/.exec(text);
  if (parts === null) throw usageError(`--corrects ${text}: write session:counter`);
  return { session: Number(parts[1]), counter: Number(parts[2]) };
}
