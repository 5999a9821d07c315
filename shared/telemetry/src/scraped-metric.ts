import type { Registry } from 'prom-client';

/** One value of a metric. Label values come from bounded sets: never ids of devices. */
export interface ScrapedSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric whose values are kept elsewhere anyway, and are read at each scrape. */
export interface ScrapedMetric {
  /** A counter's name ends in `_total`; both have their unit in it, in seconds or bytes. */
  readonly type: 'counter' | 'gauge';
  readonly name: string;
  readonly help: string;
  /** None by default. */
  readonly labelNames?: readonly string[];
  readonly samples: () => readonly ScrapedSample[];
}

/** Adds metrics to a registry. */
export async function addScrapedMetrics(
  registry: Registry,
  metrics: readonly ScrapedMetric[],
): Promise<void> {
  const { Counter, Gauge } = await import('prom-client');
  for (const { type, name, help, labelNames = [], samples } of metrics) {
    const Kind = type === 'counter' ? Counter : Gauge;
    new Kind({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels = {}, value } of samples()) this.inc(labels, value);
      },
    });
  }
}
