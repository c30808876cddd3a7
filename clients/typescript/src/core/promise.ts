import { readMetadata, requestIdOf, type PrismMetadata } from './metadata.js';

/** A response and what becomes of it: parsed once and only if somebody wants that. */
export interface Arrival<T> {
  response: Response;
  parse: () => Promise<T>;
  /** The response is the caller's now: no clock bounds it any more. */
  handOver: () => void;
}

export interface WithResponse<T> {
  data: T;
  response: Response;
  requestId: string | null;
  prism: PrismMetadata;
}

/** A promise of the parsed answer that can also give the response itself. The request is on its way at once. */
export class APIPromise<T> extends Promise<T> {
  readonly #arrival: Promise<Arrival<T>>;
  #parsed: Promise<T> | undefined;

  constructor(arrival: Promise<Arrival<T>>) {
    super((resolve) => resolve(undefined as T)); // never looked at: `then` is our own
    this.#arrival = arrival;
  }

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** The response as it came, its body unread. */
  async asResponse(): Promise<Response> {
    const arrival = await this.#arrival;
    arrival.handOver();
    return arrival.response;
  }

  /** The parsed answer with its response (whose body was read). */
  async withResponse(): Promise<WithResponse<T>> {
    const [data, { response }] = await Promise.all([this.#parse(), this.#arrival]);
    const { headers } = response;
    return { data, response, requestId: requestIdOf(headers), prism: readMetadata(headers) };
  }

  override then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#parse().then(fulfilled, rejected);
  }

  override catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#parse().catch(rejected);
  }

  override finally(settled?: (() => void) | null): Promise<T> {
    return this.#parse().finally(settled);
  }

  #parse(): Promise<T> {
    return (this.#parsed ??= this.#arrival.then((arrival) => arrival.parse()));
  }
}
