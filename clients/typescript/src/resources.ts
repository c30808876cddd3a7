// Generated from openapi/openapi.json. Do not edit.
import type { APIClient } from './core/client.js';
import type { Answer } from './core/metadata.js';
import type { PagePromise } from './core/page.js';
import type { APIPromise } from './core/promise.js';
import type { RequestOptions } from './core/request.js';
import type { Stream } from './core/stream.js';
import type * as types from './types.js';

/** `client.chat.completions` */
export class ChatCompletions {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Create a chat completion
   *
   * The body is OpenAI's and goes to the provider byte for byte where the provider speaks the same
   * format; fields that are not listed here are passed on. With `stream: true` the answer is a stream of
   * server-sent events that ends with `data: [DONE]`, or with an `error` event when the provider's
   * stream was cut.
   *
   * `POST /v1/chat/completions`
   * @returns The completion, or a stream of chunks when `stream` is true
   */
  create(params: types.ChatCompletionRequest & { stream?: false | null }, options?: RequestOptions): APIPromise<Answer<types.ChatCompletion>>;
  create(params: types.ChatCompletionRequest & { stream: true }, options?: RequestOptions): APIPromise<Stream<types.ChatCompletionChunk>>;
  create(params: types.ChatCompletionRequest & { stream?: boolean | null }, options?: RequestOptions): APIPromise<Answer<types.ChatCompletion> | Stream<types.ChatCompletionChunk>>;
  create(params: types.ChatCompletionRequest & { stream?: boolean | null }, options?: RequestOptions): APIPromise<any> {
    return this.#client.request({
      method: 'POST',
      path: '/v1/chat/completions',
      body: params,
      stream: params.stream === true,
      streamEnd: '[DONE]',
    }, options);
  }
}

/** `client.completions` */
export class Completions {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Create a completion
   *
   * The legacy endpoint for base models: a prompt in, text out.
   *
   * `POST /v1/completions`
   * @returns The completion, or a stream of chunks when `stream` is true
   */
  create(params: types.CompletionRequest & { stream?: false | null }, options?: RequestOptions): APIPromise<Answer<types.Completion>>;
  create(params: types.CompletionRequest & { stream: true }, options?: RequestOptions): APIPromise<Stream<types.Completion>>;
  create(params: types.CompletionRequest & { stream?: boolean | null }, options?: RequestOptions): APIPromise<Answer<types.Completion> | Stream<types.Completion>>;
  create(params: types.CompletionRequest & { stream?: boolean | null }, options?: RequestOptions): APIPromise<any> {
    return this.#client.request({
      method: 'POST',
      path: '/v1/completions',
      body: params,
      stream: params.stream === true,
      streamEnd: '[DONE]',
    }, options);
  }
}

/** `client.embeddings` */
export class Embeddings {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Create embeddings
   *
   * One vector for each input.
   *
   * `POST /v1/embeddings`
   * @returns The embeddings
   */
  create(params: types.EmbeddingRequest, options?: RequestOptions): APIPromise<Answer<types.EmbeddingResponse>> {
    return this.#client.request({
      method: 'POST',
      path: '/v1/embeddings',
      body: params,
    }, options);
  }
}

/** `client.health` */
export class Health {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Liveness
   *
   * 200 as long as the process runs.
   *
   * `GET /healthz`
   * @returns The process runs
   */
  retrieve(options?: RequestOptions): APIPromise<Answer<types.Liveness>> {
    return this.#client.request({
      method: 'GET',
      path: '/healthz',
    }, options);
  }

  /**
   * Liveness (Kubernetes)
   *
   * The same as `/healthz`.
   *
   * `GET /livez`
   * @returns The process runs
   */
  live(options?: RequestOptions): APIPromise<Answer<types.Liveness>> {
    return this.#client.request({
      method: 'GET',
      path: '/livez',
    }, options);
  }

  /**
   * Metrics
   *
   * Everything that has been counted, in Prometheus' text format. `prometheus.path` moves the page or
   * switches it off.
   *
   * `GET /metrics`
   * @returns The metrics
   */
  metrics(options?: RequestOptions): APIPromise<Answer<Response>> {
    return this.#client.request({
      method: 'GET',
      path: '/metrics',
      binary: true,
    }, options);
  }

  /**
   * Readiness
   *
   * 200 when requests are served, 503 before the start is complete and while the process drains. NATS
   * and the disk have no part in it: what is wrong with them is a warning.
   *
   * `GET /readyz`
   * @returns Requests are served
   */
  ready(options?: RequestOptions): APIPromise<Answer<types.Readiness>> {
    return this.#client.request({
      method: 'GET',
      path: '/readyz',
    }, options);
  }
}

