import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeStreamSummaryCommand, UpdateShardCountCommand } from '@aws-sdk/client-kinesis';
import { ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { CodedError, kinesisClient, lambdaClient } from '@twinstream/runtime';
import type { Access } from './access.ts';
import { familyOf, type ProcessLister, processName } from './process-sampler.ts';

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
  /** Ends a function's process at once (kill -9); its supervisor starts it again. */
  kill(name: string): Promise<void>;
  /** Starts or stops invoking a function, and returns when that is so. */
  setMapping(functionName: string, enabled: boolean): Promise<void>;
  shardCount(): Promise<number>;
  /** Splits or merges to so many shards, and returns when the stream is active again. */
  reshard(shardCount: number): Promise<void>;
  /** Puts everything back: no faults, every function invoked. */
  restore(): Promise<void>;
  close(): void;
}

/** How long a change may take until it is so. */
const CHANGE_DEADLINE_MS = 60_000;
const POLL_MS = 200;

export interface LoadSiteOptions {
  readonly access: Access;
  readonly faultsUrl: string;
  readonly pipelinePid: number;
  readonly list: ProcessLister;
}

/** The pipeline on this machine, through its own APIs. */
export function localLoadSite(options: LoadSiteOptions): LoadSite {
  const { access, faultsUrl, pipelinePid, list } = options;
  const kinesis = kinesisClient({ ...access.client, endpoint: access.endpoints.kinesis });
  const lambda = lambdaClient({ ...access.client, endpoint: access.endpoints.lambda });
  const StreamName = access.stream;
  const stopped = new Set<string>();

  const summary = async () => {
    const { StreamDescriptionSummary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
    return {
      status: StreamDescriptionSummary?.StreamStatus,
      shards: StreamDescriptionSummary?.OpenShardCount ?? 0,
    };
  };
  const mappingOf = async (FunctionName: string) => {
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName }),
    );
    return EventSourceMappings[0];
  };

  const site: LoadSite = {
    async setFaults(rules) {
      const response = await fetch(`${faultsUrl}/faults`, {
        method: 'PUT',
        body: JSON.stringify({ rules }),
        signal: AbortSignal.timeout(CHANGE_DEADLINE_MS),
      });
      if (!response.ok) throw failed(`faults were not set: ${await response.text()}`);
    },
    async kill(name) {
      // One that was killed a moment ago may not be back yet.
      await until(`a process ${name} to kill`, async () => {
        const found = familyOf(await list(), pipelinePid).find(
          ({ command }) => processName(command) === name,
        );
        if (found !== undefined) process.kill(found.pid, 'SIGKILL');
        return found !== undefined;
      });
    },
    async setMapping(functionName, enabled) {
      const mapping = await mappingOf(functionName);
      if (mapping?.UUID === undefined) throw failed(`no mapping invokes ${functionName}`);
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID: mapping.UUID, Enabled: enabled }));
      if (enabled) stopped.delete(functionName);
      else stopped.add(functionName);
      const wanted = enabled ? 'Enabled' : 'Disabled';
      await until(`${functionName} ${wanted}`, async () => (await mappingOf(functionName))?.State === wanted);
    },
    shardCount: async () => (await summary()).shards,
    async reshard(shardCount) {
      await kinesis.send(
        new UpdateShardCountCommand({
          StreamName,
          TargetShardCount: shardCount,
          ScalingType: 'UNIFORM_SCALING',
        }),
      );
      await until('the stream active', async () => (await summary()).status === 'ACTIVE');
    },
    async restore() {
      await site.setFaults([]);
      for (const functionName of stopped) await site.setMapping(functionName, true);
    },
    close() {
      kinesis.destroy();
      lambda.destroy();
    },
  };
  return site;
}

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + CHANGE_DEADLINE_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw failed(`not in time: ${what}`);
    await sleep(POLL_MS);
  }
}

function failed(message: string): CodedError {
  return new CodedError('SCENARIO_FAILED', message);
}
