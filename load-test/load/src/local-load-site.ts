import type { Access } from '@twinstream/end-to-end';
import { awsLoadSite, waitUntil } from './aws-load-site.ts';
import { type LoadSite, scenarioFailed } from './load-site.ts';
import { familyOf, processLister, processName } from './process-sampler.ts';

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
