/** What a function's host asks of a container. */
export interface ContainerRequest {
  readonly requestId: string;
  /** JSON of the event; the buffer moves to the container. */
  readonly payload: ArrayBuffer;
  readonly deadlineMs: number;
}

/** What a container is told at its start. */
export interface ContainerSetup {
  readonly functionName: string;
  readonly functionArn: string;
  /** URL of the module. */
  readonly moduleUrl: string;
  /** Name of the exported handler. */
  readonly handler: string;
}

/** What a container says. */
export type ContainerMessage =
  /** The module is loaded and exports the handler. */
  | { readonly kind: 'ready' }
  /** The module cannot be loaded, or has no such handler. */
  | { readonly kind: 'broken'; readonly error: ErrorDocument }
  | { readonly kind: 'answered'; readonly payload: string }
  | { readonly kind: 'failed'; readonly error: ErrorDocument };

/** An error as the Node runtime of Lambda reports it. */
export interface ErrorDocument {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}
