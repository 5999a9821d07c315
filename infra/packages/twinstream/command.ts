#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { commandHost, parseCommandLine } from '@twinstream/command-line';
import { z } from 'zod';
import { PARTS, profileAfterCommand, wholeProgram } from './program.ts';

const manifest = z.object({ version: z.string() });

async function main(): Promise<void> {
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...profileAfterCommand(process.argv.slice(2)));
  const [first = '', second = ''] = process.argv.slice(2);
  if (first === 'help' && PARTS.has(second)) {
    process.argv.splice(2, 2, second, '--help');
    return main();
  }
  const part = PARTS.get(first);
  if (part !== undefined) {
    process.argv.splice(2, 1);
    await part.run();
    return;
  }
  const program = await wholeProgram(version(), process.argv.slice(2));
  const exitCode = parseCommandLine(program, commandHost(process));
  if (exitCode !== undefined) process.exitCode = exitCode;
}

/** Version of the package, whose manifest is one folder above this file, here and in the tarball. */
function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return manifest.parse(JSON.parse(text)).version;
}

await main();
