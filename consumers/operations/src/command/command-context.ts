import {
  type Column,
  type CommandHost,
  type ExitCode,
  type OutputFormat,
  tableText,
  visible,
} from '@twinstream/command-line';
import type { Clock } from '@twinstream/runtime';
import type { Command } from 'commander';
import type { OperationsServices } from '../services.ts';

/** The process that a command runs in. */
export interface OperationsHost extends CommandHost {
  readonly clock: Clock;
  /** Aborted by the first Ctrl-C: come to a resumable end. */
  readonly stop: AbortSignal;
}

/** What a command has that reaches nothing outside of its process. */
export interface HostContext {
  readonly host: OperationsHost;
}

export interface CommandContext extends HostContext {
  readonly services: OperationsServices;
}

export interface RunOptions {
  /**
   * True for a command that changes something: it goes on to its end, and its exit code says how that was, when nobody
   * reads its output any more. One that only looks ends then.
   */
  readonly changes: boolean;
}

/** For a command that changes something. */
export const CHANGES: RunOptions = { changes: true };

/** Runs a command's work and keeps its exit code. */
export type RunCommand = (
  work: (context: CommandContext) => Promise<ExitCode>,
  options?: RunOptions,
) => Promise<void>;

/** The same for a command that only looks and needs no services: no endpoint, no credentials, no pipeline. */
export type RunAlone = (work: (context: HostContext) => Promise<ExitCode>) => Promise<void>;

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
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  twinstream ops ${line}`).join('\n')}`);
}

/**
 * Writes what a script reads: a document with indents (`json`), or a line for each item of the list that it is about (`ndjson`), the document itself where it has none. Counts
 * and verdicts that stand beside the list are in the document alone, and in the exit code.
 */
export function writeDocument(
  context: HostContext,
  output: Exclude<OutputFormat, 'table'>,
  document: unknown,
  items: readonly unknown[] = [document],
): void {
  if (output === 'json') write(context, JSON.stringify(document, null, 2));
  else for (const item of items) write(context, JSON.stringify(item));
}

/** Writes a line or several to standard output, such that stored text cannot act upon the terminal. */
export function write({ host }: HostContext, text: string): void {
  host.stdout.write(visible(text.endsWith('\n') ? text : `${text}\n`));
}

/** Writes a table; one for a terminal may cut its cells. */
export function writeTable(
  context: HostContext,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): void {
  write(context, tableText(columns, rows, { isTerminal: context.host.stdout.isTTY }));
}

/** Tells the person, apart from the data on standard output. */
export function tell({ host }: HostContext, text: string): void {
  host.stderr.write(visible(`${text}\n`));
}
