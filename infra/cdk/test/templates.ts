import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AppProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll } from 'vitest';
import { CODE_FOLDER_CONTEXT } from '../src/bundles.ts';
import { addStacks } from '../src/stacks/add-stacks.ts';
import { newApp } from '../src/stacks/new-app.ts';
import { stageConfiguration } from '../src/stages.ts';

/** Stands in for the bundles, which have tests of their own. */
const CODE_FOLDER = fileURLToPath(new URL('code', import.meta.url));

/** Apps write what they synthesize; nobody reads it here. */
const folder = mkdtempSync(join(tmpdir(), 'twinstream-apps-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export type Context = Readonly<Record<string, unknown>>;

/** Everything that can be switched on, in the stage that keeps its data. */
export const FULL: Context = {
  stage: 'prod',
  shards: 4,
  iot: true,
  statusEvents: true,
  jwtIssuer: 'https://issuer.example',
  jwtAudience: 'dashboard,tools',
  alarmEmail: 'operators@example.org',
};

export function makeStacks(context: Context, props: AppProps = {}) {
  const outdir = mkdtempSync(join(folder, 'app-'));
  const app = newApp({ outdir, ...props, postCliContext: { [CODE_FOLDER_CONTEXT]: CODE_FOLDER } });
  return {
    app,
    ...addStacks(
      app,
      stageConfiguration((name) => context[name]),
    ),
  };
}

export function pipelineTemplate(context: Context): Template {
  return Template.fromStack(makeStacks(context).pipeline);
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