/** `client.keys` */
export class Keys {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Create a key
   *
   * The key itself is in this answer, and in none after it.
   *
   * `POST /v1/orgs/{org_id}/keys`
   * @param params.orgId Id of the organisation; `default` is the one of the gateway's file
   * @returns The key
   */
  create(params: { orgId: string } & types.KeyCreateRequest, options?: RequestOptions): APIPromise<Answer<types.VirtualKey>> {
    const { orgId, ...body } = params;

    return this.#client.request({
      method: 'POST',
      path: '/v1/orgs/{org_id}/keys',
      server: 'control_plane',
      pathParams: { org_id: orgId },
      body,
    }, options);
  }

  /**
   * Delete a key
   *
   * It opens nothing from the next request on.
   *
   * `DELETE /v1/orgs/{org_id}/keys/{key_id}`
   * @param params.orgId Id of the organisation
   * @param params.keyId Id of the key
   * @returns It is no more
   */
  delete(params: { orgId: string; keyId: string }, options?: RequestOptions): APIPromise<Answer<types.VirtualKeyDeleted>> {
    const { orgId, keyId } = params;

    return this.#client.request({
      method: 'DELETE',
      path: '/v1/orgs/{org_id}/keys/{key_id}',
      server: 'control_plane',
      pathParams: { org_id: orgId, key_id: keyId },
    }, options);
  }

  /**
   * List keys
   *
   * The oldest first.
   *
   * `GET /v1/orgs/{org_id}/keys`
   * @param params.orgId Id of the organisation
   * @param params.cursor `next_cursor` of the page before
   * @param params.limit Entries on a page, 1 to 100; by default 20
   * @returns The keys
   */
  list(params: { orgId: string } & { cursor?: string | null; limit?: number | null }, options?: RequestOptions): PagePromise<types.VirtualKey, types.VirtualKeyList> {
    const { orgId, cursor, limit } = params;

    return this.#client.requestPage({
      method: 'GET',
      path: '/v1/orgs/{org_id}/keys',
      server: 'control_plane',
      pathParams: { org_id: orgId },
      query: { cursor, limit },
    }, options);
  }

  /**
   * Retrieve a key
   *
   * What is known of it; the key itself is not.
   *
   * `GET /v1/orgs/{org_id}/keys/{key_id}`
   * @param params.orgId Id of the organisation
   * @param params.keyId Id of the key
   * @returns The key
   */
  retrieve(params: { orgId: string; keyId: string }, options?: RequestOptions): APIPromise<Answer<types.VirtualKey>> {
    const { orgId, keyId } = params;

    return this.#client.request({
      method: 'GET',
      path: '/v1/orgs/{org_id}/keys/{key_id}',
      server: 'control_plane',
      pathParams: { org_id: orgId, key_id: keyId },
    }, options);
  }

  /**
   * Rotate a key
   *
   * A new key takes its place; the old one works beside it for as long as was asked. The new key is in
   * this answer, and in none after it.
   *
   * `POST /v1/orgs/{org_id}/keys/{key_id}/rotate`
   * @param params.orgId Id of the organisation
   * @param params.keyId Id of the key
   * @returns The key
   */
  rotate(params: { orgId: string; keyId: string } & types.KeyRotateRequest, options?: RequestOptions): APIPromise<Answer<types.VirtualKey>> {
    const { orgId, keyId, ...body } = params;

    return this.#client.request({
      method: 'POST',
      path: '/v1/orgs/{org_id}/keys/{key_id}/rotate',
      server: 'control_plane',
      pathParams: { org_id: orgId, key_id: keyId },
      body,
    }, options);
  }

  /**
   * Update a key
   *
   * What is named is changed, what is null is as if it had never been said, everything else stays. It
   * holds from the next request on.
   *
   * `PATCH /v1/orgs/{org_id}/keys/{key_id}`
   * @param params.orgId Id of the organisation
   * @param params.keyId Id of the key
   * @returns The key
   */
  update(params: { orgId: string; keyId: string } & types.KeyUpdateRequest, options?: RequestOptions): APIPromise<Answer<types.VirtualKey>> {
    const { orgId, keyId, ...body } = params;

    return this.#client.request({
      method: 'PATCH',
      path: '/v1/orgs/{org_id}/keys/{key_id}',
      server: 'control_plane',
      pathParams: { org_id: orgId, key_id: keyId },
      body,
    }, options);
  }
}

