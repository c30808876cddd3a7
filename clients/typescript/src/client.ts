// Generated from openapi/openapi.json. Do not edit.
import { APIClient, type ClientOptions } from './core/client.js';
import * as errors from './core/errors.js';
import { toFile } from './core/uploads.js';
import * as resources from './resources.js';

/** One OpenAI-compatible door in front of every LLM provider. */
export class Prism extends APIClient {
  readonly chat: resources.Chat;
  readonly completions: resources.Completions;
  readonly embeddings: resources.Embeddings;
  readonly health: resources.Health;
  readonly keys: resources.Keys;
  readonly limits: resources.Limits;
  readonly models: resources.Models;
  readonly orgConfigs: resources.OrgConfigs;
  readonly providerTypes: resources.ProviderTypes;
  readonly providers: resources.Providers;
  readonly rerank: resources.Rerank;
  readonly route: resources.Route;
  readonly routing: resources.Routing;
  readonly usage: resources.Usage;

  constructor(options: ClientOptions = {}) {
    super(options, 'http://127.0.0.1:8080');
    this.chat = new resources.Chat(this);
    this.completions = new resources.Completions(this);
    this.embeddings = new resources.Embeddings(this);
    this.health = new resources.Health(this);
    this.keys = new resources.Keys(this);
    this.limits = new resources.Limits(this);
    this.models = new resources.Models(this);
    this.orgConfigs = new resources.OrgConfigs(this);
    this.providerTypes = new resources.ProviderTypes(this);
    this.providers = new resources.Providers(this);
    this.rerank = new resources.Rerank(this);
    this.route = new resources.Route(this);
    this.routing = new resources.Routing(this);
    this.usage = new resources.Usage(this);
  }

  static readonly PrismError = errors.PrismError;
  static readonly APIError = errors.APIError;
  static readonly APIConnectionError = errors.APIConnectionError;
  static readonly APIConnectionTimeoutError = errors.APIConnectionTimeoutError;
  static readonly APIUserAbortError = errors.APIUserAbortError;
  static readonly BadRequestError = errors.BadRequestError;
  static readonly AuthenticationError = errors.AuthenticationError;
  static readonly PermissionDeniedError = errors.PermissionDeniedError;
  static readonly NotFoundError = errors.NotFoundError;
  static readonly ConflictError = errors.ConflictError;
  static readonly UnprocessableEntityError = errors.UnprocessableEntityError;
  static readonly RateLimitError = errors.RateLimitError;
  static readonly InternalServerError = errors.InternalServerError;
  static readonly toFile = toFile;
}
