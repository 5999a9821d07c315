import type { Command } from 'commander';
import type { RunCommand } from '../command/command-context.ts';

export function addReplay(_program: Command, _run: RunCommand): void {}
