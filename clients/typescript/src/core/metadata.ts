/** What the gateway says about an answer in its headers: `response.prism`, `stream.prism`, `error.prism`. */
export interface PrismMetadata {
  /** The gateway's id of the request: quote it when you ask for help. */
  readonly requestId: string | null;
  readonly traceId: string | null;
  /** The provider that answered. */
  readonly provider: string | null;
  /** The provider's own name of the model that answered. */
  readonly modelUsed: string | null;
  /** US dollars; `null` where the price is unknown (an unknown price is never 0). */
  readonly cost: number | null;
  /** Milliseconds inside the gateway until the answer began. */
  readonly latencyMs: number | null;
  /** The deadline that the gateway set, in milliseconds. */
  readonly timeoutMs: number | null;
  /** Requests that the gateway sent to providers for this one. */
  readonly attempts: number | null;
  readonly fallbackUsed: boolean | null;
  readonly routingStrategy: string | null;
  /** Whether an earlier call with the same idempotency key was answered with this. */
  readonly replayed: boolean;
  /** What the cache did, such as `hit` or `miss`. */
  readonly cache: string | null;
  /** Fields that the provider's format could not express. */
  readonly translation: readonly Translation[];
  readonly rateLimit: RateLimit | null;
}

export interface Translation {
  /** Such as `messages[].name`. */
  readonly field: string;
  readonly fate: 'dropped' | 'approximated' | (string & {});
}

/** What is left of the quotas; `null` where the provider does not say. */
export interface RateLimit {
  readonly limitRequests: number | null;
  readonly remainingRequests: number | null;
  /** Until the quota is full again, as the provider writes it: `1s`, `6m0s`. */
  readonly resetRequests: string | null;
  readonly limitTokens: number | null;
  readonly remainingTokens: number | null;
  readonly resetTokens: string | null;
}

/** A result with the metadata of its response. `prism` is not enumerable: the result prints and serialises as it came. */
export type Answer<T> = T & { readonly prism: PrismMetadata };

export function requestIdOf(headers: Headers): string | null {
  return headers.get('x-prism-request-id') ?? headers.get('x-request-id');
}

export function readMetadata(headers: Headers): PrismMetadata {
  const text = (name: string) => headers.get(`x-prism-${name}`);
  const fallback = text('fallback-used');
  return {
    requestId: requestIdOf(headers),
    traceId: text('trace-id'),
    provider: text('provider'),
    modelUsed: text('model-used'),
    cost: numeric(text('cost')),
    latencyMs: numeric(text('latency-ms')),
    timeoutMs: numeric(text('timeout-ms')),
    attempts: numeric(text('attempts')),
    fallbackUsed: fallback === null ? null : fallback === 'true',
    routingStrategy: text('routing-strategy'),
    replayed: headers.get('idempotent-replayed') === 'true',
    cache: text('cache'),
    translation: readTranslation(text('translation')),
    rateLimit: readRateLimit(headers),
  };
}

/** Read when it is asked for: most programs never look. */
export function attachMetadata<T>(value: T, headers: Headers): Answer<T> {
  if (typeof value === 'object' && value !== null) {
    let metadata: PrismMetadata | undefined;
    Object.defineProperty(value, 'prism', {
      configurable: true,
      enumerable: false,
      get: () => (metadata ??= readMetadata(headers)),
    });
  }
  return value as Answer<T>;
}

/** `logit_bias=dropped, messages[].name=approximated` */
function readTranslation(text: string | null): Translation[] {
  const parts = text?.split(',').map((part) => part.trim()) ?? [];
  return parts.filter(Boolean).map((part) => {
    const at = part.lastIndexOf('=');
    return at < 0 ? { field: '', fate: part } : { field: part.slice(0, at), fate: part.slice(at + 1) };
  });
}

function readRateLimit(headers: Headers): RateLimit | null {
  const text = (name: string) => headers.get(`x-ratelimit-${name}`);
  const limits: RateLimit = {
    limitRequests: numeric(text('limit-requests')),
    remainingRequests: numeric(text('remaining-requests')),
    resetRequests: text('reset-requests'),
    limitTokens: numeric(text('limit-tokens')),
    remainingTokens: numeric(text('remaining-tokens')),
    resetTokens: text('reset-tokens'),
  };
  return Object.values(limits).some((value) => value !== null) ? limits : null;
}

function numeric(text: string | null): number | null {
  const value = text ? Number(text) : NaN;
  return Number.isFinite(value) ? value : null;
}
