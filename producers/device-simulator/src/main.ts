import { readLocalEnvironment } from '@twinstream/runtime';
import { listenToInterrupts } from './command/interrupts.ts';
import { preciseClock } from './command/precise-clock.ts';
import { simulateCommand } from './command/simulate-command.ts';

const cwd = process.cwd();
const environment = readLocalEnvironment(cwd, process.env);
// The SDK reads its endpoints, region and credentials from here.
Object.assign(process.env, environment);

process.exitCode = await simulateCommand({
  argv: process.argv.slice(2),
  cwd,
  environment,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: preciseClock,
  interrupts: listenToInterrupts(preciseClock.now),
});
