import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const SCOPE = '@twinstream';
const GIT_MS_MAX = 60_000;

/** Another commit of this repository, or why it cannot be had here: a clone may have no history. */
export type OtherCommit =
  | { readonly isThere: true; readonly commit: string; readonly cdkDir: string }
  | { readonly isThere: false; readonly reason: string };

/**
 * Lays out a commit in a folder, with the packages that are installed for this one: only its own workspaces are those of then.
 *
 * @param ref as git names commits: `HEAD~1`
 */
export async function layOutCommit(ref: string, folder: string): Promise<OtherCommit> {
  const archive = join(folder, 'commit.tar');
  const target = join(folder, 'commit');
  const options = { cwd: ROOT, timeout: GIT_MS_MAX };
  try {
    const { stdout: commit } = await run('git', ['rev-parse', '--short', `${ref}^{commit}`], options);
    await run('git', ['archive', '--output', archive, ref], options);
    mkdirSync(target, { recursive: true });
    await run('tar', ['-xf', archive, '-C', target], options);
    linkPackages(join(ROOT, 'node_modules'), join(target, 'node_modules'));
    return { isThere: true, commit: commit.trim(), cdkDir: join(target, 'infra', 'cdk') };
  } catch (error) {
    const said = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    return { isThere: false, reason: `${ref}: ${said}` };
  }
}

function linkPackages(from: string, to: string): void {
  mkdirSync(join(to, SCOPE), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name !== SCOPE) symlinkSync(join(from, name), join(to, name));
  }
  // Links to workspaces are relative, and lead to those of the other commit from there.
  for (const name of readdirSync(join(from, SCOPE))) {
    symlinkSync(readlinkSync(join(from, SCOPE, name)), join(to, SCOPE, name));
  }
}
