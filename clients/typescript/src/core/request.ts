import { PrismError } from './errors.js';
import type { Timeouts } from './leash.js';
import type { GatewayOptions } from '../gateway-options.js';
import { toForm } from './uploads.js';

/** For one call, after its parameters. */
export interface RequestOptions {
  /** Wishes to the gateway, sent as `x-prism-*` headers. */
  prism?: GatewayOptions | undefined;
  /** Ends the call whenever it is aborted: while waiting, between retries, in the middle of a stream. */
  signal?: AbortSignal | null | undefined;
  /** Milliseconds for one attempt, or several limits. */
  timeout?: number | Timeouts | undefined;
  /** How often a failed request is repeated. */
  maxRetries?: number | undefined;
  /**
   * Sent with every attempt: the gateway does the work once, and gives its answer again for ten minutes. None by default, but
   * for resumable streams. Only where the method is POST.
   */
  idempotencyKey?: string | undefined;
  /** More headers; `null` leaves out one that would be sent. */
  headers?: HeaderValues | undefined;
  /** More members of the query. */
  query?: Record<string, unknown> | undefined;
  /** More members of the body, for what this SDK does not know. */
  extraBody?: Record<string, unknown> | undefined;
}

export type HeaderValues = Record<string, string | number | boolean | null | undefined>;

/** An operation with its arguments, as the generated methods describe it. */
export interface Call {
  method: string;
  /** `/v1/models/{model}` */
  path: string;
  server?: 'api' | 'control_plane';
  pathParams?: Record<string, unknown>;
  query?: Record<string, unknown>;
  headers?: HeaderValues;
  body?: unknown;
  /** A multipart body. */
  form?: Record<string, unknown>;
  /** The answer is bytes. */
  binary?: boolean;
  /** The answer is an event stream. */
  stream?: boolean;
  /** The data of the stream's last event. */
  streamEnd?: string;
}

export function addressOf(base: string, call: Call, ...queries: Array<Record<string, unknown> | undefined>): string {
  const path = call.path.replace(/\{([^}]+)\}/g, (_, name: string) => segment(name, call.pathParams?.[name]));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(Object.assign({}, ...queries) as Record<string, unknown>)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined && item !== null) query.append(name, typeof item === 'object' ? JSON.stringify(item) : String(item));
    }
  }
  const text = query.toString();
  return base + path + (text && `${path.includes('?') ? '&' : '?'}${text}`);
}

/** One segment of a path, whatever it holds: it never climbs out. */
function segment(name: string, value: unknown): string {
  const text = String(value ?? '');
  if (text === '' || text === '.' || text === '..') throw new PrismError(`the path parameter \`${name}\` is ${text ? `\`${text}\`` : 'missing'}`);
  return encodeURIComponent(text);
}

export async function bodyOf(call: Call, extra: Record<string, unknown> | undefined): Promise<string | FormData | undefined> {
  if (call.form) return toForm({ ...call.form, ...extra });
  if (call.body === undefined && !extra) return undefined;
  return JSON.stringify(extra ? { ...(call.body as object | undefined), ...extra } : call.body);
}

/** Later ones win; `null` removes. */
export function mergeHeaders(...sources: Array<HeaderValues | undefined>): Headers {
  const headers = new Headers();
  for (const source of sources) {
    for (const [name, value] of Object.entries(source ?? {})) {
      if (value === undefined) continue;
      try {
        if (value === null) headers.delete(name);
        else headers.set(name, String(value));
      } catch {
        // The runtime's own message quotes the value, which may be a key.
        throw new PrismError(`the header \`${name}\` has a name or a value that cannot be sent`);
      }
    }
  }
  return headers;
}

/** `{ providerLock: 'openai' }` is `{ 'x-prism-provider-lock': 'openai' }`, also for the `defaultHeaders` of OpenAI's SDK. */
export function createHeaders(options: GatewayOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options) as Array<[string, unknown]>) {
    if (value === undefined || value === null) continue;
    const header = `x-prism-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    headers[header] = typeof value === 'object' ? ascii(JSON.stringify(value)) : String(value);
  }
  return headers;
}

/** The same JSON in characters that a header can carry. */
function ascii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
