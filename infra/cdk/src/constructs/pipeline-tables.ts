import { Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';

/** The tables that the projector writes. Keys: see `tables` of the properties that take them. */
export interface TwinstreamTables {
  readonly events: ITable;
  readonly deviceState: ITable;
  readonly shardProgress: ITable;
  readonly operations: ITable;
}

type NamedTable = Pick<ITable, 'tableName' | 'tableArn' | 'tableStreamArn'>;

/** The tables that a projector works on, and those that a promotion may put in their place. */
export interface ProjectedTables {
  readonly events: NamedTable;
  readonly deviceState: NamedTable;
  readonly shardProgress: NamedTable;
  readonly operations: NamedTable;
  eventsArns(): string[];
  deviceStateArns(): string[];
  /** Says why a role may use tables that are not there yet. */
  acknowledgeFreshTables(role: Construct): void;
}

/** The tables that the parts of a pipeline work on. */
export interface PipelineTables extends ProjectedTables {
  /** Names of the tables in use: those that were given or made, or those that a promotion has put in their place. */
  readonly inUse: { readonly events: string; readonly deviceState: string };
  /** What the names of tables begin with that a replay builds beside the live ones. */
  readonly freshTablesPrefix: string;
  /** The role that may replace pages. */
  readonly breakGlassRoleName: string;
}

/** Names that a stack gives to what its operators work with. */
export function operatedNames(
  scope: Construct,
): Pick<PipelineTables, 'freshTablesPrefix' | 'breakGlassRoleName'> {
  const { stackName } = Stack.of(scope);
  return { freshTablesPrefix: `${stackName}-fresh-`, breakGlassRoleName: `${stackName}-break-glass` };
}

/** Tables that exist. A promotion does not replace them: it would build others, which this app does not know. */
export function existingTables(
  scope: Construct,
  tables: TwinstreamTables,
): PipelineTables & TwinstreamTables {
  return {
    ...tables,
    ...operatedNames(scope),
    inUse: { events: tables.events.tableName, deviceState: tables.deviceState.tableName },
    eventsArns: () => [tables.events.tableArn],
    deviceStateArns: () => [tables.deviceState.tableArn],
    acknowledgeFreshTables: () => undefined,
  };
}