/** `client.limits` */
export class Limits {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Retrieve limits
   *
   * How the limits stand that a request with this key would meet: its own, those of everybody together
   * and of models, and those of the user that is named. Asking takes nothing from any of them.
   *
   * `GET /v1/limits`
   * @returns The limits
   */
  retrieve(options?: RequestOptions): APIPromise<Answer<types.Limits>> {
    return this.#client.request({
      method: 'GET',
      path: '/v1/limits',
    }, options);
  }
}

/** `client.models` */
export class Models {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * List models
   *
   * Every model that configuration or a provider's own list names, as `provider/model`; the bare name
   * works too. A key sees what it may call. Answered from memory: no provider is asked.
   *
   * `GET /v1/models`
   * @returns The models
   */
  list(options?: RequestOptions): APIPromise<Answer<types.ModelList>> {
    return this.#client.request({
      method: 'GET',
      path: '/v1/models',
    }, options);
  }

  /**
   * Retrieve a model
   *
   * By its full id (`provider/model`, slashes included) or its bare name.
   *
   * `GET /v1/models/{model}`
   * @param params.model The model's id; slashes need no escaping
   * @returns The model
   */
  retrieve(params: { model: string }, options?: RequestOptions): APIPromise<Answer<types.ModelInfo>> {
    const { model } = params;

    return this.#client.request({
      method: 'GET',
      path: '/v1/models/{model}',
      pathParams: { model },
    }, options);
  }
}

