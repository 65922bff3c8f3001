/** What a lane asks its client processes to do. */

/** A job that runs in a client process. */
export interface Job {
  /** Tells the lane something on the way, once or often. */
  tell(news: unknown): void
  /** Called when the lane wants an end. */
  onStop(run: () => void): void
}

/** Does a job of one kind. A rejection fails the lane. */
export type JobKind<A, R> = (args: A, job: Job) => Promise<R>

/** From the lane to a client process. */
export type Order =
  | { readonly id: number; readonly kind: string; readonly args: unknown }
  | { readonly id: number; readonly stop: true }

/** From a client process to the lane. */
export type Reply =
  | { readonly id: number; readonly news: unknown }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }
