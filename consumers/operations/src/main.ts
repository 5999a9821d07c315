import { createInterface } from 'node:readline/promises';
import {
  callerFolder,
  chooseTarget,
  enterTarget,
  npmBannerNote,
  shutdownSignal,
  systemClock,
  textOutput,
} from '@twinstream/runtime';
import { operationsCommand } from './command/operations-command.ts';
import { SERVICES } from './services.ts';

const cwd = process.cwd();

async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

const [stdout, stderr] = [textOutput(process.stdout), textOutput(process.stderr)];
const note = npmBannerNote(cwd, process.env, stdout.isTTY);
if (note !== undefined) stderr.write(`${note}\n`);

process.exitCode = await operationsCommand(
  {
    argv: process.argv.slice(2),
    folder: callerFolder(cwd, process.env),
    environment: process.env,
    stdout,
    stderr,
    clock: systemClock,
    stop: shutdownSignal(),
    ask,
  },
  {
    // The SDK reads its endpoints, region and credentials from there.
    enterTarget: (asked) =>
      enterTarget(chooseTarget({ cwd, environment: process.env, services: SERVICES, asked }), process.env),
  },
);
