/** What a child tells its parent over IPC, once: that it serves, or why it never will. */
export type ReadyMessage =
  | { readonly kind: 'ready'; readonly url: string; readonly pid: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export function isReadyMessage(message: unknown): message is ReadyMessage {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return false;
  return message.kind === 'ready' || message.kind === 'failed';
}

/** Tells the parent, if there is one, and resolves when the message has left this process. */
export function tellParent(message: ReadyMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!process.send) return resolve();
    process.send(message, (error: Error | null) => (error ? reject(error) : resolve()));
  });
}
