import { endWithParent } from './parent-watch.ts';

// Loaded before an app's own entry: when the parent is gone, the app is asked to finish as by a supervisor.
endWithParent(() => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
