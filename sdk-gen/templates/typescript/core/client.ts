import { environment, isBrowser, randomId } from './environment.js';
import { APIError, APIConnectionError, APIConnectionTimeoutError, PrismError } from './errors.js';
import type { GatewayOptions } from '../gateway-options.js';
import { Leash, type Timeouts } from './leash.js';
import { Log, isLogLevel, type Logger, type LogLevel } from './log.js';
import { attachMetadata, requestIdOf } from './metadata.js';
import { PagePromise, type RawPage } from './page.js';
import { APIPromise, type Arrival } from './promise.js';
import { addressOf, bodyOf, createHeaders, mergeHeaders, type Call, type HeaderValues, type RequestOptions } from './request.js';
import { Resumption } from './resume.js';
import { delay, isRetryable, sleep } from './retry.js';
import { Stream, type StreamRules } from './stream.js';
import { VERSION } from '../version.js';

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

export interface ClientOptions {
  /** A virtual key, or what gives one for each attempt; `PRISM_API_KEY` by default. A gateway without keys needs none. */
  apiKey?: string | (() => string | Promise<string>) | undefined;
  /** Where the gateway is, with or without `/v1`; `PRISM_BASE_URL` by default. */
  baseUrl?: string | undefined;
  /** Where organisations are administered; `PRISM_CONTROL_PLANE_URL` by default, else `baseUrl`. */
  controlPlaneUrl?: string | undefined;
  /** Wishes to the gateway for all calls, sent as `x-prism-*` headers. */
  prism?: GatewayOptions | undefined;
  /** Milliseconds for one attempt, or several limits; 10 minutes by default. */
  timeout?: number | Timeouts | undefined;
  /** How often a request is repeated after 408, 409, 429, 5xx or a failed connection; 2 by default. */
  maxRetries?: number | undefined;
  defaultHeaders?: HeaderValues | undefined;
  defaultQuery?: Record<string, unknown> | undefined;
  /** The runtime's own by default. */
  fetch?: Fetch | undefined;
  /** `PRISM_LOG` by default, else `warn`. Neither headers nor bodies are ever logged. */
  logLevel?: LogLevel | undefined;
  /** `console` by default. */
  logger?: Logger | undefined;
  /** A key in a web page can be read by everybody who opens it: say that you know. */
  dangerouslyAllowBrowser?: boolean | undefined;
}

const TEN_MINUTES = 600_000;

/** Sends calls. Whatever may hold a secret is `#private`: a client that is printed, serialised or enumerated shows none. */
export class APIClient {
  readonly baseUrl: string;
  readonly controlPlaneUrl: string;
  readonly timeout: number | Timeouts;
  readonly maxRetries: number;
  readonly #options: ClientOptions;
  readonly #key: () => string | undefined | Promise<string>;
  readonly #fetch: Fetch;
  readonly #log: Log;

  constructor(options: ClientOptions, defaultBaseUrl: string) {
    const key = options.apiKey ?? environment('PRISM_API_KEY');
    if (key && isBrowser() && !options.dangerouslyAllowBrowser) {
      throw new PrismError(
        'this is a browser, where everybody can read the key: send requests through your own server, or pass `dangerouslyAllowBrowser: true`',
      );
    }
    this.baseUrl = parseBase('baseUrl', options.baseUrl || environment('PRISM_BASE_URL') || defaultBaseUrl);
    const controlPlaneUrl = options.controlPlaneUrl || environment('PRISM_CONTROL_PLANE_URL');
    this.controlPlaneUrl = controlPlaneUrl ? parseBase('controlPlaneUrl', controlPlaneUrl) : this.baseUrl;
    this.timeout = options.timeout ?? TEN_MINUTES;
    this.maxRetries = options.maxRetries ?? 2;
    this.#options = options;
    this.#key = typeof key === 'function' ? key : () => key;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    const named = environment('PRISM_LOG');
    this.#log = new Log(options.logLevel ?? (isLogLevel(named) ? named : 'warn'), options.logger ?? console);
  }

