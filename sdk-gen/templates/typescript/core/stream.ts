import { APIConnectionError, APIError, PrismError } from './errors.js';
import { Leash } from './leash.js';
import { readMetadata, requestIdOf, type PrismMetadata } from './metadata.js';
import type { Resumption } from './resume.js';
import { SSEDecoder, type ServerSentEvent } from './sse.js';

/** How a stream is read. */
export interface StreamRules {
  /** Milliseconds between two pieces. */
  idle?: number | undefined;
  /** The data of the last event, without which the stream was cut. */
  end?: string | undefined;
  /** Goes on after a lost connection. */
  resumption?: Resumption | undefined;
}

/** After the last event the server closes the body: waiting for that keeps the connection for the next request. */
const DRAIN = 1_000;

/**
 * A streamed answer, for `for await`. Leaving the loop closes the connection, and so does `controller.abort()`, which
 * ends the loop quietly; a signal of your own that is aborted throws `APIUserAbortError` instead, so that an answer
 * that was cut never looks like a whole one.
 */
export class Stream<T> implements AsyncIterable<T> {
  readonly controller: AbortController;
  readonly #headers: Headers;
  readonly #iterate: () => AsyncIterator<T, undefined>;
  #taken = false;

  constructor(headers: Headers, controller: AbortController, iterate: () => AsyncIterator<T, undefined>) {
    this.controller = controller;
    this.#headers = headers;
    this.#iterate = iterate;
  }

  /** The events of a response. */
  static ofResponse<T>(response: Response, leash: Leash, rules: StreamRules = {}): Stream<T> {
    return new Stream<T>(response.headers, leash.controller, () => new Events<T>(response, leash, rules));
  }

  /** The other end of `toReadableStream()`: one JSON value a line. */
  static fromReadableStream<T>(readable: ReadableStream<Uint8Array>, controller = new AbortController()): Stream<T> {
    return new Stream<T>(new Headers(), controller, () => parseLines<T>(readable, controller.signal));
  }

