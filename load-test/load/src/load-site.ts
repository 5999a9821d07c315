import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeStreamSummaryCommand, UpdateShardCountCommand } from '@aws-sdk/client-kinesis';
import { ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { kinesisClient } from '@twinstream/aws/kinesis';
import { lambdaClient } from '@twinstream/aws/lambda';
import type { Access } from '@twinstream/end-to-end';
import { CodedError } from '@twinstream/runtime';
import { familyOf, processLister, processName } from './process-sampler.ts';

/** A rule of the fault control endpoint (`PUT /faults`). */
export interface FaultRule {
  readonly service: string;
  readonly operation?: string;
  readonly kind: string;
  /** Share of requests or records that is struck. */
  readonly rate: number;
}

/** The running pipeline as far as a scenario may lay hands on it. */
export interface LoadSite {
  /** Replaces all fault rules. */
  setFaults(rules: readonly FaultRule[]): Promise<void>;
  /** Ends a function's process immediately (kill -9); its supervisor starts it again. */
  kill(name: string): Promise<void>;
  /** Starts or stops invoking a function, and returns when that is so. */
  setMapping(functionName: string, enabled: boolean): Promise<void>;
  shardCount(): Promise<number>;
  /** Splits or merges to this number of shards, and returns when the stream is active again. */
  reshard(shardCount: number): Promise<void>;
  /** No faults, and every function invoked: what was sent can be finished. */
  resume(): Promise<void>;
  /** Everything as it was found, the number of shards too. Rejects with `NOT_RESTORED`, naming what is left. */
  restore(): Promise<void>;
  close(): void;
}

export function scenarioFailed(message: string): CodedError {
  return new CodedError('SCENARIO_FAILED', message);
}

const POLL_MS = 200;

export interface AwsLoadSiteOptions {
  readonly access: Access;
  /** Names of the functions of the deployment, by their names in scenarios; those that are the same may be left out. */
  readonly functionNames?: Readonly<Record<string, string>>;
  /** How long a change may take until it is so, in milliseconds. */
  readonly changeDeadlineMs: number;
  /** Between two looks at whether a change is so, in milliseconds. Default: {@link POLL_MS}. */
  readonly pollMs?: number;
}

/** A pipeline through nothing but the APIs of AWS, which inject no faults and kill no process. */
export function awsLoadSite(options: AwsLoadSiteOptions): LoadSite {
  const { access, functionNames = {}, changeDeadlineMs, pollMs = POLL_MS } = options;
  const kinesis = kinesisClient(access.clients.kinesis);
  const lambda = lambdaClient(access.clients.lambda);
  const StreamName = access.stream;
  const stopped = new Set<string>();
  let shardsAtFirst: number | undefined;

  const summary = async () => {
    const { StreamDescriptionSummary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
    return {
      status: StreamDescriptionSummary?.StreamStatus,
      shards: StreamDescriptionSummary?.OpenShardCount ?? 0,
    };
  };
  /** Rejects where there is none: one that is gone changes no more, however long it is waited for. */
  const mappingOf = async (name: string) => {
    const FunctionName = functionNames[name] ?? name;
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName }),
    );
    const mapping = EventSourceMappings.find((each) => streamOf(each.EventSourceArn ?? '') === StreamName);
    if (mapping === undefined) throw scenarioFailed(`no mapping of ${StreamName} invokes ${name}`);
    return mapping;
  };
  const until = (what: string, isTrue: () => Promise<boolean>) =>
    waitUntil(what, isTrue, changeDeadlineMs, pollMs);
  const active = () => until('the stream active', async () => (await summary()).status === 'ACTIVE');

  /** A mapping that is still on its way from one state to the other takes no change. */
  const settledMapping = async (name: string) => {
    const isSettled = async () => !/ing$/.test((await mappingOf(name)).State ?? '');
    await until(`the mapping of ${name} at rest`, isSettled);
    return mappingOf(name);
  };

  const site: LoadSite = {
    setFaults: () => Promise.reject(scenarioFailed('AWS injects no faults')),
    kill: () => Promise.reject(scenarioFailed('AWS kills no process')),
    async setMapping(name, enabled) {
      const mapping = await settledMapping(name);
      if (!enabled && mapping.State !== 'Enabled') {
        throw scenarioFailed(`the mapping of ${name} is ${mapping.State}, not Enabled`);
      }
      if (!enabled) stopped.add(name);
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID: mapping.UUID, Enabled: enabled }));
      const wanted = enabled ? 'Enabled' : 'Disabled';
      await until(`${name} ${wanted}`, async () => (await mappingOf(name)).State === wanted);
      if (enabled) stopped.delete(name);
    },
    shardCount: async () => (await summary()).shards,
    async reshard(shardCount) {
      shardsAtFirst ??= await site.shardCount();
      await kinesis.send(
        new UpdateShardCountCommand({
          StreamName,
          TargetShardCount: shardCount,
          ScalingType: 'UNIFORM_SCALING',
        }),
      );
      await active();
    },
    async resume() {
      for (const name of [...stopped]) await site.setMapping(name, true);
    },
    async restore() {
      const left: string[] = [];
      for (const name of [...stopped]) {
        const why = await site.setMapping(name, true).then(() => undefined, messageOf);
        if (why !== undefined) left.push(`the mapping of ${name} is to be enabled again: ${why}`);
      }
      const why = await restoreShards().then(() => undefined, messageOf);
      if (why !== undefined) left.push(`${StreamName} is to have ${shardsAtFirst} shards again: ${why}`);
      if (left.length > 0) throw new CodedError('NOT_RESTORED', left.join('; '));
    },
    close() {
      kinesis.destroy();
      lambda.destroy();
    },
  };
  const restoreShards = async () => {
    if (shardsAtFirst === undefined) return;
    // A change that was under way when a person stopped the run must end before the next.
    await active();
    if ((await site.shardCount()) !== shardsAtFirst) await site.reshard(shardsAtFirst);
  };
  return site;
}