/** `client.orgConfigs` */
export class OrgConfigs {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Create an organisation\'s configuration
   *
   * The organisation is there from now on. Everything is checked as the configuration file is; all
   * mistakes are named at once.
   *
   * `POST /v1/orgs/{org_id}/config`
   * @param params.orgId Id of the organisation: letters, digits, `-` and `_`
   * @returns What is configured
   */
  create(params: { orgId: string } & { config: types.OrgConfigDocument }, options?: RequestOptions): APIPromise<Answer<types.OrgConfig>> {
    const { orgId, config } = params;

    return this.#client.request({
      method: 'POST',
      path: '/v1/orgs/{org_id}/config',
      server: 'control_plane',
      pathParams: { org_id: orgId },
      body: config,
    }, options);
  }

  /**
   * Delete an organisation
   *
   * Its configuration, all versions of it, and its keys.
   *
   * `DELETE /v1/orgs/{org_id}/config`
   * @param params.orgId Id of the organisation
   * @param params.ifMatch `etag` of the configuration that was read; the header `If-Match` says the same
   * @returns It is no more
   */
  delete(params: { orgId: string } & { ifMatch?: string | null }, options?: RequestOptions): APIPromise<Answer<types.OrgConfigDeleted>> {
    const { orgId, ifMatch } = params;

    return this.#client.request({
      method: 'DELETE',
      path: '/v1/orgs/{org_id}/config',
      server: 'control_plane',
      pathParams: { org_id: orgId },
      query: { if_match: ifMatch },
    }, options);
  }

  /**
   * Compare versions
   *
   * What two versions differ in; without numbers, the last two.
   *
   * `GET /v1/orgs/{org_id}/config/diff`
   * @param params.orgId Id of the organisation
   * @param params.fromVersion The earlier version; by default the one before the other
   * @param params.toVersion The later version; by default the present one
   * @returns The differences
   */
  diff(params: { orgId: string } & { fromVersion?: number | null; toVersion?: number | null }, options?: RequestOptions): APIPromise<Answer<types.OrgConfigDiff>> {
    const { orgId, fromVersion, toVersion } = params;

    return this.#client.request({
      method: 'GET',
      path: '/v1/orgs/{org_id}/config/diff',
      server: 'control_plane',
      pathParams: { org_id: orgId },
      query: { from_version: fromVersion, to_version: toVersion },
    }, options);
  }

  /**
   * List versions
   *
   * The last hundred, the latest first, with who made them.
   *
   * `GET /v1/orgs/{org_id}/config/versions`
   * @param params.orgId Id of the organisation
   * @returns The versions
   */
  versions(params: { orgId: string }, options?: RequestOptions): APIPromise<Answer<types.OrgConfigVersions>> {
    const { orgId } = params;

    return this.#client.request({
      method: 'GET',
      path: '/v1/orgs/{org_id}/config/versions',
      server: 'control_plane',
      pathParams: { org_id: orgId },
    }, options);
  }

  /**
   * List organisations
   *
   * Those that the caller administers, in the order of their ids.
   *
   * `GET /v1/orgs`
   * @param params.cursor `next_cursor` of the page before
   * @param params.limit Entries on a page, 1 to 100; by default 20
   * @returns The organisations
   */
  list(params: { cursor?: string | null; limit?: number | null } = {}, options?: RequestOptions): PagePromise<types.OrgSummary, types.OrgList> {
    const { cursor, limit } = params;

    return this.#client.requestPage({
      method: 'GET',
      path: '/v1/orgs',
      server: 'control_plane',
      query: { cursor, limit },
    }, options);
  }

  /**
   * Replace an organisation\'s configuration
   *
   * With the whole of it. A marker that was read keeps its secret. `if_match` is required: nobody
   * overwrites what they have not seen (`*` does all the same).
   *
   * `PUT /v1/orgs/{org_id}/config`
   * @param params.orgId Id of the organisation
   * @param params.ifMatch `etag` of the configuration that was read, or `*`; the header `If-Match` says the same
   * @returns What is configured
   */
  replace(params: { orgId: string } & { ifMatch?: string | null } & { config: types.OrgConfigDocument }, options?: RequestOptions): APIPromise<Answer<types.OrgConfig>> {
    const { orgId, ifMatch, config } = params;

    return this.#client.request({
      method: 'PUT',
      path: '/v1/orgs/{org_id}/config',
      server: 'control_plane',
      pathParams: { org_id: orgId },
      query: { if_match: ifMatch },
      body: config,
    }, options);
  }

  /**
   * Retrieve an organisation\'s configuration
   *
   * In the place of each secret stands a marker, `{"set": true, …}`.
   *
   * `GET /v1/orgs/{org_id}/config`
   * @param params.orgId Id of the organisation
   * @returns What is configured
   */
  retrieve(params: { orgId: string }, options?: RequestOptions): APIPromise<Answer<types.OrgConfig>> {
    const { orgId } = params;

    return this.#client.request({
      method: 'GET',
      path: '/v1/orgs/{org_id}/config',
      server: 'control_plane',
      pathParams: { org_id: orgId },
    }, options);
  }

  /**
   * Roll back
   *
   * An earlier version becomes the present one, as a version of its own.
   *
   * `POST /v1/orgs/{org_id}/config/rollback`
   * @param params.orgId Id of the organisation
   * @param params.ifMatch `etag` of the configuration that was read; the header `If-Match` says the same
   * @returns What is configured
   */
  rollback(params: { orgId: string } & { ifMatch?: string | null } & types.OrgConfigRollback, options?: RequestOptions): APIPromise<Answer<types.OrgConfig>> {
    const { orgId, ifMatch, ...body } = params;

    return this.#client.request({
      method: 'POST',
      path: '/v1/orgs/{org_id}/config/rollback',
      server: 'control_plane',
      pathParams: { org_id: orgId },
      query: { if_match: ifMatch },
      body,
    }, options);
  }

  /**
   * Update an organisation\'s configuration
   *
   * With a merge patch (RFC 7396): what is named is replaced, what is null goes, everything else stays.
   *
   * `PATCH /v1/orgs/{org_id}/config`
   * @param params.orgId Id of the organisation
   * @param params.ifMatch `etag` of the configuration that was read, as the header `If-Match` says it too; without it the present one is patched
   * @returns What is configured
   */
  update(params: { orgId: string } & { ifMatch?: string | null } & { config: types.OrgConfigDocument }, options?: RequestOptions): APIPromise<Answer<types.OrgConfig>> {
    const { orgId, ifMatch, config } = params;

    return this.#client.request({
      method: 'PATCH',
      path: '/v1/orgs/{org_id}/config',
      server: 'control_plane',
      pathParams: { org_id: orgId },
      query: { if_match: ifMatch },
      body: config,
    }, options);
  }

  /**
   * Validate a configuration
   *
   * What would be said of it if it were the organisation's; nothing changes.
   *
   * `POST /v1/orgs/{org_id}/config/validate`
   * @param params.orgId Id of the organisation
   * @returns What would be said
   */
  validate(params: { orgId: string } & { config: types.OrgConfigDocument }, options?: RequestOptions): APIPromise<Answer<types.OrgConfigValidation>> {
    const { orgId, config } = params;

    return this.#client.request({
      method: 'POST',
      path: '/v1/orgs/{org_id}/config/validate',
      server: 'control_plane',
      pathParams: { org_id: orgId },
      body: config,
    }, options);
  }
}

