// Generated from openapi/openapi.json. Do not edit.

/** Wishes to the gateway, each sent as the `x-prism-*` header of its name. */
export interface GatewayOptions {
  /** An id of your own, 1 to 255 characters; logged beside the gateway's. */
  requestId?: string | null | undefined;
  /** Echoed in the answer, 1 to 255 characters. */
  traceId?: string | null | undefined;
  /** Milliseconds for the whole request; for a stream, until its first content. */
  requestTimeout?: integer | null | undefined;
  /** Only this provider may answer. */
  providerLock?: string | null | undefined;
  /** `true` refuses the request when a field would be dropped or approximated on its way to the provider. */
  strict?: boolean | null | undefined;
  /**
   * `true` adds `x_prism: {cost}` (US dollars) to a stream's usage chunk, which `stream_options.include_usage` asks
   * for.
   */
  includeCost?: boolean | null | undefined;
  /**
   * Routing of this request alone, as JSON: `strategy`, `targets`, `failover`, `retry`, `timeouts`, `model_fallbacks`,
   * with the names of the configuration file.
   */
  config?: json | null | undefined;
  /**
   * Seconds for which the upstream call of a stream outlives a lost connection. Its events carry ids; the same request
   * with the last of them in `Last-Event-ID` goes on where the connection was lost.
   */
  resumable?: integer | null | undefined;
  /** The user whose limits are shown beside those of the key */
  userId?: string | null | undefined;
}

type integer = number;
type json = { readonly [member: string]: unknown };
