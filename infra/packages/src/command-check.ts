import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from './run-command.ts';

const STARTED_MS_MAX = 120_000;
const STOPPED_MS_MAX = 60_000;
/** From the acknowledgement of an event until it is stored. */
const PROCESSED_MS_MAX = 60_000;
const NOT_YET = 'refused (UNKNOWN_DEVICE)';
const POLL_MS = 100;
const SHELL_BLOCK = /^```sh\n([\s\S]*?)^```$/gm;
const START = 'npx twinstream start';
/** A line of `.twinstream/local.env` that names a process. */
const PROCESS_ID = /^export TWINSTREAM_PID\w*=(\d+)$/gm;

/** A folder of somebody else in which the command is installed, and the Node that it runs on. */
export interface InstalledCommand {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Does what the README of the command says, line by line, in the order of its shell blocks: `npm install` is done already, `npx twinstream start` goes
 * on beside the others, each of which must end with 0. Resolves to the milliseconds from the start until the page was served and had devices.
 * Rejects where a command fails, where Ctrl-C leaves a process behind, and where the package's own folder was written to.
 */
export async function runReadmeCommands(readme: string, installed: InstalledCommand): Promise<number> {
  const lines = [...readme.matchAll(SHELL_BLOCK)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, ''))
    .filter((line) => line !== '' && !line.startsWith('npm install'));
  if (!lines.includes(START)) throw new Error(`the README does not say \`${START}\``);
  const before = await packageFiles(installed);
  const pipeline = await startPipeline(installed);
  try {
    for (const line of lines.filter((line) => line !== START)) await runLine(line, installed);
  } finally {
    await pipeline.interrupt();
  }
  const written = (await packageFiles(installed)).filter((file) => !before.includes(file));
  if (written.length > 0) throw new Error(`files were written into the package: ${written.join(', ')}`);
  return pipeline.readyMs;
}

/** Runs a line of a shell. One that asks for what is still on its way through the pipeline is refused, and runs again. */
async function runLine(line: string, { folder, env }: InstalledCommand): Promise<void> {
  const isOver = AbortSignal.timeout(PROCESSED_MS_MAX);
  while (true) {
    try {
      return void (await runCommand('bash', ['-ec', line], { cwd: folder, env }));
    } catch (error) {
      if (isOver.aborted || !(error instanceof Error) || !error.message.includes(NOT_YET)) throw error;
      await sleep(POLL_MS);
    }
  }
}

async function packageFiles({ folder }: InstalledCommand): Promise<readonly string[]> {
  return readdir(join(folder, 'node_modules/twinstream'), { recursive: true });
}

interface RunningPipeline {
  readonly readyMs: number;
  /** Ctrl-C in its terminal. Rejects unless it says that it stopped, and all of its processes have ended. */
  interrupt(): Promise<void>;
}

async function startPipeline({ folder, env }: InstalledCommand): Promise<RunningPipeline> {
  const startedMs = performance.now();
  // In a process group of its own, as a shell gives to what it runs in a terminal.
  const child = spawn('npx', ['twinstream', 'start', '--port', '0'], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  // Its own group outlives this process, however that ends.
  const endGroup = () => signalGroup(child.pid, 'SIGKILL');
  process.once('exit', endGroup);
  child.once('exit', () => process.off('exit', endGroup));
  let output = '';
  const page = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output += `${line}\n`;
      const url = /^ {2}page +(\S+)$/.exec(line)?.[1];
      if (url !== undefined) page.resolve(url);
    });
  }
  const exited = once(child, 'exit').then(([code, signal]): number | string => code ?? signal);
  const isOver = AbortSignal.timeout(STARTED_MS_MAX);
  const broken = exited.then((code): never => {
    throw new Error(`twinstream start ended with ${code}\n${output}`);
  });
  broken.catch(() => undefined);
  try {
    await untilDevices(await Promise.race([page.promise, broken, aborted(isOver)]), isOver);
  } catch (error) {
    signalGroup(child.pid, 'SIGKILL');
    throw new Error(`twinstream start shows no devices\n${output}`, { cause: error });
  }
  const readyMs = performance.now() - startedMs;
  const environment = await readFile(join(folder, '.twinstream/local.env'), 'utf8');
  const processes = [...environment.matchAll(PROCESS_ID)].map(([, pid]) => Number(pid));
  return {
    readyMs,
    interrupt: async () => {
      signalGroup(child.pid, 'SIGINT');
      // npx passes its own signal on to the shell, whatever the command ended with.
      const end = await Promise.race([exited, sleep(STOPPED_MS_MAX, 'no end', { ref: false })]);
      const left = processes.filter(isAlive);
      if (left.length > 0 || !output.endsWith('stopped\n')) {
        throw new Error(`Ctrl-C: ${end}, processes ${left.join(', ') || 'none'} are left\n${output}`);
      }
    },
  };
}

async function untilDevices(pageUrl: string, isOver: AbortSignal): Promise<void> {
  const page = await fetch(pageUrl, { signal: isOver });
  if (!(await page.text()).includes('<div id="')) throw new Error(`${pageUrl} serves no page`);
  while (true) {
    const response = await fetch(new URL('/v1/devices?limit=1', pageUrl), { signal: isOver });
    if ((await response.text()).includes('"deviceId"')) return;
    await sleep(POLL_MS, undefined, { signal: isOver });
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw signal.reason;
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid !== undefined) process.kill(-pid, signal);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