/** `client.providerTypes` */
export class ProviderTypes {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * List types of providers
   *
   * Every type with its fields: which of them are needed, and which are secret. What a form has to know.
   *
   * `GET /v1/provider-types`
   * @returns The types
   */
  list(options?: RequestOptions): APIPromise<Answer<types.ProviderTypeList>> {
    return this.#client.request({
      method: 'GET',
      path: '/v1/provider-types',
      server: 'control_plane',
    }, options);
  }
}

/** `client.providers` */
export class Providers {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Health of the providers
   *
   * One entry for each provider in each of its regions: its state and how it came to it, circuit
   * breaker, availability, latency, quotas, keys, last error, model discovery. Keys are named by their
   * place in the configuration.
   *
   * `GET /v1/providers/health`
   * @returns The providers
   */
  health(options?: RequestOptions): APIPromise<Answer<types.ProvidersHealth>> {
    return this.#client.request({
      method: 'GET',
      path: '/v1/providers/health',
    }, options);
  }

  /**
   * List an organisation\'s providers
   *
   * Its own and those of the gateway that it may use, each with its models and its health.
   *
   * `GET /v1/orgs/{org_id}/providers`
   * @param params.orgId Id of the organisation
   * @returns The providers
   */
  list(params: { orgId: string }, options?: RequestOptions): APIPromise<Answer<types.OrgProviderList>> {
    const { orgId } = params;

    return this.#client.request({
      method: 'GET',
      path: '/v1/orgs/{org_id}/providers',
      server: 'control_plane',
      pathParams: { org_id: orgId },
    }, options);
  }

  /**
   * Test a provider
   *
   * Reads its list of models with its own credentials, which no provider bills.
   *
   * `POST /v1/orgs/{org_id}/providers/{provider}/test`
   * @param params.orgId Id of the organisation
   * @param params.provider Name of the provider
   * @returns What came of it
   */
  test(params: { orgId: string; provider: string }, options?: RequestOptions): APIPromise<Answer<types.ProviderTestResult>> {
    const { orgId, provider } = params;

    return this.#client.request({
      method: 'POST',
      path: '/v1/orgs/{org_id}/providers/{provider}/test',
      server: 'control_plane',
      pathParams: { org_id: orgId, provider },
    }, options);
  }
}

