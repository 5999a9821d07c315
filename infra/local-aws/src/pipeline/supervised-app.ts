import { CodedError, type Logger } from '@twinstream/runtime';
import { type ChildApp, type ChildAppOptions, startChildApp } from './child-app.ts';

/** Restarts of one app within a minute, after which it counts as broken. */
const RESTARTS_MAX = 60;
const RESTART_WINDOW_MS = 60_000;
const RESTART_WAIT_MS = 200;

/** An app that is started again whenever it dies. */
export interface SupervisedApp {
  readonly name: string;
  /** What it printed first when it was ready. */
  readonly firstLine: string;
  /** Process id of the present incarnation. */
  readonly pid: () => number | undefined;
  /** Rejects with `APP_BROKEN` when it dies faster than it can be restarted. */
  readonly broken: Promise<never>;
  stop(deadlineMs?: number): Promise<void>;
}

export interface SuperviseOptions extends ChildAppOptions {
  /** Is told when a further incarnation is ready, under its own process id. */
  readonly onRestarted?: () => void;
}

/** Starts an app and keeps it running: a kill is a fault that the pipeline must survive, not an end. */
export async function supervise(options: SuperviseOptions, logger: Logger): Promise<SupervisedApp> {
  let app: ChildApp = startChildApp(options);
  const firstLine = await app.firstLine();
  let isStopping = false;
  const deaths: number[] = [];
  const tellWhenReady = async (started: ChildApp): Promise<void> => {
    try {
      await started.firstLine();
      if (!isStopping && started === app) options.onRestarted?.();
    } catch (error) {
      logger.warn({ app: options.name, error }, 'app is not ready');
    }
  };
  const watch = async (): Promise<never> => {
    while (true) {
      const how = await app.exited;
      if (isStopping) return await new Promise<never>(() => undefined);
      const now = Date.now();
      deaths.push(now);
      while ((deaths[0] ?? now) < now - RESTART_WINDOW_MS) deaths.shift();
      if (deaths.length > RESTARTS_MAX) {
        throw new CodedError(
          'APP_BROKEN',
          `${options.name} died ${deaths.length} times within a minute (${how})`,
        );
      }
      logger.warn({ app: options.name, how }, 'app died and is started again');
      await new Promise((resolve) => setTimeout(resolve, RESTART_WAIT_MS));
      if (isStopping) return await new Promise<never>(() => undefined);
      app = startChildApp(options);
      void tellWhenReady(app);
    }
  };
  return {
    name: options.name,
    firstLine,
    pid: () => app.pid,
    broken: watch(),
    stop: async (deadlineMs) => {
      isStopping = true;
      await app.stop(deadlineMs);
    },
  };
}
