import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AppProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CODE_FOLDER_CONTEXT } from '../src/code-folders.ts';
import { addStacks } from '../src/stacks/add-stacks.ts';
import { newApp } from '../src/stacks/new-app.ts';
import { stageConfiguration } from '../src/stages.ts';

/** In place of the bundles, which have tests of their own. */
export const CODE_FOLDER = fileURLToPath(new URL('code', import.meta.url));

/** Where apps write what they synthesize; nobody reads it here. */
const folders: string[] = [];

/** Removes what the apps of this file have written. */
export function removeApps(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export type Context = Readonly<Record<string, unknown>>;

/** Everything that can be switched on, in the stage that keeps its data. */
export const FULL: Context = {
  stage: 'prod',
  shards: 4,
  iot: true,
  statusEvents: true,
  canaryDevice: true,
  jwtIssuer: 'https://issuer.example',
  jwtAudience: 'dashboard,tools',
  alarmEmail: 'operators@example.org',
};

/** A stage whose workload sizes stream, functions and tables. */
export const PLANNED: Context = {
  stage: 'prod',
  devices: 100_000,
  eventsPerSecond: 0.1,
  eventBytes: 170,
  aggregated: true,
  latencyBudgetSeconds: 60,
  tableBilling: 'provisioned',
  eventsTableClass: 'infrequent-access',
  alarmEmail: 'operators@example.org',
  monthlyBudgetUsd: 1_000,
};

/** A fleet that only the long-lived API answers for. */
export const LARGE: Context = {
  ...PLANNED,
  devices: 1_000_000,
  fleetApi: 'service',
  jwtIssuer: 'https://issuer.example',
  jwtAudience: 'dashboard,tools',
};

/**
 * A test that makes stacks calls {@link removeApps} in the end. The CDK's own rules, whose engine takes 15 s of processor time to
 * load, are left to `templates.e2e.test.ts`, which applies them to every kind of stage.
 */
export function makeStacks(context: Context, props: AppProps = {}) {
  const outdir = mkdtempSync(join(tmpdir(), 'twinstream-app-'));
  folders.push(outdir);
  const app = newApp({
    outdir,
    builtinCloudFormationValidation: false,
    ...props,
    postCliContext: { [CODE_FOLDER_CONTEXT]: CODE_FOLDER },
  });
  return {
    app,
    ...addStacks(
      app,
      stageConfiguration((name) => context[name]),
    ),
  };
}

const templates = new Map<string, Template>();

/** Made once for all tests of a process. */
export function pipelineTemplate(context: Context): Template {
  const key = JSON.stringify(context);
  const known = templates.get(key);
  if (known !== undefined) return known;
  try {
    const template = Template.fromStack(makeStacks(context).pipeline);
    templates.set(key, template);
    return template;
  } finally {
    removeApps();
  }
}

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

/** Resources of a type by logical id. */
export function resources(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.findResources(type)).map(([id, found]) => {
    const { Type, Properties = {} } = found;
    return [id, { Type, Properties }];
  });
}

/** The one resource of a type whose logical id begins so. Throws where there is none, or more than one. */
export function resource(template: Template, type: string, idPrefix: string): Record<string, unknown> {
  const found = resources(template, type).filter(([id]) => id.startsWith(idPrefix));
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(`${found.length} resources of ${type} begin with ${idPrefix}`);
  }
  return first[1].Properties;
}
