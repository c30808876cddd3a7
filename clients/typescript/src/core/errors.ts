/**
 * Everything that can go wrong, with the names that users of OpenAI's SDK know:
 *
 *     PrismError                      the SDK was used wrongly
 *     └─ APIError                     a request failed
 *        ├─ APIConnectionError        there was no answer, or it broke off
 *        │  └─ APIConnectionTimeoutError
 *        ├─ APIUserAbortError         your signal was aborted
 *        └─ BadRequestError (400), AuthenticationError (401), PermissionDeniedError (403), NotFoundError (404),
 *           ConflictError (409), UnprocessableEntityError (422), RateLimitError (429), InternalServerError (5xx)
 */
import { readMetadata, requestIdOf, type PrismMetadata } from './metadata.js';

export class PrismError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Evidence of a failure; what there was no answer to tell is missing. */
export interface Failure {
  status?: number | undefined;
  headers?: Headers | undefined;
  /** The answer's body: parsed if it is JSON, else the text. */
  body?: unknown;
  cause?: unknown;
}

export class APIError extends PrismError {
  readonly status: number | undefined;
  readonly headers: Headers | undefined;
  /** The `error` object of the body, or the body itself. */
  readonly error: unknown;
  readonly type: string | null;
  readonly code: string | null;
  readonly param: string | null;
  readonly requestId: string | null;

  constructor(message: string, { status, headers, body, cause }: Failure = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.headers = headers;
    this.error = member(body, 'error') ?? body;
    this.type = text(this.error, 'type');
    this.code = text(this.error, 'code');
    this.param = text(this.error, 'param');
    this.requestId = headers ? requestIdOf(headers) : null;
  }

  /** The same as `requestId`, as OpenAI's SDK spells it. */
  get requestID(): string | null {
    return this.requestId;
  }

  /** What the gateway said about the answer, if there was one. */
  get prism(): PrismMetadata | null {
    return this.headers ? readMetadata(this.headers) : null;
  }

  /** The answer with this status as an error. */
  static of(status: number, body: unknown, headers: Headers): APIError {
    const said = messageOf(body) ?? (typeof body === 'string' ? body.slice(0, 500) : JSON.stringify(body));
    const Kind = byStatus[status] ?? (status >= 500 ? InternalServerError : APIError);
    return new Kind(said ? `${status} ${said}` : `${status} without a body`, { status, headers, body });
  }

  /** An event that ends a stream. */
  static inStream(body: unknown, headers: Headers): APIError {
    return new APIError(messageOf(body) ?? `the stream failed: ${JSON.stringify(body)}`, { headers, body });
  }
}

export class APIConnectionError extends APIError {
  constructor(message = 'there is no connection', failure?: Failure) {
    super(message, failure);
  }
}

export class APIConnectionTimeoutError extends APIConnectionError {
  constructor(message = 'the request timed out', failure?: Failure) {
    super(message, failure);
  }
}

export class APIUserAbortError extends APIError {
  constructor(message = 'the request was aborted', failure?: Failure) {
    super(message, failure);
  }
}

export class BadRequestError extends APIError {}
export class AuthenticationError extends APIError {}
export class PermissionDeniedError extends APIError {}
export class NotFoundError extends APIError {}
export class ConflictError extends APIError {}
export class UnprocessableEntityError extends APIError {}
export class RateLimitError extends APIError {}
export class InternalServerError extends APIError {}

const byStatus: { [status: number]: typeof APIError } = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  422: UnprocessableEntityError,
  429: RateLimitError,
};

/** `{error: {message}}`, `{message}` or `{error: "text"}`. */
function messageOf(body: unknown): string | null {
  const error = member(body, 'error');
  return text(error, 'message') ?? text(body, 'message') ?? (typeof error === 'string' ? error : null);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown, name: string): string | null {
  const found = member(value, name);
  return typeof found === 'string' ? found : null;
}