/** `client.rerank` */
export class Rerank {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Rank documents
   *
   * Documents come back in the order of their relevance to a query. The request is Cohere's, as
   * compatible servers have it.
   *
   * `POST /v1/rerank`
   * @returns The documents by relevance
   */
  create(params: types.RerankRequest, options?: RequestOptions): APIPromise<Answer<types.RerankResponse>> {
    return this.#client.request({
      method: 'POST',
      path: '/v1/rerank',
      body: params,
    }, options);
  }
}

/** `client.route` */
export class Route {
  readonly #client: APIClient;
  readonly decisions: RouteDecisions;

  constructor(client: APIClient) {
    this.#client = client;
    this.decisions = new RouteDecisions(client);
  }

  /**
   * Explain a route
   *
   * What the gateway would do now with the request that is the body: who says who serves the model, the
   * candidates in the order in which they would be tried and what speaks against each, fallbacks,
   * hedging, mirrors. Headers count as they do for the request itself. Nothing is sent to any provider,
   * and nobody's turn changes.
   *
   * `POST /v1/route/explain`
   * @param params.endpoint Where the request would be sent: `chat.completions` (the default), `completions`, `embeddings`, …
   * @returns What would be done
   */
  explain(params: { endpoint?: string | null } & { request: types.RouteExplainRequest }, options?: RequestOptions): APIPromise<Answer<types.RouteExplanation>> {
    const { endpoint, request } = params;

    return this.#client.request({
      method: 'POST',
      path: '/v1/route/explain',
      query: { endpoint },
      body: request,
    }, options);
  }
}

/** `client.route.decisions` */
export class RouteDecisions {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Retrieve a decision
   *
   * What was decided for a recent request of the same client key (`x-prism-request-id` of its answer),
   * once it has ended: the candidates in the order of their turns, and every attempt. The gateway
   * remembers the last 4,096 requests.
   *
   * `GET /v1/route/decisions/{request_id}`
   * @param params.requestId The id that the answer had in `x-prism-request-id`
   * @returns What was decided
   */
  retrieve(params: { requestId: string }, options?: RequestOptions): APIPromise<Answer<types.RouteDecision>> {
    const { requestId } = params;

    return this.#client.request({
      method: 'GET',
      path: '/v1/route/decisions/{request_id}',
      pathParams: { request_id: requestId },
    }, options);
  }
}

