import { callerFolder, npmBannerNote, readLocalEnvironment, textOutput } from '@twinstream/runtime';
import { listenToInterrupts } from './command/interrupts.ts';
import { preciseClock } from './command/precise-clock.ts';
import { simulateCommand } from './command/simulate-command.ts';

const cwd = process.cwd();
const environment = readLocalEnvironment(cwd, process.env);
// The SDK reads its endpoints, region and credentials from here.
Object.assign(process.env, environment);

const [stdout, stderr] = [textOutput(process.stdout), textOutput(process.stderr)];
const note = npmBannerNote(cwd, process.env, stdout.isTTY);
if (note !== undefined) stderr.write(`${note}\n`);

process.exitCode = await simulateCommand({
  argv: process.argv.slice(2),
  folder: callerFolder(cwd, environment),
  environment,
  stdout,
  stderr,
  clock: preciseClock,
  interrupts: listenToInterrupts(preciseClock.now),
});
