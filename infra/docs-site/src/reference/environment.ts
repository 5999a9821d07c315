import { CodedError, type Environment } from '@twinstream/runtime';
import { markdownTable } from './json-schema.ts';

/** A process and what reads its settings. */
export interface ConfiguredProcess {
  readonly name: string;
  readonly read: (environment: Environment) => unknown;
}

/** A variable of the environment, and the processes that read it. */
interface Variable {
  readonly name: string;
  readonly readBy: string[];
  /** Those that do not start without it. */
  readonly neededBy: string[];
}

/** The variables that processes read, found by letting each read its settings from an environment that is empty. */
export function environmentVariables(processes: readonly ConfiguredProcess[]): readonly Variable[] {
  const variables = new Map<string, Variable>();
  for (const { name: process, read } of processes) {
    const names = new Set<string>();
    const environment: Environment = new Proxy<Record<string, string | undefined>>(
      {},
      {
        get: (_, name) => {
          if (typeof name === 'string') names.add(name);
          return undefined;
        },
      },
    );
    const fault = faultOf(() => read(environment));
    for (const name of names) {
      const variable = variables.get(name) ?? { name, readBy: [], neededBy: [] };
      variable.readBy.push(process);
      if (fault.includes(`${name}: `)) variable.neededBy.push(process);
      variables.set(name, variable);
    }
  }
  return [...variables.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The table of variables. */
export function environmentTable(processes: readonly ConfiguredProcess[]): string {
  return markdownTable(
    ['variable', 'read by', 'required by'],
    environmentVariables(processes).map(({ name, readBy, neededBy }) => [
      `\`${name}\``,
      readBy.join(', '),
      neededBy.join(', '),
    ]),
  );
}

/** What reading says of an empty environment; empty where nothing is required. */
function faultOf(read: () => unknown): string {
  try {
    read();
    return '';
  } catch (error) {
    if (error instanceof CodedError && error.code === 'INVALID_CONFIGURATION') return error.message;
    throw error;
  }
}
