import { commandHost } from '@twinstream/command-line';
import { chooseProfile, chooseTarget, enterTarget, shutdownSignal, systemClock } from '@twinstream/runtime';
import { operationsCommand } from './command/operations-command.ts';
import { SERVICES } from './services.ts';

const host = { ...commandHost(process), clock: systemClock, stop: shutdownSignal() };
const [cwd, environment] = [process.cwd(), process.env];

process.exitCode = await operationsCommand(host, {
  // The SDK reads its endpoints, region and credentials from there.
  enterTarget: (asked, profileName) => {
    const profile = chooseProfile(environment, profileName);
    return enterTarget(chooseTarget({ cwd, environment, services: SERVICES, asked, profile }), environment);
  },
});