/** Name of the stream in its own ARN, or in that of a consumer of it. */
function streamOf(arn: string): string | undefined {
  return arn.split(':stream/')[1]?.split('/')[0];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Rejects with `SCENARIO_FAILED` at the deadline. */
export async function waitUntil(
  what: string,
  isTrue: () => Promise<boolean>,
  deadlineMs: number,
  pollMs: number = POLL_MS,
): Promise<void> {
  const endMs = Date.now() + deadlineMs;
  while (!(await isTrue())) {
    if (Date.now() > endMs) throw scenarioFailed(`not in time: ${what}`);
    await sleep(pollMs);
  }
}

/** How long a change may take until it is so. */
const CHANGE_DEADLINE_MS = 60_000;

export interface LocalLoadSiteOptions {
  readonly access: Access;
  readonly faultsUrl: string;
  /** Process whose descendants are those of the pipeline. */
  readonly pipelinePid: number;
}

/** A pipeline on this machine: beside what AWS can do, its requests can be struck and its processes killed. */
export function localLoadSite({ access, faultsUrl, pipelinePid }: LocalLoadSiteOptions): LoadSite {
  const aws = awsLoadSite({ access, changeDeadlineMs: CHANGE_DEADLINE_MS });
  const list = processLister();
  const site: LoadSite = {
    ...aws,
    async setFaults(rules) {
      const response = await fetch(`${faultsUrl}/faults`, {
        method: 'PUT',
        body: JSON.stringify({ rules }),
        signal: AbortSignal.timeout(CHANGE_DEADLINE_MS),
      });
      if (!response.ok) throw scenarioFailed(`faults were not set: ${await response.text()}`);
    },
    async kill(name) {
      // One that was killed a moment ago may not be back yet.
      const isKilled = async () => {
        const family = familyOf(await list(), pipelinePid);
        const found = family.find(({ command }) => processName(command) === name);
        if (found !== undefined) process.kill(found.pid, 'SIGKILL');
        return found !== undefined;
      };
      await waitUntil(`a process ${name} to kill`, isKilled, CHANGE_DEADLINE_MS);
    },
    async resume() {
      await site.setFaults([]);
      await aws.resume();
    },
    async restore() {
      await site.setFaults([]);
      await aws.restore();
    },
  };
  return site;
}
