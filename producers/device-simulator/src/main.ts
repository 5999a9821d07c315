import { commandHost } from '@twinstream/command-line';
import { chooseProfile, chooseTarget, enterTarget } from '@twinstream/runtime';
import { listenToInterrupts } from './command/interrupts.ts';
import { preciseClock } from './command/precise-clock.ts';
import { simulateCommand } from './command/simulate-command.ts';

const [cwd, environment] = [process.cwd(), process.env];

process.exitCode = await simulateCommand({
  ...commandHost(process),
  // The SDK reads its endpoints, region and credentials from there.
  enterTarget: (asked, profileName) => {
    const profile = chooseProfile(environment, profileName);
    return enterTarget(
      chooseTarget({ cwd, environment, services: ['kinesis'], asked, profile }),
      environment,
    );
  },
  clock: preciseClock,
  interrupts: listenToInterrupts(preciseClock.now),
});