  /** What the gateway said about the answer before the first event. */
  get prism(): PrismMetadata {
    return readMetadata(this.#headers);
  }

  get requestId(): string | null {
    return requestIdOf(this.#headers);
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    if (this.#taken) throw new PrismError('a stream is read once; `tee()` makes two of it');
    this.#taken = true;
    return this.#iterate();
  }

  /** Two streams with the same events, each read at its own pace. The connection closes when both were left. */
  tee(): [Stream<T>, Stream<T>] {
    const source = this[Symbol.asyncIterator]();
    const waiting: Array<Promise<IteratorResult<T, undefined>>>[] = [[], []];
    let readers = 2;
    const reader = (own: number): AsyncIterator<T, undefined> => {
      const [mine, other] = [waiting[own]!, waiting[1 - own]!];
      let left = false;
      return {
        next() {
          if (left) return Promise.resolve({ value: undefined, done: true });
          const ready = mine.shift();
          if (ready) return ready;
          const event = source.next();
          event.catch(() => {}); // whoever reads it hears of it
          other.push(event);
          return event;
        },
        async return() {
          if (!left && --readers === 0) await source.return?.();
          left = true;
          mine.length = 0;
          return { value: undefined, done: true };
        },
      };
    };
    return [0, 1].map((own) => new Stream<T>(this.#headers, this.controller, () => reader(own))) as [Stream<T>, Stream<T>];
  }

  /** One JSON value a line, to be sent on as the body of another response. Cancelling it closes the connection. */
  toReadableStream(): ReadableStream<Uint8Array> {
    const events = this[Symbol.asyncIterator]();
    const utf8 = new TextEncoder();
    return new ReadableStream<Uint8Array>({
      async pull(sink) {
        const { value, done } = await events.next();
        if (done) sink.close();
        else sink.enqueue(utf8.encode(JSON.stringify(value) + '\n'));
      },
      async cancel() {
        await events.return?.();
      },
    });
  }
}

/** By hand instead of an async generator: one promise an event rather than three. */
class Events<T> implements AsyncIterator<T, undefined> {
  readonly #headers: Headers;
  readonly #leash: Leash;
  readonly #rules: StreamRules;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #decoder = new SSEDecoder();
  #ready: ServerSentEvent[] = [];
  #next = 0;
  #over = false;
  #bodyEnded = false;
  #reading: Promise<void> | undefined;

  constructor(response: Response, leash: Leash, rules: StreamRules) {
    this.#headers = response.headers;
    this.#leash = leash;
    this.#rules = rules;
    this.#reader = readerOf(response);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    try {
      const event = this.#take();
      return event ? Promise.resolve(event) : this.#wait();
    } catch (error) {
      this.#close();
      return Promise.reject(error as Error);
    }
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#close();
    return Promise.resolve({ value: undefined, done: true });
  }

  async #wait(): Promise<IteratorResult<T, undefined>> {
    try {
      for (;;) {
        await (this.#reading ??= this.#read().finally(() => (this.#reading = undefined)));
        const event = this.#take();
        if (event) return event;
      }
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** The next event that is here, the end, or nothing yet. */
  #take(): IteratorResult<T, undefined> | undefined {
    while (!this.#over && this.#next < this.#ready.length) {
      const { event, data, id } = this.#ready[this.#next++]!;
      if (data === '[DONE]' || data === this.#rules.end) {
        this.#over = true;
        void this.#drain();
      } else if (data !== '') {
        const value = this.#parse(event, data);
        this.#rules.resumption?.passed(id);
        return { value, done: false };
      }
    }
    if (!this.#over && this.#bodyEnded) {
      if (this.#rules.end !== undefined) throw this.#cut(`the stream ended without \`${this.#rules.end}\``);
      this.#over = true;
    }
    return this.#over ? { value: undefined, done: true } : undefined;
  }

  #parse(event: string | null, data: string): T {
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch (cause) {
      if (event === 'error') throw APIError.inStream(data, this.#headers);
      if (this.#bodyEnded) throw this.#cut('the stream ended in the middle of an event', cause);
      throw new APIError('an event of the stream is not JSON', { headers: this.#headers, body: data, cause });
    }
    if (event === 'error' || (value as { error?: unknown } | null)?.error) throw APIError.inStream(value, this.#headers);
    return value as T;
  }

  #cut(message: string, cause?: unknown): APIConnectionError {
    return new APIConnectionError(message, { headers: this.#headers, cause });
  }

  async #read(): Promise<void> {
    if (this.#bodyEnded || this.#over) return;
    const { idle } = this.#rules;
    if (idle !== undefined) this.#leash.limit(idle, 'the next piece of the stream', true);
    let piece: ReadableStreamReadResult<Uint8Array> | undefined;
    try {
      piece = await this.#reader?.read();
    } catch (error) {
      if (await this.#resumed()) return;
      return this.#aborted(error);
    }
    this.#leash.unlimit();
    if (this.#leash.signal.aborted) return this.#aborted(undefined); // some fetches end an aborted body instead of failing it
    const ended = piece?.done ?? true;
    const ready = piece?.value ? this.#decoder.push(piece.value) : ended ? this.#decoder.end() : [];
    if (ended && !ready.some(({ data }) => data === this.#rules.end)) {
      if (await this.#resumed()) return;
      if (this.#leash.signal.aborted) return this.#aborted(undefined);
    }
    [this.#bodyEnded, this.#ready, this.#next] = [ended, ready, 0];
    if (ended) this.#leash.release();
  }

  /** Whether the stream goes on after a lost connection. A limit on silence is the caller's: it is no lost connection. */
  async #resumed(): Promise<boolean> {
    const { resumption } = this.#rules;
    if (!resumption || this.#leash.signal.aborted) return false;
    this.#leash.unlimit();
    void this.#reader?.cancel().catch(() => {});
    const response = await resumption.rest(this.#leash);
    if (!response) return this.#over;
    [this.#reader, this.#decoder, this.#ready, this.#next] = [readerOf(response), new SSEDecoder(), [], 0];
    return true;
  }

  /** By a clock or the caller's signal, which is an error, or by `controller.abort()`, which is the end. */
  #aborted(error: unknown): void {
    if (this.#over) return;
    const reason = this.#leash.explain(error);
    if (reason) throw reason;
    this.#close();
  }

  async #drain(): Promise<void> {
    this.#leash.limit(DRAIN, 'the end of the body', true);
    try {
      while (!this.#bodyEnded && !(await this.#reader?.read())?.done);
    } catch {
      // Everything was read that matters.
    }
    this.#leash.release();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#leash.release();
    this.#leash.controller.abort();
    void this.#reader?.cancel().catch(() => {});
  }
}

function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> | undefined {
  return response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
}

async function* parseLines<T>(readable: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<T, undefined> {
  const reader = readable.getReader();
  const leave = () => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', leave);
  const utf8 = new TextDecoder();
  let rest = '';
  try {
    for (let ended = false; !ended; ) {
      const { value, done } = await reader.read();
      ended = done;
      rest += done ? utf8.decode() : utf8.decode(value, { stream: true });
      const lines = rest.split('\n');
      rest = done ? '' : lines.pop()!;
      for (const line of lines) if (line.trim()) yield JSON.parse(line) as T;
    }
  } finally {
    signal.removeEventListener('abort', leave);
    leave();
  }
  return undefined;
}
