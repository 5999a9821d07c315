/** A part of the pipeline that can be stopped. */
export interface Stoppable {
  /** Asks it to finish, and kills it `deadlineMs` later: after its own time where that is left out. */
  stop(deadlineMs?: number): Promise<void>;
}

/** Stops what has been started, the last one first, and empties the list, so that a second call does nothing. */
export async function stopParts(started: Stoppable[], deadlineMs?: number): Promise<void> {
  for (const part of started.splice(0).reverse()) await part.stop(deadlineMs);
}
