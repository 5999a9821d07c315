/** Names of the tables that hold history and state. */
export interface TableNames {
  readonly eventsTable: string;
  readonly deviceStateTable: string;
}

/**
 * The tables in use. The id changes with every switch, also where the names stay: then what readers and writers
 * remember of the tables (heads of chains above all) is void.
 */
export interface TableGeneration extends TableNames {
  readonly id: string;
  /** When it was activated, milliseconds since 1970; 0 for the configured one. */
  readonly activatedTime: number;
}

/** Id of the generation that the configuration names, in use until another is activated. */
export const CONFIGURED_GENERATION = 'configured';

/**
 * How long a reader or writer may go on with the generation it read last, in milliseconds. A switch waits at
 * least so long before writers start again.
 */
export const GENERATION_FRESH_MS = 2_000;

export function configuredGeneration(tables: TableNames): TableGeneration {
  const { eventsTable, deviceStateTable } = tables;
  return { id: CONFIGURED_GENERATION, eventsTable, deviceStateTable, activatedTime: 0 };
}
