import { startSimulatorIn } from '../src/running-pipeline.ts';

// A test run that is killed: it has started a simulator, tells its process id, and lives until then.
const child = startSimulatorIn(process.cwd(), {}, ['--target', 'aws', '--count', '10', '--seed', '1']);
process.stdout.write(`${child.pid}\n`);
setInterval(() => undefined, 60_000);
