import { execFile } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DIST_DIR = fileURLToPath(new URL('../../dist', import.meta.url));
/** Checkov has some 90 packages: on a busy machine they take four minutes. */
const INSTALL_MS_MAX = 600_000;

/** A tool of the Python package index, in a folder of its own, or why it cannot be had here. */
export type PythonTool =
  | { readonly isThere: true; readonly binDir: string }
  | { readonly isThere: false; readonly reason: string };

/**
 * Installs a tool into the build folder when it is first asked for.
 *
 * @param requirement name and exact version: `cfn-lint==1.2.3`
 * @param command what it installs, by which its presence is known
 * @param others packages that it needs beside those that it names itself
 */
export async function pythonTool(
  requirement: string,
  command: string,
  others: readonly string[] = [],
): Promise<PythonTool> {
  const folder = join(DIST_DIR, requirement.replace('==', '-'));
  const binDir = join(folder, 'bin');
  if (existsSync(join(binDir, command))) return { isThere: true, binDir };
  try {
    await run('python3', ['-c', 'import venv, ensurepip']);
  } catch {
    return { isThere: false, reason: 'python3 with venv and pip is not installed' };
  }
  try {
    await run('python3', ['-m', 'venv', folder]);
    await run(join(binDir, 'pip'), ['install', '--quiet', '--no-compile', requirement, ...others], {
      timeout: INSTALL_MS_MAX,
    });
    return { isThere: true, binDir };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    const said = error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : String(error);
    return { isThere: false, reason: `${requirement} cannot be installed: ${said}` };
  }
}
