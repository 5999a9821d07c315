import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const FOLDER = fileURLToPath(new URL('../../../docs/grafana/', import.meta.url));

const targetSchema = z.object({
  expr: z.string().optional(),
  url: z.string().optional(),
  root_selector: z.string().optional(),
  columns: z.array(z.object({ selector: z.string() })).optional(),
});
const dashboardSchema = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(targetSchema).default([]) })),
  templating: z.object({ list: z.array(z.object({ name: z.string(), query: z.string() })) }),
});

/** A request of a panel to the API, as the Infinity data source makes it. */
export interface ApiQuery {
  readonly panel: string;
  /** With variables of Grafana in it. */
  readonly url: string;
  readonly rootSelector: string;
  readonly selectors: readonly string[];
}

export interface GrafanaDashboard {
  /** Names of metrics that panels query. */
  readonly metrics: ReadonlySet<string>;
  readonly apiQueries: readonly ApiQuery[];
  /** Values that variables have at first. */
  readonly variables: ReadonlyMap<string, string>;
}

/** Words of PromQL, and the names of labels that the dashboard groups by. */
const METRIC = /\b(?:twinstream|process|nodejs)_[a-z0-9_]+\b/g;

export function readDashboard(): GrafanaDashboard {
  const { panels, templating } = dashboardSchema.parse(
    JSON.parse(readFileSync(`${FOLDER}twinstream.json`, 'utf8')),
  );
  const targets = panels.flatMap(({ title, targets }) => targets.map((target) => ({ title, ...target })));
  return {
    metrics: new Set(targets.flatMap(({ expr = '' }) => expr.match(METRIC) ?? [])),
    apiQueries: targets.flatMap(({ title, url, root_selector: rootSelector = '', columns = [] }) =>
      url === undefined
        ? []
        : [{ panel: title, url, rootSelector, selectors: columns.map(({ selector }) => selector) }],
    ),
    variables: new Map(templating.list.map(({ name, query }) => [name, query.split(',')[0] ?? ''])),
  };
}

/** A URL as Grafana asks for it: variables have these values, in the format that the variable names. */
export function interpolated(url: string, values: ReadonlyMap<string, string>): string {
  return url.replaceAll(/\$\{(\w+)(?::(\w+)(?::\w+)?)?\}/g, (whole, name: string, format?: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`${whole}: no such variable`);
    return format === 'percentencode' ? encodeURIComponent(value) : value;
  });
}

/** What a scrape holds: metrics by name, with their type, and the names of all samples. */
export function readExposition(text: string): {
  readonly types: ReadonlyMap<string, string>;
  readonly samples: ReadonlySet<string>;
  readonly labels: ReadonlySet<string>;
} {
  const lines = text.split('\n');
  const matches = (pattern: RegExp) => lines.flatMap((line) => [...line.matchAll(pattern)]);
  return {
    types: new Map(matches(/^# TYPE (\S+) (\S+)$/g).map(([, name = '', type = '']) => [name, type])),
    samples: new Set(matches(/^[a-z]\w*/g).map(([name]) => name)),
    labels: new Set(matches(/[{,](\w+)="/g).map(([, name = '']) => name)),
  };
}
