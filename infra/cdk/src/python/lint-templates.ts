import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CodedError } from '@twinstream/runtime';
import { pythonTool } from './python-tool.ts';

const run = promisify(execFile);
const CFN_LINT = 'cfn-lint==1.58.0';
/** W3005: a dependency that is named although a reference implies it. CDK does so for every role of a function. */
const IGNORED = ['W3005'];
const LINT_MS_MAX = 180_000;
const CLEAN = 0;

export type LintResult =
  | { readonly outcome: 'clean' }
  | { readonly outcome: 'findings'; readonly text: string }
  | { readonly outcome: 'skipped'; readonly reason: string };

/** Holds templates to the resource schemas of CloudFormation. Throws `LINT_FAILED` when the linter itself fails. */
export async function lintTemplates(files: readonly string[]): Promise<LintResult> {
  const tool = await pythonTool(CFN_LINT, 'cfn-lint');
  if (!tool.isThere) return { outcome: 'skipped', reason: tool.reason };
  const args = ['--ignore-checks', ...IGNORED, '--', ...files];
  const { code, stdout, stderr } = await run(join(tool.binDir, 'cfn-lint'), args, {
    timeout: LINT_MS_MAX,
  }).then(
    (said) => ({ ...said, code: CLEAN }),
    (error: { code?: unknown; stdout?: unknown; stderr?: unknown }) => error,
  );
  if (code === CLEAN) return { outcome: 'clean' };
  if (typeof stdout !== 'string' || stdout === '') {
    throw new CodedError('LINT_FAILED', `cfn-lint ended with ${String(code)}: ${String(stderr)}`);
  }
  return { outcome: 'findings', text: stdout };
}
