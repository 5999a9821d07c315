import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetResourcePolicyCommand,
  ListTagsOfResourceCommand,
  type PointInTimeRecoverySpecification,
  ResourceInUseException,
  ResourceNotFoundException,
  type Tag,
  UpdateContinuousBackupsCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { EVENTS_TABLE_DEFINITION } from '@twinstream/event-store';
import { DEVICE_STATE_TABLE_DEFINITION } from '@twinstream/latest-state';
import type { Clock } from '@twinstream/runtime';
import type { TableNames } from '@twinstream/table-generation';

const TABLE_WAIT_S = 120;

/** Names of a pair of tables. On AWS, roles may reach those alone that begin with the prefix of their stage. */
export function freshTableNames(prefix: string, name: string): TableNames {
  return { eventsTable: `${prefix}${name}-events`, deviceStateTable: `${prefix}${name}-device-state` };
}

/** Which of the tables are there. */
export async function existingTables(
  client: DynamoDBClient,
  { eventsTable, deviceStateTable }: TableNames,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = await Promise.all(
    [eventsTable, deviceStateTable].map(async (TableName) => {
      try {
        await client.send(new DescribeTableCommand({ TableName }), { abortSignal: signal });
        return [TableName];
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}

export interface FreshTablesOptions {
  readonly tables: TableNames;
  /** The tables in use. */
  readonly like: TableNames;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Creates what is not there, and waits until both take writes. What protects and sizes the tables in use is that of the fresh ones,
 * too: a promotion must not take data out of the protection that its stage gave it.
 */
export async function createFreshTables(
  client: DynamoDBClient,
  { tables, like, clock, signal }: FreshTablesOptions,
): Promise<void> {
  const made = [
    { definition: EVENTS_TABLE_DEFINITION, TableName: tables.eventsTable, model: like.eventsTable },
    {
      definition: DEVICE_STATE_TABLE_DEFINITION,
      TableName: tables.deviceStateTable,
      model: like.deviceStateTable,
    },
  ];
  await Promise.all(
    made.map(async ({ definition, TableName, model }) => {
      const { settings, recovery } = await careOf(client, model, signal);
      try {
        await client.send(new CreateTableCommand({ ...definition, ...settings, TableName }), {
          abortSignal: signal,
        });
      } catch (error) {
        if (!(error instanceof ResourceInUseException)) throw error;
      }
      await waitUntilTableExists(
        { client, maxWaitTime: TABLE_WAIT_S, minDelay: 0.1, abortSignal: signal },
        { TableName },
      );
      if (recovery !== undefined) await makeRecoverable(client, { TableName, recovery, clock, signal });
    }),
  );
}

/** What of a table is not its schema: what protects and sizes it. */
interface TableCare {
  readonly settings: Partial<CreateTableCommandInput>;
  /** Undefined where it cannot be restored to a point in time. */
  readonly recovery: PointInTimeRecoverySpecification | undefined;
}

async function careOf(
  client: DynamoDBClient,
  TableName: string,
  abortSignal: AbortSignal,
): Promise<TableCare> {
  const options = { abortSignal };
  const { Table: table = {} } = await client.send(new DescribeTableCommand({ TableName }), options);
  const { SSEDescription: encryption, WarmThroughput: warm, TableArn: ResourceArn } = table;
  const tags = await tagsOf(client, ResourceArn, abortSignal);
  const policy = await unlessMissing(
    client.send(new GetResourcePolicyCommand({ ResourceArn }), options),
    'PolicyNotFoundException',
  );
  const backups = await unlessMissing(
    client.send(new DescribeContinuousBackupsCommand({ TableName }), options),
  );
  const recovery = backups?.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
  const days = recovery?.RecoveryPeriodInDays;
  return {
    settings: {
      ...(encryption?.SSEType === 'KMS'
        ? { SSESpecification: { Enabled: true, SSEType: 'KMS', KMSMasterKeyId: encryption.KMSMasterKeyArn } }
        : {}),
      ...(table.DeletionProtectionEnabled === true ? { DeletionProtectionEnabled: true } : {}),
      ...(table.StreamSpecification === undefined ? {} : { StreamSpecification: table.StreamSpecification }),
      ...(warm === undefined
        ? {}
        : {
            WarmThroughput: {
              ReadUnitsPerSecond: warm.ReadUnitsPerSecond,
              WriteUnitsPerSecond: warm.WriteUnitsPerSecond,
            },
          }),
      ...(tags.length === 0 ? {} : { Tags: tags }),
      ...(policy?.Policy === undefined ? {} : { ResourcePolicy: policy.Policy }),
    },
    recovery:
      recovery?.PointInTimeRecoveryStatus === 'ENABLED'
        ? {
            PointInTimeRecoveryEnabled: true,
            ...(days === undefined ? {} : { RecoveryPeriodInDays: days }),
          }
        : undefined,
  };
}

/** Tags but for those that AWS itself gives, which nobody else may ("Tagging restrictions", read 2026-12). */
async function tagsOf(
  client: DynamoDBClient,
  ResourceArn: string | undefined,
  abortSignal: AbortSignal,
): Promise<Tag[]> {
  const tags: Tag[] = [];
  let NextToken: string | undefined;
  do {
    const answer = await client.send(new ListTagsOfResourceCommand({ ResourceArn, NextToken }), {
      abortSignal,
    });
    tags.push(...(answer.Tags ?? []).filter(({ Key }) => Key?.startsWith('aws:') === false));
    NextToken = answer.NextToken;
  } while (NextToken !== undefined);
  return tags;
}

/** Undefined where there is none, or where the engine has no such thing. */
async function unlessMissing<Answer>(
  asking: Promise<Answer>,
  ...names: readonly string[]
): Promise<Answer | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof Error && ['UnknownOperationException', ...names].includes(error.name))
      return undefined;
    throw error;
  }
}

const RECOVERY_TRIES_MAX = 60;
const RECOVERY_WAIT_MS = 2_000;

interface Recoverable {
  readonly TableName: string;
  readonly recovery: PointInTimeRecoverySpecification;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A table that was just created takes a moment until it can be backed up (UpdateContinuousBackups, API reference, read 2026-12). */
async function makeRecoverable(
  client: DynamoDBClient,
  { TableName, recovery, clock, signal }: Recoverable,
): Promise<void> {
  const command = new UpdateContinuousBackupsCommand({
    TableName,
    PointInTimeRecoverySpecification: recovery,
  });
  for (let tries = 1; ; tries += 1) {
    try {
      await client.send(command, { abortSignal: signal });
      return;
    } catch (error) {
      const isEarly = error instanceof Error && error.name === 'ContinuousBackupsUnavailableException';
      if (!isEarly || tries === RECOVERY_TRIES_MAX) throw error;
      await clock.sleep(RECOVERY_WAIT_MS, signal);
    }
  }
}
