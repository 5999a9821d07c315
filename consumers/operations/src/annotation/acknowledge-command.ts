import { outputOption, refusal } from '@twinstream/command-line';
import {
  type AnnotatedTrouble,
  annotationBits,
  isAcknowledged,
  withAcknowledgement,
} from '@twinstream/table-generation/annotations';
import { Argument, type Command } from 'commander';
import { addChangeOptions } from '../command/change-command.ts';
import { addCommand, CHANGES, type RunCommand } from '../command/command-context.ts';
import {
  type AnnotatedState,
  type AnnotateFlags,
  type Annotating,
  annotateDevices,
} from './annotate-devices.ts';

const TROUBLES = ['silent', 'gaps'] as const satisfies readonly AnnotatedTrouble[];

export function addAcknowledge(program: Command, run: RunCommand): void {
  const command = addCommand(
    program,
    'acknowledge',
    'Say that a trouble of devices is known: silence, until the device is heard again, or gaps, until another opens.',
    [
      'acknowledge gaps bus-2619',
      "acknowledge silent bus-2619 bus-2620 --execute --reason 'in the depot'",
      "acknowledge silent bus-2619 --withdraw --execute --reason 'left the depot'",
    ],
  )
    .addArgument(new Argument('<trouble>', 'the trouble that is known').choices(TROUBLES))
    .argument('<devices...>');
  addChangeOptions(command)
    .option('--withdraw', 'take an acknowledgement back')
    .addOption(outputOption())
    .action((trouble: AnnotatedTrouble, devices: string[], flags: AnnotateFlags) =>
      run((context) => annotateDevices(context, devices, flags, annotating(trouble, flags)), CHANGES),
    );
}

function annotating(trouble: AnnotatedTrouble, { withdraw }: AnnotateFlags): Annotating {
  const base = {
    name: trouble,
    said: ({ annotations, state }, said, reason) =>
      withAcknowledgement(annotations, trouble, deviceOf(state), { ...said, note: reason }),
  } as const satisfies Pick<Annotating, 'name' | 'said'>;
  if (withdraw === true) {
    return {
      ...base,
      verb: `Withdraw the acknowledgement of ${trouble} of`,
      outcomes: ['would-withdraw', 'withdrawn'],
      settled: ({ annotations, state }) =>
        isAcknowledged(annotationBits(annotations, deviceOf(state)), trouble)
          ? undefined
          : 'not-acknowledged',
    };
  }
  return {
    ...base,
    verb: `Acknowledge ${trouble} of`,
    outcomes: ['would-acknowledge', 'acknowledged'],
    settled: ({ deviceId, state }) => {
      if (!mayHave(trouble, state)) {
        throw refusal('NO_SUCH_TROUBLE', `${deviceId} is not in trouble by ${trouble}`);
      }
      return undefined;
    },
  };
}

/**
 * Whether the device can have the trouble, by its state alone: from when on one is silent is a setting of the query API. An
 * acknowledgement that comes too early ends with the device's next event.
 */
function mayHave(trouble: AnnotatedTrouble, { counts, status }: AnnotatedState['state']): boolean {
  return trouble === 'gaps' ? counts.gaps > 0 : status.value !== 'disconnected';
}

function deviceOf({ lastArrivalTime, counts }: AnnotatedState['state']) {
  return { lastArrivalTime, counts };
}
