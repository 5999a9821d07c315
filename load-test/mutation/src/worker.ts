import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Entry, type Progress, readProgress } from './progress.ts';
import { EXIT_UNFINISHED, orderEnvironment, type WorkerOrder } from './worker-order.ts';

/** A worker that has written nothing for so long while it tries a mutant waits without end, or loops where no limit of hits reaches. */
const STALL_MS = 60_000;
/** Loading, and a test that runs without a mutant, may take longer on a busy machine. */
const IDLE_STALL_MS = 900_000;
const WATCH_INTERVAL_MS = 250;
/** A mutant may eat all memory: this process ends before the machine does. */
const HEAP_MB = 2_048;
/** Each restart has judged one mutant at least, save for those that fail to start. */
const IDLE_RESTARTS_MAX = 3;

const WORKER = `${import.meta.dirname}/run-worker.ts`;

/** Tries every mutant of the order; restarts the worker past each mutant that hangs or kills it. */
export async function tryMutants(order: WorkerOrder, orderFile: string): Promise<Progress> {
  let idleRestarts = 0;
  for (;;) {
    const { tried } = readProgress(order.progressFile);
    const judged = new Set([...tried.values()].flatMap((mutants) => [...mutants]));
    const staticMutants = order.staticMutants.filter((mutant) => !judged.has(mutant));
    if (order.staticMutants.length > 0 && staticMutants.length === 0) return readProgress(order.progressFile);
    writeFileSync(orderFile, JSON.stringify({ ...order, staticMutants }));
    const sizeBefore = fileSize(order.progressFile);
    const exit = await runWorker(orderFile, order.progressFile);
    const progress = readProgress(order.progressFile);
    if (exit === 'ended') return progress;
    if (progress.trying !== undefined)
      append(order.progressFile, { kind: 'stalled', ...stalled(progress.trying) });
    idleRestarts = fileSize(order.progressFile) === sizeBefore ? idleRestarts + 1 : 0;
    if (idleRestarts > IDLE_RESTARTS_MAX) throw new Error('the worker ends before it has tried a mutant');
  }
}

const stalled = ({ test, mutant }: { readonly test: string; readonly mutant: string }) => ({ test, mutant });

function append(file: string, entry: Entry): void {
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
}

function fileSize(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}

/** `ended` when all that was ordered was tried; its processes are gone afterwards in any case. */
async function runWorker(orderFile: string, watched: string): Promise<'ended' | 'died'> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WORKER], {
    env: { ...process.env, ...orderEnvironment(orderFile), NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  let isOver = false;
  void exited.then(() => {
    isOver = true;
  });
  let size = fileSize(watched);
  let changedAtMs = Date.now();
  while (!isOver) {
    await Promise.race([exited, sleep(WATCH_INTERVAL_MS)]);
    const newSize = fileSize(watched);
    if (newSize !== size) {
      size = newSize;
      changedAtMs = Date.now();
    }
    if (Date.now() - changedAtMs > stallMs(watched, Date.now() - changedAtMs)) break;
  }
  if (!isOver) {
    child.kill('SIGKILL');
    // A loop does not notice that its parent has gone.
    end(readProgress(watched).pid);
  }
  const [code, signal] = await exited;
  if (code === 0) return 'ended';
  if (code === EXIT_UNFINISHED || signal !== null) return 'died';
  throw new Error(`the worker failed with exit code ${code}`);
}

function stallMs(watched: string, silentMs: number): number {
  if (silentMs <= STALL_MS) return STALL_MS;
  return readProgress(watched).trying === undefined ? IDLE_STALL_MS : STALL_MS;
}

function end(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
