import { Leash } from './leash.js';
import type { HeaderValues } from './request.js';
import { delay, isRetryable, sleep } from './retry.js';

/** Connections in a row that bring nothing new. */
const MOST_TRIES = 10;

/** Where a stream stands that was asked for as resumable, and how the rest is had after a lost connection. */
export class Resumption {
  readonly #milliseconds: number;
  /** For one try. */
  readonly #patience: number;
  readonly #ask: (leash: Leash, headers: HeaderValues) => Promise<Response>;
  #id: string | null = null;
  #began = false;
  #tries = 0;
  #until: number | undefined;

  constructor(milliseconds: number, patience: number, ask: (leash: Leash, headers: HeaderValues) => Promise<Response>) {
    this.#milliseconds = milliseconds;
    this.#patience = patience;
    this.#ask = ask;
  }

  /** An event was read. */
  passed(id: string | null): void {
    this.#id = id;
    this.#began = true;
    this.#tries = 0;
    this.#until = undefined;
  }

  /** Waits and asks for what comes after the last event; `undefined` when that cannot be had, or the stream was left. */
  async rest(leash: Leash): Promise<Response | undefined> {
    this.#until ??= Date.now() + this.#milliseconds;
    let refused: Response | undefined;
    while (this.#tries < MOST_TRIES && !(this.#began && !this.#id)) {
      const wait = delay(this.#tries++, refused?.headers);
      if (wait >= this.#until - Date.now()) return undefined;
      await sleep(wait, leash.signal);
      if (leash.signal.aborted) return undefined;
      const attempt = new Leash(leash.signal);
      attempt.limit(Math.min(this.#patience, this.#until - Date.now()), 'the answer');
      const response = await this.#ask(attempt, { 'last-event-id': this.#id ?? undefined }).catch(() => undefined);
      attempt.unlimit();
      if (response?.ok) return response; // its body hangs on the leash by way of the attempt's
      attempt.release();
      void response?.body?.cancel().catch(() => {});
      if (response && !isRetryable(response)) return undefined;
      refused = response;
    }
    return undefined;
  }
}
