import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT_CODES } from '@twinstream/command-line';
import { labCommand } from './lab-command.ts';

/** A consumer that anybody can install. */
interface PublicConsumer {
  /** Installs it, at exact versions, into an empty folder. Returns what the lab runs: its last arguments. Throws where it cannot be had. */
  install(folder: string): readonly string[];
}

const CONSUMERS: Readonly<Record<string, PublicConsumer>> = {
  powertools: npmConsumer('powertools.ts', { isHandler: true }, ['@aws-lambda-powertools/batch@2.35.0']),
  'aws-lambda-stream': npmConsumer('aws-lambda-stream.mjs', { isHandler: true }, [
    'aws-lambda-stream@1.0.0',
    ...['client-eventbridge@3.1169.0', 'client-kms@3.1164.0', 'client-s3@3.1169.0'].map(
      (client) => `@aws-sdk/${client}`,
    ),
  ]),
  'lifion-kinesis': npmConsumer('lifion-kinesis.mjs', { isHandler: false }, ['lifion-kinesis@1.3.3']),
  kcl: mavenConsumer('kcl', 'PollStream'),
};

const FOLDER = fileURLToPath(new URL('../consumers/', import.meta.url));
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const USAGE = `Usage: npm run lab:public -- ${Object.keys(CONSUMERS).join(' | ')} [flags of the lab]\n`;

/** A module of the folder of consumers, with packages of the npm registry. */
function npmConsumer(
  file: string,
  { isHandler }: { readonly isHandler: boolean },
  packages: readonly string[],
): PublicConsumer {
  return {
    install: (folder) => {
      const path = join(folder, file);
      copyFileSync(join(FOLDER, file), path);
      writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
      const options = ['--no-audit', '--no-fund', '--ignore-scripts'];
      run(folder, 'npm', ['install', ...options, ...packages]);
      return isHandler ? ['--handler', path] : ['--', process.execPath, path];
    },
  };
}

/** A class with `main`, and the `pom.xml` beside it, with packages of Maven Central. */
function mavenConsumer(source: string, mainClass: string): PublicConsumer {
  return {
    install: (folder) => {
      copyFileSync(join(FOLDER, source, 'pom.xml'), join(folder, 'pom.xml'));
      run(folder, 'mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib']);
      const file = join(FOLDER, source, `${mainClass}.java`);
      run(folder, 'javac', ['-proc:none', '-cp', 'lib/*', '-d', 'classes', file]);
      return [
        '--',
        'java',
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
        '-cp',
        'classes:lib/*',
        mainClass,
      ];
    },
  };
}

function run(folder: string, command: string, parameters: readonly string[]): void {
  execFileSync(command, parameters, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

/**
 * Installs a public consumer into an empty folder and runs the lab on it; further arguments are the lab's. Says so where it cannot
 * be had: it needs the npm registry, or Java, Maven and Maven Central.
 */
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
    const subject = installed(name, consumer, folder);
    if (subject === undefined) return EXIT_CODES.success;
    const lab = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', MAIN, ...labArguments, ...subject],
      // By the channel the lab sees the end of this process, however it comes.
      { cwd: folder, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] },
    );
    // Ctrl-C reaches the lab, too, which stops what it has started: its folder stays until then.
    process.on('SIGINT', () => undefined);
    return await new Promise((resolve) => lab.once('close', (code) => resolve(code ?? 1)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Undefined, with the reason on standard error, where the consumer cannot be had here. */
function installed(name: string, consumer: PublicConsumer, folder: string): readonly string[] | undefined {
  try {
    return consumer.install(folder);
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    process.stderr.write(`${name} skipped: it cannot be had or built here: ${reason}\n`);
    return undefined;
  }
}

process.exitCode = await main(process.argv.slice(2));
