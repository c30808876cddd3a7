// Generated from openapi/openapi.json. Do not edit.
export { Prism, Prism as default } from './client.js';
export type { ClientOptions, Fetch } from './core/client.js';
export * from './core/errors.js';
export type { Timeouts } from './core/leash.js';
export type { Logger, LogLevel } from './core/log.js';
export type { Answer, PrismMetadata, RateLimit, Translation } from './core/metadata.js';
export { Page, PagePromise } from './core/page.js';
export { APIPromise, type WithResponse } from './core/promise.js';
export { createHeaders, type Call, type HeaderValues, type RequestOptions } from './core/request.js';
export { Stream } from './core/stream.js';
export { toFile, type Uploadable } from './core/uploads.js';
export type { GatewayOptions } from './gateway-options.js';
export type * as resources from './resources.js';
export type * from './types.js';
export { VERSION } from './version.js';
