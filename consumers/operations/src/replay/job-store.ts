import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { dynamoDbRequest, type Item, requireText, textValue } from '@twinstream/aws/dynamodb';
import { refusal } from '@twinstream/command-line';
import { REPLAY_JOB_KIND, replayJobItems } from '@twinstream/pipeline-status';
import { CodedError } from '@twinstream/runtime';
import type { CommandContext } from '../command/command-context.ts';
import type { ReplayJob, Runner } from './replay-job.ts';

/** Where jobs live, so that any machine can go on with them. */
export interface JobStore {
  /** Throws `JOB_EXISTS` for an id that is taken. */
  create(job: ReplayJob, signal?: AbortSignal): Promise<void>;
  read(id: string, signal?: AbortSignal): Promise<ReplayJob | undefined>;
  /** The newest first. */
  list(signal?: AbortSignal): Promise<readonly ReplayJob[]>;
  /**
   * Makes the job the runner's own, and withdraws a request to cancel. Throws `JOB_TAKEN_OVER` when it is not the previous
   * runner's any more: a request that lands late takes nothing from a later runner.
   */
  takeOver(job: ReplayJob, previous: Runner | undefined, signal?: AbortSignal): Promise<void>;
  /** Writes what the runner has come to. Throws `JOB_TAKEN_OVER` when the job is another's by now, or was saved later. */
  save(job: ReplayJob, signal?: AbortSignal): Promise<{ readonly isCancelRequested: boolean }>;
  /** Asks the runner of the job to stop it for good. False where there is no such job. */
  requestCancel(id: string, signal?: AbortSignal): Promise<boolean>;
}

function keyOf(id: string): Item {
  return { kind: textValue(REPLAY_JOB_KIND), id: textValue(id) };
}