/** `client.routing` */
export class Routing {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Create a routing policy
   *
   * Behind those that there are. The organisation's configuration gets a new version.
   *
   * `POST /v1/orgs/{org_id}/routing`
   * @param params.orgId Id of the organisation
   * @returns The policy
   */
  create(params: { orgId: string } & types.RoutingPolicy, options?: RequestOptions): APIPromise<Answer<types.RoutingPolicy>> {
    const { orgId, ...body } = params;

    return this.#client.request({
      method: 'POST',
      path: '/v1/orgs/{org_id}/routing',
      server: 'control_plane',
      pathParams: { org_id: orgId },
      body,
    }, options);
  }

  /**
   * Delete a routing policy
   *
   * The organisation's configuration gets a new version.
   *
   * `DELETE /v1/orgs/{org_id}/routing/{name}`
   * @param params.orgId Id of the organisation
   * @param params.name Name of the policy
   * @returns It is no more
   */
  delete(params: { orgId: string; name: string }, options?: RequestOptions): APIPromise<Answer<types.RoutingPolicyDeleted>> {
    const { orgId, name } = params;

    return this.#client.request({
      method: 'DELETE',
      path: '/v1/orgs/{org_id}/routing/{name}',
      server: 'control_plane',
      pathParams: { org_id: orgId, name },
    }, options);
  }

  /**
   * List routing policies
   *
   * In the order in which they are written.
   *
   * `GET /v1/orgs/{org_id}/routing`
   * @param params.orgId Id of the organisation
   * @returns The policies
   */
  list(params: { orgId: string }, options?: RequestOptions): APIPromise<Answer<types.RoutingPolicyList>> {
    const { orgId } = params;

    return this.#client.request({
      method: 'GET',
      path: '/v1/orgs/{org_id}/routing',
      server: 'control_plane',
      pathParams: { org_id: orgId },
    }, options);
  }

  /**
   * Update a routing policy
   *
   * What is named is replaced. The organisation's configuration gets a new version.
   *
   * `PATCH /v1/orgs/{org_id}/routing/{name}`
   * @param params.orgId Id of the organisation
   * @param params.name Name of the policy
   * @returns The policy
   */
  update(params: { orgId: string; name: string } & types.RoutingPolicyUpdate, options?: RequestOptions): APIPromise<Answer<types.RoutingPolicy>> {
    const { orgId, name, ...body } = params;

    return this.#client.request({
      method: 'PATCH',
      path: '/v1/orgs/{org_id}/routing/{name}',
      server: 'control_plane',
      pathParams: { org_id: orgId, name },
      body,
    }, options);
  }
}

/** `client.usage` */
export class Usage {
  readonly #client: APIClient;

  constructor(client: APIClient) {
    this.#client = client;
  }

  /**
   * Report usage
   *
   * Requests, errors, tokens, cost and latency of the key's organisation, by any combination of day,
   * hour, key, user, model, provider, endpoint, status and members of the requests' metadata. Usage is
   * counted by the hour, about a second after a request has ended; `freshness` says how far behind it
   * is. Rows come in the order of `group_by`, page after page; `totals` are those of all pages. Beyond
   * 10,000 combinations within an hour, new users and metadata (then new models) are counted together as
   * `other`.
   *
   * A filter may be given several times: any of its values. `metadata.NAME=VALUE` keeps requests whose
   * metadata have that value; `group_by` takes `metadata.NAME` too.
   *
   * `GET /v1/usage`
   * @param params.since The first hour that counts: a day (`2026-11-28`, in UTC) or a moment (RFC 3339), down to the hour; 30 days before `until` without it. Also understood as `from`
   * @param params.until The first hour that does not count any more: a day or a moment, up to the hour; now without it. Also understood as `to`
   * @param params.groupBy What rows are told apart by, with commas between: `day`, `hour`, `org`, `key`, `user`, `model`, `provider`, `endpoint`, `status`, `metadata.NAME`; only `totals` without it
   * @param params.key Only this client key, by its name
   * @param params.user Only this user
   * @param params.model Only this model, as the provider knows it
   * @param params.provider Only this provider
   * @param params.endpoint Only this endpoint: `chat.completions`, …
   * @param params.status Only requests that ended so: `answered`, `failed`, `cancelled`, `cut`, `replayed`, `interrupted`
   * @param params.limit Rows of a page, 1 to 1000; 100 without it
   * @param params.cursor `next_cursor` of the page before
   * @returns What has been used
   */
  list(params: { since?: string | null; until?: string | null; groupBy?: string | null; key?: string | null; user?: string | null; model?: string | null; provider?: string | null; endpoint?: string | null; status?: string | null; limit?: number | null; cursor?: string | null } = {}, options?: RequestOptions): PagePromise<types.UsageRow, types.UsageReport> {
    const { since, until, groupBy, key, user, model, provider, endpoint, status, limit, cursor } = params;

    return this.#client.requestPage({
      method: 'GET',
      path: '/v1/usage',
      query: { since, until, group_by: groupBy, key, user, model, provider, endpoint, status, limit, cursor },
    }, options);
  }
}

/** `client.chat` */
export class Chat {
  readonly completions: ChatCompletions;

  constructor(client: APIClient) {
    this.completions = new ChatCompletions(client);
  }
}
