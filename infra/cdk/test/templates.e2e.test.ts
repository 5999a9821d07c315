import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lintTemplates } from '../src/python/lint-templates.ts';
import { type Context, FULL, makeStacks, removeApps } from './templates.ts';

const folder = mkdtempSync(join(tmpdir(), 'twinstream-templates-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  removeApps();
});

/** Files of all templates of a stage. */
function synthesize(name: string, context: Context): string[] {
  const outdir = join(folder, name);
  makeStacks(context, { outdir }).app.synth();
  return readdirSync(outdir)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => join(outdir, file));
}

test('templates are what CloudFormation takes (cfn-lint)', async ({ skip }) => {
  const files = [...synthesize('full', FULL), ...synthesize('smallest', {})];
  expect(files).toHaveLength(5);
  const result = await lintTemplates(files);
  if (result.outcome === 'skipped') skip(`cfn-lint skipped: ${result.reason}`);
  expect(result).toEqual({ outcome: 'clean' });
});
