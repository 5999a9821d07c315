import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKSPACE = fileURLToPath(new URL('../', import.meta.url));
const WARNING = /\bwarn(?:ing)?\b|\(!\)|falling back/i;

/** Runs VitePress in this workspace on the terminal of this process. Returns its exit code. */
export async function runVitepress(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [vitepressPath(), ...args], { cwd: WORKSPACE, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

/** Builds the site. Returns what VitePress wrote. Throws, with that, where it failed or wrote a warning. */
export async function buildSite(): Promise<string> {
  const child = spawn(process.execPath, [vitepressPath(), 'build'], {
    cwd: WORKSPACE,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      written += text;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`vitepress ended with exit code ${code}\n${written}`);
  if (WARNING.test(written)) throw new Error(`vitepress wrote a warning\n${written}`);
  return written;
}

function vitepressPath(): string {
  const manifest = createRequire(import.meta.url).resolve('vitepress/package.json');
  return join(dirname(manifest), 'bin/vitepress.js');
}
