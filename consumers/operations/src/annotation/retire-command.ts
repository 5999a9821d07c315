import { outputOption } from '@twinstream/command-line';
import { annotationBits, NOTE, retirement } from '@twinstream/table-generation/annotations';
import type { Command } from 'commander';
import { addChangeOptions } from '../command/change-command.ts';
import { addCommand, CHANGES, type RunCommand } from '../command/command-context.ts';
import { type AnnotateFlags, type Annotating, annotateDevices } from './annotate-devices.ts';

export function addRetire(program: Command, run: RunCommand): void {
  addChangeOptions(
    addCommand(
      program,
      'retire <devices...>',
      'Take devices out of lists, counts and update streams. State and history stay; their next event brings them back.',
      [
        'retire bus-2619',
        "retire bus-2619 bus-2620 --execute --reason 'sold'",
        "retire bus-2619 --withdraw --execute --reason 'not sold'",
      ],
    ),
  )
    .option('--withdraw', 'bring retired devices back')
    .addOption(outputOption())
    .action((devices: string[], flags: AnnotateFlags) =>
      run(
        (context) => annotateDevices(context, devices, flags, flags.withdraw === true ? RETURN : RETIRE),
        CHANGES,
      ),
    );
}

const isRetired: (...of: Parameters<Annotating['settled']>) => boolean = ({ annotations, state }) => {
  const { lastArrivalTime, counts } = state;
  return (annotationBits(annotations, { lastArrivalTime, counts }) & NOTE.retired) !== 0;
};

const said: Annotating['said'] = ({ annotations, state: { lastArrivalTime, counts } }, about, reason) => ({
  ...annotations,
  retirement: retirement({ lastArrivalTime, counts }, { ...about, reason }),
});

const RETIRE: Annotating = {
  name: 'retirement',
  verb: 'Retire',
  outcomes: ['would-retire', 'retired'],
  // A device that is retired already keeps the reason for which it was.
  settled: (device) => (isRetired(device) ? 'already-retired' : undefined),
  said,
};

const RETURN: Annotating = {
  name: 'retirement',
  verb: 'Bring back',
  outcomes: ['would-bring-back', 'brought-back'],
  settled: (device) => (isRetired(device) ? undefined : 'not-retired'),
  said,
};
