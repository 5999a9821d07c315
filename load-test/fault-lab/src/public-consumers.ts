import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT_CODES } from '@twinstream/command-line';
import { labCommand } from './lab-command.ts';

/** A consumer that anybody can install, and how the lab runs it. */
interface PublicConsumer {
  /** At exact versions. */
  readonly packages: readonly string[];
  /** In the folder of consumers. */
  readonly file: string;
  readonly isHandler: boolean;
}

const CONSUMERS: Readonly<Record<string, PublicConsumer>> = {
  powertools: {
    packages: ['@aws-lambda-powertools/batch@2.35.0'],
    file: 'powertools.ts',
    isHandler: true,
  },
  'aws-lambda-stream': {
    packages: [
      'aws-lambda-stream@1.0.0',
      ...['client-eventbridge@3.1169.0', 'client-kms@3.1164.0', 'client-s3@3.1169.0'].map(
        (client) => `@aws-sdk/${client}`,
      ),
    ],
    file: 'aws-lambda-stream.mjs',
    isHandler: true,
  },
  'lifion-kinesis': { packages: ['lifion-kinesis@1.3.3'], file: 'lifion-kinesis.mjs', isHandler: false },
};

const FOLDER = fileURLToPath(new URL('../consumers/', import.meta.url));
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const USAGE = `Usage: npm run lab:public -- ${Object.keys(CONSUMERS).join(' | ')} [flags of the lab]\n`;

/** Installs a public consumer into an empty folder and runs the lab on it; further arguments are the lab's. Needs the npm registry. */
async function main([name = '', ...labArguments]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h') {
    process.stdout.write(`${USAGE}\n${labCommand().helpInformation()}`);
    return EXIT_CODES.success;
  }
  const consumer = CONSUMERS[name];
  if (consumer === undefined) {
    process.stderr.write(USAGE);
    return EXIT_CODES.usage;
  }
  const folder = mkdtempSync(join(tmpdir(), 'lab-'));
  try {
    const file = join(folder, basename(consumer.file));
    copyFileSync(join(FOLDER, consumer.file), file);
    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
    const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...consumer.packages];
    execFileSync('npm', install, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    const subject = consumer.isHandler ? ['--handler', file] : ['--', process.execPath, file];
    const lab = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', MAIN, ...labArguments, ...subject],
      { cwd: folder, stdio: 'inherit' },
    );
    // Ctrl-C reaches the lab, too, which stops what it has started: its folder stays until then.
    process.on('SIGINT', () => undefined);
    return await new Promise((resolve) => lab.once('close', (code) => resolve(code ?? 1)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
