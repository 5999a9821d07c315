import { dirname, resolve } from 'node:path';
import type { Environment } from './configuration.ts';

/**
 * The folder that the person who runs a command stands in. `npm run` moves to the folder of package.json and names the one
 * it was called from in `INIT_CWD`, which every process below it inherits: it counts for the script itself alone, whose
 * working directory is still that of package.json.
 */
export function callerFolder(cwd: string, environment: Environment): string {
  const { INIT_CWD = '' } = environment;
  return isNpmScript(cwd, environment) && INIT_CWD !== '' ? INIT_CWD : cwd;
}

/** True in the process that `npm run` has started itself, and not in those below it. */
function isNpmScript(cwd: string, { npm_package_json: packageFile }: Environment): boolean {
  return packageFile !== undefined && dirname(packageFile) === cwd;
}

/**
 * What to tell a user who sends a program's output through a pipe or into a file by `npm run`: npm has written a banner there
 * before. Undefined where there is none: on a terminal it harms nobody, and `npm run --silent` writes none.
 */
export function npmBannerNote(
  cwd: string,
  environment: Environment,
  isTerminal: boolean,
): string | undefined {
  const { npm_lifecycle_event: script, npm_config_loglevel: level } = environment;
  if (isTerminal || level === 'silent' || !isNpmScript(cwd, environment)) return undefined;
  return `npm has written its banner to standard output, too: bin/${script} writes what it has to say alone`;
}

/** An absolute path from one that a person wrote: a relative one begins at {@link callerFolder}. */
export function callerPath(written: string, folder: string): string {
  return resolve(folder, written);
}