  /** The same client with other options. */
  withOptions(options: ClientOptions): this {
    const Kind = this.constructor as new (options: ClientOptions) => this;
    return new Kind({ ...this.#options, ...options });
  }

  /** Any call, also of an endpoint that this SDK has no method for: `client.request({ method: 'GET', path: '/v1/new' })`. */
  request<T>(call: Call, options: RequestOptions = {}): APIPromise<T> {
    return new APIPromise<T>(this.#send<T>(call, options));
  }

  /** A list with a cursor. */
  requestPage<T, B extends RawPage<T> = RawPage<T>>(call: Call, options: RequestOptions = {}): PagePromise<T, B> {
    const turn = (cursor: string) => this.requestPage<T, B>({ ...call, query: { ...call.query, cursor } }, options);
    return new PagePromise<T, B>(this.#send<B>(call, options), turn);
  }

  async #send<T>(call: Call, options: RequestOptions): Promise<Arrival<T>> {
    const { defaultQuery, defaultHeaders, prism } = this.#options;
    const base = call.server === 'control_plane' ? this.controlPlaneUrl : this.baseUrl;
    const address = addressOf(base, call, defaultQuery, call.query, options.query);
    const name = `${call.method} ${address.replace(/\?.*/, '')}`;
    const limits = limitsOf(options.timeout, this.timeout);
    const retries = options.maxRetries ?? this.maxRetries;
    const body = await bodyOf(call, options.extraBody);
    const ours: HeaderValues = {
      accept: call.stream ? 'text/event-stream' : call.binary ? '*/*' : 'application/json',
      'content-type': typeof body === 'string' ? 'application/json' : undefined,
      'user-agent': isBrowser() ? undefined : `prism-js/${VERSION}`,
    };
    const wished = { ...(prism && createHeaders(prism)), ...(options.prism && createHeaders(options.prism)) };
    const { idempotencyKey } = options;
    const last: HeaderValues = { 'idempotency-key': call.method === 'POST' ? idempotencyKey : undefined, ...options.headers };
    const ask = async (leash: Leash, more: HeaderValues): Promise<Response> => {
      const key = { authorization: authorization(await this.#key()) };
      const headers = mergeHeaders(ours, key, defaultHeaders, wished, call.headers, last, more);
      if (leash.signal.aborted) throw leash.signal.reason;
      const init = { method: call.method, headers, signal: leash.signal, ...(body === undefined ? {} : { body }) };
      return this.#fetch(address, init);
    };
    const resumable = call.stream ? Number(mergeHeaders(defaultHeaders, wished, call.headers, last).get('x-prism-resumable')) : 0;
    let resumption: Resumption | undefined;
    if (resumable > 0) {
      ours['idempotency-key'] = randomId(); // a connection may also be lost before the first event
      resumption = new Resumption(resumable * 1000, Math.min(limits.connect, limits.attempt), ask);
    }
    const began = Date.now();

    for (let attempt = 0; ; attempt++) {
      const left = limits.total - (Date.now() - began);
      const leash = new Leash(options.signal);
      let response: Response | undefined;
      let failure: APIError | undefined;
      const attemptBegan = Date.now();
      try {
        leash.limit(Math.min(limits.connect, limits.attempt, left), 'the answer');
        this.#log.say('debug', () => `${name}: attempt ${attempt + 1}`);
        response = await ask(leash, { 'x-prism-retry-count': attempt || undefined });
      } catch (error) {
        leash.release();
        if (error instanceof PrismError && !(error instanceof APIError)) throw error; // a mistake of the caller's
        failure = leash.explain(error) ?? new APIConnectionError('the connection failed', { cause: error });
      }
      const took = Date.now() - attemptBegan;
      if (response) {
        const { status, headers } = response;
        this.#log.say('debug', () => `${name}: ${status} after ${took} ms, request ${requestIdOf(headers) ?? 'without an id'}`);
        if (response.ok) {
          const rest = Math.min(limits.attempt - took, limits.total - (Date.now() - began));
          return this.#arrive<T>(call, response, leash, rest, { idle: limits.idle, end: call.streamEnd, resumption });
        }
        if (attempt >= retries || !isRetryable(response)) throw await this.#refusal(response, leash, limits.attempt - took);
      } else if (failure && (attempt >= retries || !isConnectionTrouble(failure))) {
        this.#log.say('debug', () => `${name}: ${failure!.message}`);
        throw failure;
      }

      const wait = delay(attempt, response?.headers);
      const why = response ? String(response.status) : failure!.message;
      if (wait >= limits.total - (Date.now() - began)) {
        throw response ? await this.#refusal(response, leash, limits.attempt - took) : failure!;
      }
      void response?.body?.cancel().catch(() => {});
      this.#log.say('info', () => `${name}: attempt ${attempt + 2} in ${Math.round(wait)} ms (${why})`);
      leash.unlimit();
      const pause = response ? leash : new Leash(options.signal);
      await sleep(wait, pause.signal);
      pause.release();
      leash.release();
      if (pause.signal.aborted) throw pause.explain(undefined) ?? pause.signal.reason;
    }
  }

  #arrive<T>(call: Call, response: Response, leash: Leash, rest: number, rules: StreamRules): Arrival<T> {
    leash.limit(call.stream ? Infinity : rest, 'the body of the answer', true);
    const parse = async (): Promise<T> => {
      if (call.stream) {
        const type = response.headers.get('content-type') ?? '';
        if (/json|html/.test(type)) throw await this.#unreadable(response, leash, `instead of an event stream came ${type}`);
        return Stream.ofResponse(response, leash, rules) as T;
      }
      if (call.binary) {
        leash.unlimit();
        return attachMetadata(response, response.headers) as T;
      }
      const text = await readText(response, leash);
      if (response.status === 204 || text === '') return undefined as T;
      try {
        return attachMetadata(JSON.parse(text) as T, response.headers);
      } catch (cause) {
        const { status, headers } = response;
        throw new APIError(`${status} with a body that is not JSON`, { status, headers, body: text, cause });
      }
    };
    return { response, parse, handOver: () => leash.unlimit() };
  }

  async #refusal(response: Response, leash: Leash, rest: number): Promise<APIError> {
    leash.limit(rest, 'the body of the answer', true);
    const text = await readText(response, leash).catch((error: APIError) => error);
    if (text instanceof Error && !(text instanceof APIConnectionError)) return text;
    const error = APIError.of(response.status, typeof text === 'string' ? parsed(text) : undefined, response.headers);
    this.#log.say('debug', () => `${error.name}, request ${error.requestId ?? 'without an id'}`);
    return error;
  }

  async #unreadable(response: Response, leash: Leash, message: string): Promise<APIError> {
    const { status, headers } = response;
    return new APIError(message, { status, headers, body: parsed(await readText(response, leash)) });
  }
}

function parseBase(option: string, text: string): string {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Said below.
  }
  if (!url || !/^https?:$/.test(url.protocol)) throw new PrismError(`\`${option}\` has to be a URL that begins with http:// or https://`);
  if (url.username || url.password) throw new PrismError(`\`${option}\` must not hold a user or a password: they would show up in logs`);
  return text.replace(/[?#].*$/, '').replace(/\/+$/, '').replace(/\/v1$/, '');
}

/** Never in an error message: the runtime's own would quote the key. */
function authorization(key: string | undefined): string | undefined {
  if (!key) return undefined;
  if (!/^[\x21-\x7e]+$/.test(key)) throw new PrismError('`apiKey` has characters that cannot be sent, such as a line break');
  return `Bearer ${key}`;
}

function limitsOf(asked: number | Timeouts | undefined, general: number | Timeouts): Required<Record<keyof Timeouts, number>> {
  const named = (timeout: number | Timeouts | undefined) => (typeof timeout === 'number' ? { attempt: timeout } : timeout);
  const given: Timeouts = { ...named(general), ...named(asked) };
  const attempt = given.attempt ?? TEN_MINUTES;
  return { attempt, connect: given.connect ?? Infinity, total: given.total ?? Infinity, idle: given.idle ?? attempt };
}

function isConnectionTrouble(error: APIError): boolean {
  return error instanceof APIConnectionError || error instanceof APIConnectionTimeoutError;
}

async function readText(response: Response, leash: Leash): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw leash.explain(error) ?? new APIConnectionError('the answer broke off', { headers: response.headers, cause: error });
  } finally {
    leash.release();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
