import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { shutdownSignal } from '../src/shutdown.ts';

const shutdown = fileURLToPath(new URL('../src/shutdown.ts', import.meta.url));
const SCRIPT = `
import { shutdownSignal } from ${JSON.stringify(shutdown)};
const signal = shutdownSignal();
const alive = setInterval(() => {}, 1_000);
signal.addEventListener('abort', () => {
  console.log(signal.reason.message);
  if (process.argv.includes('drains')) clearInterval(alive);
  if (process.argv.includes('drains slowly')) setTimeout(() => clearInterval(alive), 200);
});
console.log('ready');
`;

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
});

/** A process that says when it is ready, and when it was asked to stop. */
async function start(...options: string[]) {
  const flags = ['--input-type=module-typescript', '--eval', SCRIPT, ...options];
  const started = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  child = started;
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => (await lines.next()).value;
  expect(await nextLine()).toBe('ready');
  const exit = once(started, 'exit');
  return { started, nextLine, exit };
}

describe('the signal of a shutdown', () => {
  function source() {
    const events = new EventEmitter();
    const exits: number[] = [];
    let nowMs = 10_000;
    const signal = shutdownSignal(
      { on: (name, listener) => events.on(name, listener), exit: (code) => exits.push(code) },
      () => nowMs,
    );
    const send = (name: string, afterMs: number) => {
      nowMs += afterMs;
      events.emit(name);
    };
    return { signal, exits, send };
  }

  test.each(['SIGINT', 'SIGTERM'])('aborts at the first %s, and says which', (name) => {
    const { signal, exits, send } = source();
    expect(signal.aborted).toBe(false);
    send(name, 0);
    expect(signal.reason).toEqual(new Error(`stopped by ${name}`));
    expect(exits).toEqual([]);
  });

  test('that comes again within half a second is the same, and later ends the process', () => {
    const { signal, exits, send } = source();
    send('SIGTERM', 0);
    send('SIGINT', 499);
    expect(exits).toEqual([]);
    expect(signal.reason).toEqual(new Error('stopped by SIGTERM'));
    send('SIGINT', 1);
    expect(exits).toEqual([130]);
  });
});

describe('shutdown', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s aborts the signal, and work that ends lets the process end with 0',
    async (name) => {
      const { started, nextLine, exit } = await start('drains');
      started.kill(name);
      expect(await nextLine()).toBe(`stopped by ${name}`);
      expect(await exit).toEqual([0, null]);
    },
  );

  test('a second signal ends the process immediately with 130', async () => {
    const { started, nextLine, exit } = await start();
    started.kill('SIGTERM');
    expect(await nextLine()).toBe('stopped by SIGTERM');
    const insisting = setInterval(() => started.kill('SIGINT'), 100);
    expect(await exit).toEqual([130, null]);
    clearInterval(insisting);
  });

  test('one Ctrl-C that npm passes on as well is one, not two', async () => {
    const { started, nextLine, exit } = await start('drains slowly');
    started.kill('SIGINT');
    started.kill('SIGINT');
    expect(await nextLine()).toBe('stopped by SIGINT');
    expect(await exit).toEqual([0, null]);
  });
});
