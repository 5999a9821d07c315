import { startKinesis } from '../../src/kinesis/index.ts';

/** A server in a process of its own, to be killed: `server-process.ts <data folder>`; it sends its port. */
const [dataDir] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('which data folder?');
const { port } = await startKinesis({ dataDir, limitsEnforced: false, transitionMs: 0 });
process.send?.(port);
process.once('disconnect', () => process.exit(0));
