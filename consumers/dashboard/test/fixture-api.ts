import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface FixtureApi {
  readonly url: string;
  /** Asks the API as the page does. */
  get<T>(path: string): Promise<T>;
  close(): Promise<void>;
}

const SERVER = fileURLToPath(new URL('../../query-api/test/fixture-server.ts', import.meta.url));

/** Starts the query API over a simulated fleet that moves, in a process of its own: no consumer imports another. */
export async function startFixtureApi(pageFolder: string, devices: number): Promise<FixtureApi> {
  const server = spawn(
    process.execPath,
    [
      SERVER,
      '--port',
      '0',
      '--devices',
      String(devices),
      '--updates-per-second',
      '60',
      '--dashboard',
      pageFolder,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const close = async (): Promise<void> => {
    if (server.exitCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGTERM');
    await exited;
  };
  const [line] = await Promise.race([
    once(createInterface(server.stdout), 'line'),
    once(server, 'exit').then(([code]) => Promise.reject(new Error(`the fixture server ended with ${code}`))),
  ]);
  const { url } = JSON.parse(String(line)) as { url: string };
  return {
    url,
    get: async <T>(path: string) => {
      const response = await fetch(url + path);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
    close,
  };
}
