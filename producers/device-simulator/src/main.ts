import { callerFolder, chooseTarget, enterTarget, npmBannerNote, textOutput } from '@twinstream/runtime';
import { listenToInterrupts } from './command/interrupts.ts';
import { preciseClock } from './command/precise-clock.ts';
import { simulateCommand } from './command/simulate-command.ts';

const cwd = process.cwd();

const [stdout, stderr] = [textOutput(process.stdout), textOutput(process.stderr)];
const note = npmBannerNote(cwd, process.env, stdout.isTTY);
if (note !== undefined) stderr.write(`${note}\n`);

process.exitCode = await simulateCommand({
  argv: process.argv.slice(2),
  folder: callerFolder(cwd, process.env),
  // The SDK reads its endpoints, region and credentials from there.
  enterTarget: (asked) =>
    enterTarget(chooseTarget({ cwd, environment: process.env, services: ['kinesis'], asked }), process.env),
  stdout,
  stderr,
  clock: preciseClock,
  interrupts: listenToInterrupts(preciseClock.now),
});
