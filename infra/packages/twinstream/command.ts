#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import tab from '@bomb.sh/tab/commander';
import { commandHost, parseCommandLine } from '@twinstream/command-line';
import { Command } from 'commander';
import { z } from 'zod';
import { PARTS, rootProgram } from './program.ts';

const manifest = z.object({ version: z.string() });

async function main(): Promise<void> {
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
  const program = rootProgram(version());
  // `complete -- ops st`: what a shell asks. The commands below the first word are needed where it is written in full.
  const completed = first === 'complete' ? process.argv[4] : undefined;
  for (const [name, { summary, program: programOf }] of PARTS) {
    const command = name === completed && process.argv.length > 5 ? await programOf() : new Command();
    program.addCommand(command.name(name).summary(summary));
  }
  tab(program, { completionCommandName: 'completion' });
  const exitCode = parseCommandLine(program, commandHost(process));
  if (exitCode !== undefined) process.exitCode = exitCode;
}

/** Version of the package, whose manifest is one folder above this file, here and in the tarball. */
function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return manifest.parse(JSON.parse(text)).version;
}

await main();
