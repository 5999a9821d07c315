import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes `KEY=value` lines that a shell can source and the CLIs read. Values hold nothing that a shell would expand. Who
 * reads while it is written anew gets the old lines or the new ones, whole.
 */
export function writeLocalEnvFile(path: string, environment: Readonly<Record<string, string>>): void {
  mkdirSync(dirname(path), { recursive: true });
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(`${path}.new`, lines.join(''));
  renameSync(`${path}.new`, path);
}

/** Takes the file away, so that no tool looks for a pipeline that has ended. */
export function removeLocalEnvFile(path: string): void {
  rmSync(path, { force: true });
}
