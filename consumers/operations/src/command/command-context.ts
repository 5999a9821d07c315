import { visible } from '@twinstream/runtime';
import { type Command, InvalidArgumentError, Option } from 'commander';

import type { OperationsServices } from '../services.ts';
import type { ExitCode } from './exit-codes.ts';
import type { OperationsHost } from './host.ts';

/** What a command has that reaches nothing outside of its process. */
export interface HostContext {
  readonly host: OperationsHost;
}

export interface CommandContext extends HostContext {
  readonly services: OperationsServices;
}

/** Runs a command's work and keeps its exit code. */
export type RunCommand = (work: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

/** The same for a command that needs no services: no endpoint, no credentials, no pipeline. */
export type RunAlone = (work: (context: HostContext) => Promise<ExitCode>) => Promise<void>;

export type OutputForm = 'table' | 'json';

export function outputOption(): Option {
  return new Option('--output <form>', 'form of standard output').choices(['table', 'json']).default('table');
}

/** Adds a command whose help ends with examples. */
export function addCommand(
  parent: Command,
  usage: string,
  description: string,
  examples: readonly string[],
): Command {
  return parent
    .command(usage)
    .description(description)
    .allowExcessArguments(false)
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  npm run ops -- ${line}`).join('\n')}`);
}

/** Gathers a flag that may be given several times. */
export function repeatable(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

export function wholeNumber(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

export function writeJson(context: HostContext, document: unknown): void {
  write(context, JSON.stringify(document, null, 2));
}

/** Writes a line or several to standard output, such that stored text cannot act upon the terminal. */
export function write({ host }: HostContext, text: string): void {
  host.stdout.write(visible(text.endsWith('\n') ? text : `${text}\n`));
}

/** Tells the person, apart from the data on standard output. */
export function tell({ host }: HostContext, text: string): void {
  host.stderr.write(visible(`${text}\n`));
}
