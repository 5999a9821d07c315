import { createInterface } from 'node:readline/promises';
import {
  callerFolder,
  npmBannerNote,
  readLocalEnvironment,
  shutdownSignal,
  systemClock,
  textOutput,
} from '@twinstream/runtime';
import { operationsCommand } from './command/operations-command.ts';

const cwd = process.cwd();
const environment = readLocalEnvironment(cwd, process.env);
// The SDK reads its endpoints, region and credentials from here.
Object.assign(process.env, environment);

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

process.exitCode = await operationsCommand({
  argv: process.argv.slice(2),
  folder: callerFolder(cwd, environment),
  environment,
  stdout,
  stderr,
  clock: systemClock,
  stop: shutdownSignal(),
  ask,
});
