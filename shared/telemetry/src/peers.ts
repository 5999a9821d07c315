import type { ScrapedMetric } from './scraped-metric.ts';

/** Another process of the same pipeline, whose metrics are scraped together with those of this one. */
export interface MetricsPeer {
  readonly process: string;
  /** Where it answers a scrape. */
  readonly url: string;
}

const ENTRY = /^([a-z][a-z0-9-]*)=(https?:\/\/\S+)$/;

/** Reads `name=url,name=url`. Undefined where that is not what the text holds. */
export function parseMetricsPeers(text: string): readonly MetricsPeer[] | undefined {
  const peers: MetricsPeer[] = [];
  for (const entry of text === '' ? [] : text.split(',')) {
    const [, process, url] = ENTRY.exec(entry.trim()) ?? [];
    if (process === undefined || url === undefined || !URL.canParse(url)) return undefined;
    peers.push({ process, url });
  }
  return peers;
}

export function formatMetricsPeers(peers: readonly MetricsPeer[]): string {
  return peers.map(({ process, url }) => `${process}=${url}`).join(',');
}

/** Peers, and which of them answered the last time. */
export interface ScrapedPeers {
  /** Texts of those that answer within two seconds. Never rejects. */
  scrape(): Promise<readonly string[]>;
  /** 1 for each peer that answered the last scrape, 0 for the others. */
  readonly up: ScrapedMetric;
}

const ANSWER_MS_MAX = 2_000;

export function scrapedPeers(
  peers: readonly MetricsPeer[],
  onFailure: (peer: MetricsPeer, error: unknown) => void,
): ScrapedPeers {
  const answered = new Map(peers.map(({ process }) => [process, false]));
  const scrapeOne = async (peer: MetricsPeer): Promise<readonly string[]> => {
    try {
      const response = await fetch(peer.url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
      const text = await response.text();
      if (!response.ok) throw new Error(`answered with ${response.status}`);
      answered.set(peer.process, true);
      return [text];
    } catch (error) {
      answered.set(peer.process, false);
      onFailure(peer, error);
      return [];
    }
  };
  return {
    scrape: async () => (await Promise.all(peers.map(scrapeOne))).flat(),
    up: {
      type: 'gauge',
      name: 'twinstream_process_up',
      help: 'Whether a process of this pipeline answered when its metrics were asked for.',
      labelNames: ['process'],
      samples: () => [...answered].map(([process, isUp]) => ({ labels: { process }, value: Number(isUp) })),
    },
  };
}
