import { APIConnectionError, APIConnectionTimeoutError, APIUserAbortError, type APIError } from './errors.js';

/** Milliseconds. A number alone stands for `attempt`. */
export interface Timeouts {
  /** Until an answer's headers; no limit of its own by default. */
  connect?: number | undefined;
  /** One attempt with its body, or until a stream's headers; 10 minutes by default. */
  attempt?: number | undefined;
  /** The whole call, retries and the waits between them included, or until a stream's headers; no limit by default. */
  total?: number | undefined;
  /** Between two pieces of a stream, which has no other limit; as long as `attempt` by default. */
  idle?: number | undefined;
}

/** What a request hangs on: cut by the caller's signal or by a clock, and it remembers by which. */
export class Leash {
  readonly controller = new AbortController();
  #reason: APIError | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #follow = () => this.cut(new APIUserAbortError(undefined, { cause: this.#signal?.reason }));

  constructor(signal: AbortSignal | null | undefined) {
    this.#signal = signal ?? undefined;
    if (this.#signal?.aborted) this.#follow();
    else this.#signal?.addEventListener('abort', this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Replaces the clock. `background` clocks keep no process alive: an open socket does, as long as it matters. */
  limit(milliseconds: number, what: string, background = false): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!(milliseconds < 2 ** 31)) return; // longer than timers can wait, or no limit
    const expire = () => this.cut(new APIConnectionTimeoutError(`${what} took longer than ${Math.round(milliseconds)} ms`));
    this.#timer = setTimeout(expire, milliseconds);
    if (background) (this.#timer as { unref?: () => void }).unref?.();
  }

  unlimit(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  cut(reason: APIError): void {
    this.#reason ??= reason;
    this.controller.abort(this.#reason);
  }

  /** What a failure on this leash means to the caller; `null` after `controller.abort()`, which is not a failure. */
  explain(error: unknown): APIError | null {
    if (this.#reason) return this.#reason;
    if (this.signal.aborted) return null;
    return connectionError(error);
  }

  /** The request is over. */
  release(): void {
    this.unlimit();
    this.#signal?.removeEventListener('abort', this.#follow);
  }
}

function connectionError(error: unknown): APIConnectionError {
  // Node's fetch says `fetch failed` and keeps the reason in `cause`; its own limits have names of their own.
  const causes = [error, (error as { cause?: unknown } | null)?.cause];
  const said = causes.map((cause) => cause as { name?: unknown; code?: unknown; message?: unknown } | null | undefined);
  const late = said.some((cause) => /Timeout/.test(String(cause?.name)) || /TIMEDOUT|TIMEOUT/.test(String(cause?.code)));
  const messages = [...new Set(said.map((cause) => cause?.message || cause?.code).filter(Boolean))];
  const Kind = late ? APIConnectionTimeoutError : APIConnectionError;
  return new Kind(`the connection failed: ${messages.join(': ') || String(error)}`, { cause: error });
}
