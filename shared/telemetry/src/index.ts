export * from './exposition.ts';
export * from './metrics-server.ts';
export * from './peers.ts';
export * from './process-registry.ts';
export * from './scraped-metric.ts';
export * from './span-exporter.ts';
export * from './trace-context.ts';