/** Jobs in the table `operations`, each one item. Rejects with the codes of {@link dynamoDbRequest}. */
export function dynamoDbJobStore(client: DynamoDBClient, tableName: string): JobStore {
  return {
    create: async (job, signal) => {
      try {
        await dynamoDbRequest(signal, (options) =>
          client.send(
            new PutItemCommand({
              TableName: tableName,
              Item: { ...keyOf(job.id), document: textValue(JSON.stringify(job)), ...tokenOf(job) },
              ConditionExpression: 'attribute_not_exists(id)',
            }),
            options,
          ),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        throw new CodedError('JOB_EXISTS', `there is a job ${job.id} already`, { cause: error });
      }
    },
    read: async (id, signal) => {
      const { Item } = await dynamoDbRequest(signal, (options) =>
        client.send(
          new GetItemCommand({ TableName: tableName, Key: keyOf(id), ConsistentRead: true }),
          options,
        ),
      );
      return Item === undefined ? undefined : readJob(Item);
    },
    list: async (signal) => {
      const jobs = (await replayJobItems(client, tableName, signal)).map(readJob);
      return jobs.sort((a, b) => b.createdTime - a.createdTime);
    },
    takeOver: async (job, previous, signal) => {
      const condition = `runnerToken = :previous OR (${NOT_SAVED_LATER})`;
      const values = { ':previous': textValue(previous?.token ?? NO_TOKEN) };
      await update(client, tableName, job, { condition, values, more: ' REMOVE cancelWished' }, signal);
    },
    save: async (job, signal) => {
      const item = await update(client, tableName, job, { condition: NOT_SAVED_LATER }, signal);
      return { isCancelRequested: item?.cancelWished?.BOOL === true };
    },
    requestCancel: async (id, signal) => {
      try {
        await dynamoDbRequest(signal, (options) =>
          client.send(
            new UpdateItemCommand({
              TableName: tableName,
              Key: keyOf(id),
              UpdateExpression: 'SET cancelWished = :true',
              ConditionExpression: 'attribute_exists(id)',
              ExpressionAttributeValues: { ':true': { BOOL: true } },
            }),
            options,
          ),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
}

const NO_TOKEN = 'none';
const NOT_SAVED_LATER = 'runnerToken = :runnerToken AND (attribute_not_exists(saves) OR saves <= :saves)';

function tokenOf({ runner }: ReplayJob): Item {
  return { runnerToken: textValue(runner?.token ?? NO_TOKEN) };
}

interface JobUpdate {
  readonly condition: string;
  readonly values?: Item;
  readonly more?: string;
}

async function update(
  client: DynamoDBClient,
  tableName: string,
  job: ReplayJob,
  { condition, values = {}, more = '' }: JobUpdate,
  signal?: AbortSignal,
): Promise<Item | undefined> {
  const token = tokenOf(job).runnerToken;
  if (token === undefined) throw new TypeError('a job that is written has a runner');
  try {
    const { Attributes } = await dynamoDbRequest(signal, (options) =>
      client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: keyOf(job.id),
          UpdateExpression: `SET document = :document, runnerToken = :runnerToken, saves = :saves${more}`,
          ConditionExpression: condition,
          ExpressionAttributeValues: {
            ':document': textValue(JSON.stringify(job)),
            ':runnerToken': token,
            ':saves': { N: String(job.saves ?? 0) },
            ...values,
          },
          ReturnValues: 'ALL_NEW',
        }),
        options,
      ),
    );
    return Attributes;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    throw takenOver(job, error);
  }
}

function takenOver({ id }: ReplayJob, cause?: unknown): CodedError {
  return new CodedError('JOB_TAKEN_OVER', `job ${id} is run by somebody else by now`, { cause });
}

function readJob(item: Item): ReplayJob {
  try {
    const job: ReplayJob = JSON.parse(requireText(item, 'document'));
    return job;
  } catch (cause) {
    throw new CodedError('DAMAGED_JOB', `job ${item.id?.S ?? '?'} cannot be read`, { cause });
  }
}

/** Jobs in memory, with the semantics of those in DynamoDB. */
export function memoryJobStore(): JobStore {
  interface JobItem {
    document: string;
    readonly token: string | undefined;
    saves: number;
    cancelRequested: boolean;
  }
  const items = new Map<string, JobItem>();
  const itemOf = (job: ReplayJob): JobItem => ({
    document: JSON.stringify(job),
    token: job.runner?.token,
    saves: job.saves ?? 0,
    cancelRequested: false,
  });
  const isNotSavedLater = ({ token, saves }: JobItem, { runner, saves: next = 0 }: ReplayJob) =>
    token === runner?.token && saves <= next;
  return {
    create: async (job) => {
      if (items.has(job.id)) throw new CodedError('JOB_EXISTS', `there is a job ${job.id} already`);
      items.set(job.id, itemOf(job));
    },
    read: async (id) => {
      const item = items.get(id);
      return item && JSON.parse(item.document);
    },
    list: async () => [...items.values()].map(({ document }) => JSON.parse(document)),
    takeOver: async (job, previous) => {
      const item = items.get(job.id);
      if (item !== undefined && item.token !== previous?.token && !isNotSavedLater(item, job))
        throw takenOver(job);
      items.set(job.id, itemOf(job));
    },
    save: async (job) => {
      const item = items.get(job.id);
      if (item === undefined || !isNotSavedLater(item, job)) throw takenOver(job);
      item.document = JSON.stringify(job);
      item.saves = job.saves ?? 0;
      return { isCancelRequested: item.cancelRequested };
    },
    requestCancel: async (id) => {
      const item = items.get(id);
      if (item !== undefined) item.cancelRequested = true;
      return item !== undefined;
    },
  };
}

export function jobStore({ services }: CommandContext): JobStore {
  return dynamoDbJobStore(services.dynamoDb, services.configuration.operationsTable);
}

/** Refuses a job that is not there. */
export async function requireJob(context: CommandContext, id: string): Promise<ReplayJob> {
  const job = await jobStore(context).read(id, context.host.stop);
  if (job === undefined) throw refusal('UNKNOWN_JOB', `there is no job ${id}: see replay list`);
  return job;
}
