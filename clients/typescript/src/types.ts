// Generated from openapi/openapi.json. Do not edit.
import type { Uploadable } from './core/uploads.js';

/** A file to upload; `toFile` makes one of what is not. */
export type Upload = Uploadable;

/** Whatever JSON can say. */
export type JsonValue = unknown;
export type JsonObject = { [key: string]: unknown };

/** The tools among which the model chooses. */
export interface AllowedTools {
  /** `auto` or `required`. */
  mode: ToolChoiceMode;
  /** Such as `{"type": "function", "function": {"name": "get_time"}}`. */
  tools: Array<{ [key: string]: JsonValue | null }>;
}

export interface AllowedToolsChoice {
  allowed_tools: AllowedTools;
  type: 'allowed_tools';
}

/** A note on a stretch of the answer. */
export interface Annotation {
  url_citation: UrlCitation;
  type: 'url_citation';
}

/** A place, roughly. */
export interface ApproximateLocation {
  /** Such as `San Francisco`. */
  city?: string | null;
  /** ISO 3166-1, two letters. */
  country?: string | null;
  /** Such as `California`. */
  region?: string | null;
  /** IANA's name, such as `America/Los_Angeles`. */
  timezone?: string | null;
}

/** What the model said before. */
export interface AssistantMessage {
  role: 'assistant';
  /** Required unless the model called tools. */
  content?: MessageContent | null;
  /** Tells participants of the same role apart. */
  name?: string | null;
  /** What the model said instead of answering. */
  refusal?: string | null;
  /** What the model thought, for providers that want it back. Not OpenAI's: an extension that many share. */
  reasoning_content?: string | null;
  /** A spoken answer that the model gave. */
  audio?: AudioReference | null;
  /** The tools that the model called. A tool message must follow for each. */
  tool_calls?: Array<ToolCall> | null;
  /** Replaced by `tool_calls`. */
  function_call?: FunctionCall | null;
}

/** Why an attempt was made. */
export type AttemptKind = 'first' | 'failover' | 'next_key' | 'retry' | 'hedge' | (string & {});

/** How an attempt ended. */
export type AttemptOutcome = 'answered' | 'failed' | 'outrun' | 'abandoned' | (string & {});

/** A piece of a spoken answer. The last one holds only `expires_at`. */
export interface AudioDelta {
  /** To refer to it in a later request. */
  id?: string | null;
  /** Base64, in the format that was asked for. */
  data?: string | null;
  /** Until when it can be referred to, in seconds since 1970. */
  expires_at?: number | null;
  /** What is said. */
  transcript?: string | null;
}

/** How recorded sound is encoded. */
export type AudioInputFormat = 'wav' | 'mp3' | (string & {});

/** The voice and format of a spoken answer. */
export interface AudioOptions {
  format: AudioOutputFormat;
  voice: Voice;
}

/** How spoken answers are encoded. */
export type AudioOutputFormat = 'wav' | 'aac' | 'mp3' | 'flac' | 'opus' | 'pcm16' | (string & {});

/** Recorded sound. */
export interface AudioPart {
  type: 'input_audio';
  input_audio: InputAudio;
  /** Marks the end of a prompt that is worth caching. */
  prompt_cache_breakpoint?: PromptCacheBreakpoint | null;
}

/** A spoken answer that the model gave before. */
export interface AudioReference {
  id: string;
}

/** How a provider's requests ended, over several stretches of time. */
export interface Availability {
  /** The last minute. */
  minute: AvailabilityWindow;
  /** The last five minutes. */
  five_minutes: AvailabilityWindow;
  /** The last hour. */
  hour: AvailabilityWindow;
}

/**
 * How the requests of a stretch of time ended. What speaks against no provider (a caller's mistake, a quota) is not
 * counted.
 */
export interface AvailabilityWindow {
  requests: number;
  failures: number;
  /** The share that succeeded, from 0 to 1; absent without requests. */
  availability?: number | null;
  /** The share that failed, from 0 to 1; absent without requests. */
  error_rate?: number | null;
}

/** A provider's circuit breaker. */
export interface BreakerHealth {
  state: BreakerPhase;
  /** Until when it is open at the latest, RFC 3339. */
  until?: string | null;
  /** The share of requests that pass freely, from 0 to 1. */
  share: number;
  /** Its last transitions, oldest first. */
  history: Array<BreakerTransition>;
}

/** Where a circuit breaker stands. */
export type BreakerPhase = 'closed' | 'ramping' | 'half_open' | 'open' | (string & {});

/** A circuit breaker went from one state to another. */
export interface BreakerTransition {
  /** RFC 3339. */
  at: string;
  from_state: BreakerPhase;
  to_state: BreakerPhase;
  /** Why, in words. */
  reason: string;
}

/** When a budget begins anew, in UTC. */
export type BudgetPeriod = 'daily' | 'weekly' | 'monthly' | 'total' | (string & {});

/** One budget; amounts are US dollars as plain decimals. */
export interface BudgetStanding {
  scope: LimitScope;
  /** Of the organisation, key or user. */
  name: string;
  period: BudgetPeriod;
  limit: string;
  spent: string;
  /** For requests in progress. */
  reserved: string;
  /** Whether requests beyond it are refused. */
  hard: boolean;
  /** When it begins anew; absent where it never does. */
  resets_at?: string | null;
}

/** How gladly a candidate is asked. */
export type CandidateReadiness = 'ready' | 'reluctant' | 'low' | 'out' | (string & {});

/** The model's answer. */
export interface ChatCompletion {
  /** Identifies the answer. */
  id: string;
  /** Always `chat.completion`. */
  object: 'chat.completion';
  /** When the answer was made, in seconds since 1970. */
  created: number;
  /** The model that answered. */
  model: string;
  /** `n` of them. */
  choices: Array<Choice>;
  /** What the answer took. */
  usage?: Usage | null;
  /** How the request was processed. */
  service_tier?: ServiceTier | null;
  /** The state of the provider's backend, to compare with `seed` in mind. */
  system_fingerprint?: string | null;
  /** The request's `metadata`, where the answer was stored. */
  metadata?: { [key: string]: string } | null;
  /** What the moderation model found, where one was asked for. */
  moderation?: ModerationReport | null;

  [key: string]: unknown;
}

/** One event of a streamed answer. The stream ends with the event `[DONE]`. */
export interface ChatCompletionChunk {
  /** Identifies the answer; the same in all events. */
  id: string;
  /** Always `chat.completion.chunk`. */
  object: 'chat.completion.chunk';
  /** When the answer was begun, in seconds since 1970; the same in all events. */
  created: number;
  /** The model that answers. */
  model: string;
  /** How the request is processed. */
  service_tier?: ServiceTier | null;
  /** The state of the provider's backend, to compare with `seed` in mind. */
  system_fingerprint?: string | null;
  /** Pieces of one or several answers. Empty in the event that carries the usage. */
  choices: Array<ChunkChoice>;
  /** What the answer took. Only with `stream_options.include_usage`: `null` but for the last event. */
  usage?: Usage | null;
  /** What the moderation model found, where one was asked for; in an event of its own. */
  moderation?: ModerationReport | null;
  /** Padding that hides the length of tokens from those who watch the line. */
  obfuscation?: string | null;

  [key: string]: unknown;
}

/** A conversation to go on with, and how. */
export interface ChatCompletionRequest {
  /** The model's name, as `GET /v1/models` lists it. */
  model: string;
  /** The conversation so far. */
  messages: Array<ChatMessage>;
  /** The voice and format of a spoken answer. Required when `modalities` holds `audio`. */
  audio?: AudioOptions | null;
  /** From -2 to 2; above 0, tokens are less likely the more often they occurred. 0 by default. */
  frequency_penalty?: number | null;
  /** Replaced by `tool_choice`. */
  function_call?: FunctionCallOption | null;
  /** Replaced by `tools`. @deprecated */
  functions?: Array<FunctionDefinition> | null;
  /** Token ids with a bias from -100 (never) to 100 (only). */
  logit_bias?: { [key: string]: number } | null;
  /** Whether the answer's tokens come with their log probabilities; `false` by default. */
  logprobs?: boolean | null;
  /** The most tokens to generate, those spent on reasoning included. */
  max_completion_tokens?: number | null;
  /**
   * The most tokens to generate. OpenAI replaced it by `max_completion_tokens`, many other providers did not.
   * @deprecated
   */
  max_tokens?: number | null;
  /** Up to 16 pairs kept with the answer: names of up to 64 characters, values of up to 512. */
  metadata?: { [key: string]: string } | null;
  /** What the answer may consist of; `["text"]` by default. */
  modalities?: Array<Modality> | null;
  /** Has the request and the answer checked by a moderation model. */
  moderation?: ModerationOptions | null;
  /** How many answers to generate, from 1 to 128, each of which is billed; 1 by default. */
  n?: number | null;
  /** Whether the model may call several tools at once; `true` by default. */
  parallel_tool_calls?: boolean | null;
  /** Text that most of the answer is expected to repeat, which makes generating it faster. */
  prediction?: Prediction | null;
  /** From -2 to 2; above 0, tokens that occurred already are less likely. 0 by default. */
  presence_penalty?: number | null;
  /** Requests with the same key find each other's cached prompts more often. */
  prompt_cache_key?: string | null;
  /** Where cached prompts end and how long they are kept. */
  prompt_cache_options?: PromptCacheOptions | null;
  /** Replaced by `prompt_cache_options`. */
  prompt_cache_retention?: PromptCacheRetention | null;
  /** How much a reasoning model thinks before it answers. Not every model knows every value. */
  reasoning_effort?: ReasoningEffort | null;
  /** The form of the answer; text by default. */
  response_format?: ResponseFormat | null;
  /** Identifies your end user to the provider's abuse detection, in up to 128 characters: best a hash. */
  safety_identifier?: string | null;
  /** Asks for the same answer to the same request, as far as the provider can; see `system_fingerprint`. */
  seed?: number | null;
  /** How the request is to be processed and priced; `auto` by default. */
  service_tier?: ServiceTier | null;
  /** Up to 4 texts before which the answer ends. */
  stop?: Stop | null;
  /** Whether the provider keeps the answer for its evaluation and distillation products. */
  store?: boolean | null;
  /** Only with `stream: true`. */
  stream_options?: StreamOptions | null;
  /** From 0 (focused) to 2 (random); 1 by default. Change this or `top_p`, not both. */
  temperature?: number | null;
  /** Which tools the model calls: by default `none` without tools, else `auto`. */
  tool_choice?: ToolChoice | null;
  /** The tools that the model may call. */
  tools?: Array<Tool> | null;
  /** How many of the likeliest tokens are given at each place, from 0 to 20. Requires `logprobs: true`. */
  top_logprobs?: number | null;
  /** From 0 to 1: only the tokens that make up this share of the probability are considered; 1 by default. */
  top_p?: number | null;
  /** Replaced by `safety_identifier` and `prompt_cache_key`. @deprecated */
  user?: string | null;
  /** How long-winded the answer is; `medium` by default. */
  verbosity?: Verbosity | null;
  /** Lets the model search the web, for models that can. */
  web_search_options?: WebSearchOptions | null;
}

/** One message of the conversation. */
export type ChatMessage = DeveloperMessage | SystemMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage;

/** Whose message it is. */
export type ChatRole = 'developer' | 'system' | 'user' | 'assistant' | 'tool' | (string & {});

/** One of the answers. */
export interface Choice {
  index: number;
  message: ResponseMessage;
  logprobs: Logprobs | null;
  /** Why the answer ended. */
  finish_reason: FinishReason;

  [key: string]: unknown;
}

/** A piece of one of the answers. */
export interface ChunkChoice {
  index: number;
  delta: Delta;
  logprobs?: Logprobs | null;
  /** Why the answer ended; `null` while it goes on. */
  finish_reason: FinishReason | null;

  [key: string]: unknown;
}

/** The completions; also one event of a stream of them. */
export interface Completion {
  /** Identifies the answer; the same in all events of a stream. */
  id: string;
  /** Always `text_completion`. */
  object: 'text_completion';
  /** When the answer was made, in seconds since 1970. */
  created: number;
  /** The model that answered. */
  model: string;
  /** The state of the provider's backend, to compare with `seed` in mind. */
  system_fingerprint?: string | null;
  /** One for each prompt and `n`. Empty in a stream's event that carries the usage. */
  choices: Array<CompletionChoice>;
  /** What the answer took. In a stream only with `stream_options.include_usage`: `null` but for the last event. */
  usage?: Usage | null;

  [key: string]: unknown;
}

/** One completion, or a piece of it. */
export interface CompletionChoice {
  text: string;
  index: number;
  logprobs: CompletionLogprobs | null;
  /** Why it ended: `stop`, `length` or `content_filter`; `null` while a stream goes on. */
  finish_reason: FinishReason | null;

  [key: string]: unknown;
}

/** Log probabilities; the lists run in parallel, one entry for each token. */
export interface CompletionLogprobs {
  /** Where each token begins in the text, in characters. */
  text_offset?: Array<number> | null;
  /** `null` for the first token of an echoed prompt. */
  token_logprobs?: Array<number | null> | null;
  tokens?: Array<string> | null;
  /** The likeliest tokens at each place. */
  top_logprobs?: Array<{ [key: string]: number } | null> | null;
}

/** What to complete, and how. */
export interface CompletionRequest {
  /** The model's name, as `GET /v1/models` lists it. */
  model: string;
  /** The text to go on from; with several, each is completed. `null` stands for the beginning of a new document. */
  prompt: TextInput | null;
  /** How many candidates the provider makes, of which it returns the `n` best; 1 by default. Cannot be streamed. */
  best_of?: number | null;
  /** Whether the prompt is put before its completion; `false` by default. */
  echo?: boolean | null;
  /** From -2 to 2; above 0, tokens are less likely the more often they occurred. 0 by default. */
  frequency_penalty?: number | null;
  /** Token ids with a bias from -100 (never) to 100 (only). */
  logit_bias?: { [key: string]: number } | null;
  /** How many of the likeliest tokens come with their log probabilities, up to 5. */
  logprobs?: number | null;
  /** The most tokens to generate; 16 by default at OpenAI. */
  max_tokens?: number | null;
  /** How many completions of each prompt, from 1 to 128; 1 by default. */
  n?: number | null;
  /** From -2 to 2; above 0, tokens that occurred already are less likely. 0 by default. */
  presence_penalty?: number | null;
  /** Asks for the same answer to the same request, as far as the provider can. */
  seed?: number | null;
  /** Up to 4 texts before which the completion ends. */
  stop?: Stop | null;
  /** Only with `stream: true`. */
  stream_options?: StreamOptions | null;
  /** The text that comes after what is completed. */
  suffix?: string | null;
  /** From 0 (focused) to 2 (random); 1 by default. Change this or `top_p`, not both. */
  temperature?: number | null;
  /** From 0 to 1: only the tokens that make up this share of the probability are considered; 1 by default. */
  top_p?: number | null;
  /** An identifier of your end user. */
  user?: string | null;
}

/** What the tokens generated consist of. */
export interface CompletionTokensDetails {
  /** Tokens of the request's `prediction` that are in the answer. */
  accepted_prediction_tokens?: number | null;
  audio_tokens?: number | null;
  /** Spent on reasoning; not part of the answer. */
  reasoning_tokens?: number | null;
  /** Tokens of the request's `prediction` that are not in the answer, and are billed all the same. */
  rejected_prediction_tokens?: number | null;
  text_tokens?: number | null;

  [key: string]: unknown;
}

/** Requests of the key in progress, the one that asks aside. */
export interface ConcurrencyStanding {
  limit: number;
  in_progress: number;
}

/** A piece of a message. */
export type ContentPart = TextPart | ImagePart | AudioPart | FilePart | RefusalPart;

/** How a provider likes one of its keys. */
export interface CredentialHealth {
  /** Which of the provider's keys: its place in the configuration, from 1. */
  key: number;
  state: CredentialStatus;
  /** Since when it is refused, RFC 3339. */
  since?: string | null;
  /** When a request will try it again, RFC 3339. */
  retry_at?: string | null;
}

/** Whether a provider takes a key. */
export type CredentialStatus = 'ok' | 'refused' | (string & {});

/** A custom tool's name and input. */
export interface CustomCall {
  name: string;
  input: string;
}

/** A piece of a custom tool's call. */
export interface CustomCallDelta {
  /** In a call's first piece. */
  name?: string | null;
  /** The next stretch of the input. */
  input?: string | null;
}

/** A tool that takes text. */
export interface CustomTool {
  type: 'custom';
  custom: CustomToolDefinition;
}

/** A call of a custom tool. */
export interface CustomToolCall {
  type: 'custom';
  /** Identifies the call; the tool's answer refers to it. */
  id: string;
  custom: CustomCall;
}

export interface CustomToolChoice {
  custom: ToolName;
  type: 'custom';
}

/** A tool that takes text, in a form of its own. */
export interface CustomToolDefinition {
  name: string;
  /** What it does: how the model knows when to call it. */
  description?: string | null;
  /** What it takes; any text by default. */
  format?: CustomToolFormat | null;
}

/** What a custom tool takes. */
export type CustomToolFormat = CustomToolFormatText | CustomToolFormatGrammar;

/** Text of a grammar. */
export interface CustomToolFormatGrammar {
  grammar: ToolGrammar;
  type: 'grammar';
}

/** Any text. */
export interface CustomToolFormatText {
  type: 'text';
}

export interface CustomVoice {
  /** Such as `voice_1234`. */
  id: string;
}

/** What is new: texts are appended to those before them. */
export interface Delta {
  /** In an answer's first piece. */
  role?: ChatRole | null;
  /** `null` in the first piece of an answer that only calls tools. */
  content?: string | null;
  refusal?: string | null;
  /** What the model thinks. Not OpenAI's: an extension that many providers share. */
  reasoning_content?: string | null;
  tool_calls?: Array<ToolCallDelta> | null;
  audio?: AudioDelta | null;
  /** Replaced by `tool_calls`. */
  function_call?: FunctionCallDelta | null;

  [key: string]: unknown;
}

/** Instructions that the model follows whatever the user says. Replaces `system` for reasoning models. */
export interface DeveloperMessage {
  role: 'developer';
  content: MessageContent;
  /** Tells participants of the same role apart. */
  name?: string | null;
}

/** How listing a provider's models goes. */
export interface DiscoveryHealth {
  /** When its models were last listed, RFC 3339. */
  last_success_at?: string | null;
  /** Why the last attempt failed; absent when it succeeded. */
  error?: string | null;
}

/** One input's vector. */
export interface Embedding {
  /** Always `embedding`. */
  object: 'embedding';
  /** The input's position. */
  index: number;
  embedding: EmbeddingVector;

  [key: string]: unknown;
}

/** What to embed, and how. */
export interface EmbeddingRequest {
  /** The model's name, as `GET /v1/models` lists it. */
  model: string;
  /**
   * One input or many; each becomes one vector. An input must not be empty. More than a provider takes at once go in
   * several requests.
   */
  input: TextInput;
  /** The length of the vectors, for models that can shorten them. The model's own length by default. */
  dimensions?: number | null;
  /** How vectors are written; `float` by default. (The OpenAI SDKs ask for `base64` by themselves.) */
  encoding_format?: EncodingFormat | null;
  /** An identifier of your end user. */
  user?: string | null;
}

/** The vectors, in the order of the inputs. */
export interface EmbeddingResponse {
  /** Always `list`. */
  object: 'list';
  data: Array<Embedding>;
  /** The model that made them. */
  model: string;
  usage: EmbeddingUsage;

  [key: string]: unknown;
}

/** The tokens that embedding took. */
export interface EmbeddingUsage {
  prompt_tokens: number;
  total_tokens: number;

  [key: string]: unknown;
}

/** A vector, in the encoding that was asked for. */
export type EmbeddingVector = Array<number> | string;

/** How vectors are written: JSON numbers, or the base64 of their 32-bit floats, little-endian. */
export type EncodingFormat = 'float' | 'base64' | (string & {});

/** What went wrong. `param` and `code` are `null` where there is nothing to say. */
export interface ErrorBody {
  /** For a person to read. */
  message: string;
  /** The class of the error: `invalid_request_error`, `authentication_error`, `rate_limit_error`, `server_error`, … */
  type: string;
  /** The member of the request that is at fault, such as `messages[0].role`. */
  param: string | null;
  /** For a program to test: `model_not_found`, `context_length_exceeded`, `rate_limit_exceeded`, … */
  code: string | null;
}

/** An error, in OpenAI's envelope. */
export interface ErrorEnvelope {
  error: ErrorBody;
}

/** Token counts. `input` and `output` are totals, the others are parts of them; a part of 0 is absent. */
export interface EventTokens {
  input: number;
  output: number;
  /** Part of `input` read from the provider's prompt cache. */
  cached_read?: number;
  /** Part of `input` written to the provider's prompt cache. */
  cached_write?: number;
  /** Part of `cached_write` that is kept for an hour. */
  cached_write_1h?: number;
  /** Part of `output`. */
  reasoning?: number;
  audio_input?: number;
  /** Part of both `audio_input` and `cached_read`. */
  audio_cached?: number;
  audio_output?: number;
  image_input?: number;
  image_output?: number;
  /** Part of `input` that the provider does not charge for. */
  free_input?: number;
  /** What a reranker counts in place of tokens, and the searches of the web that a model has made and is paid for. */
  search_units?: number;
}

/** A document. */
export interface FilePart {
  type: 'file';
  file: FileSource;
  /** Marks the end of a prompt that is worth caching. */
  prompt_cache_breakpoint?: PromptCacheBreakpoint | null;
}

/** A document that was uploaded before (`file_id`) or is sent along (`file_data` and `filename`). */
export interface FileSource {
  /** The document as a `data:` URL. */
  file_data?: string | null;
  /** The identifier of an uploaded document. */
  file_id?: string | null;
  /** The document's name. */
  filename?: string | null;
}

/** Why an answer ended. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call' | (string & {});

/** A function's name and arguments. */
export interface FunctionCall {
  name: string;
  /** JSON as the model wrote it, which may be neither valid nor what the schema asks for. */
  arguments: string;
}

/** A piece of a function call. */
export interface FunctionCallDelta {
  /** In a call's first piece. */
  name?: string | null;
  /** The next stretch of the arguments' JSON. */
  arguments?: string | null;
}

/** Which function the model calls: `none`, `auto` or the one that is named. Replaced by `tool_choice`. */
export type FunctionCallOption = ToolChoiceMode | ToolName;

/** A function that the model may call. */
export interface FunctionDefinition {
  /** Up to 64 letters, digits, underscores and dashes. */
  name: string;
  /** What it does: how the model knows when to call it. */
  description?: string | null;
  /** Its arguments, as a JSON Schema; none by default. */
  parameters?: { [key: string]: JsonValue | null } | null;
  /** Whether the model is held to the schema exactly, for which only a subset of JSON Schema is allowed. */
  strict?: boolean | null;
}

/** What a function answered. Replaced by tool messages. */
export interface FunctionMessage {
  role: 'function';
  content: MessageContent | null;
  /** The function's name. */
  name: string;
}

/** A tool that takes JSON. */
export interface FunctionTool {
  type: 'function';
  function: FunctionDefinition;
}

/** A call of a function. */
export interface FunctionToolCall {
  type: 'function';
  /** Identifies the call; the tool's answer refers to it. */
  id: string;
  function: FunctionCall;
}

export interface FunctionToolChoice {
  function: ToolName;
  type: 'function';
}

/** The language that a grammar is written in. */
export type GrammarSyntax = 'lark' | 'regex' | (string & {});

/** How closely a model looks at an image. */
export type ImageDetail = 'auto' | 'low' | 'high' | 'original' | (string & {});

/** An image. */
export interface ImagePart {
  type: 'image_url';
  image_url: ImageUrl;
  /** Marks the end of a prompt that is worth caching. */
  prompt_cache_breakpoint?: PromptCacheBreakpoint | null;
}

/** Where an image is. */
export interface ImageUrl {
  /** Its address, or the image itself as a `data:` URL. */
  url: string;
  /** How closely the model looks at it; `auto` by default. */
  detail?: ImageDetail | null;
}

/** Recorded sound. */
export interface InputAudio {
  /** Base64. */
  data: string;
  format: AudioInputFormat;
}

/** The schema that the answer satisfies. */
export interface JsonSchemaFormat {
  /** Up to 64 letters, digits, underscores and dashes. */
  name: string;
  /** What the format is for. */
  description?: string | null;
  /** A JSON Schema. */
  schema?: { [key: string]: JsonValue | null } | null;
  /** Whether the model is held to the schema exactly, for which only a subset of JSON Schema is allowed. */
  strict?: boolean | null;
}

/** What a key may spend; what a request may cost is put aside when it comes, and settled when it ends. */
export interface KeyBudget {
  /** US dollars; 0 for any number. */
  limit: number;
  /** By default `monthly`. */
  period?: BudgetPeriod | null;
  /** Share of the limit from which on it is warned of, by default 0.8. */
  warn_threshold?: number | null;
  /** Whether requests beyond it are refused, by default true; if not, it only warns. */
  hard?: boolean | null;
}

/** What a key may be used for, in the words of `auth.keys` of the configuration file. */
export interface KeyCreateRequest {
  /** Name for people, unique in the organisation. */
  name: string;
  /** By default `member`. */
  role?: KeyRole | null;
  /** Models it may use, with `*` as wildcard; by default all. */
  models?: Array<string> | null;
  /** Providers it may use; by default all. */
  providers?: Array<string> | null;
  /** Addresses and networks it may come from; by default all. */
  allowed_ips?: Array<string> | null;
  /** Names of functions, and types of a provider's own tools, that its requests may offer, with `*` as wildcard. */
  allowed_tools?: Array<string> | null;
  /** Those that they may not offer, whatever else is allowed. */
  denied_tools?: Array<string> | null;
  /** Requests a minute; 0 for any number. */
  rate_limit_rpm?: number | null;
  /** Tokens a minute; 0 for any number. */
  rate_limit_tpm?: number | null;
  /** Requests in progress at once; 0 for any number. */
  max_concurrent?: number | null;
  /** What it may spend; by default what its organisation may. */
  budget?: KeyBudget | null;
  /** What there is to say of it, scalars by name: in logs, and for conditional routes. */
  metadata?: { [key: string]: JsonValue | null } | null;
  /** When it stops working, as `2027-01-01T00:00:00Z`. */
  expires_at?: string | null;
  /** `true` keeps it without letting it in. */
  disabled?: boolean | null;
}

/** What a key may do. */
export type KeyRole = 'viewer' | 'member' | 'admin' | 'owner' | (string & {});

/** How a key is replaced. */
export interface KeyRotateRequest {
  /** Seconds for which the old one works beside the new one, at most 30 days; by default 0. */
  overlap_seconds?: number | null;
}

/** What is to be changed; what is not named stays, and null brings back the default. */
export interface KeyUpdateRequest {
  /** Name for people, unique in the organisation. */
  name?: string | null;
  role?: KeyRole | null;
  /** Models it may use, with `*` as wildcard. */
  models?: Array<string> | null;
  /** Providers it may use. */
  providers?: Array<string> | null;
  /** Addresses and networks it may come from. */
  allowed_ips?: Array<string> | null;
  /** Names of functions, and types of a provider's own tools, that its requests may offer, with `*` as wildcard. */
  allowed_tools?: Array<string> | null;
  /** Those that they may not offer, whatever else is allowed. */
  denied_tools?: Array<string> | null;
  /** Requests a minute; 0 for any number. */
  rate_limit_rpm?: number | null;
  /** Tokens a minute; 0 for any number. */
  rate_limit_tpm?: number | null;
  /** Requests in progress at once; 0 for any number. */
  max_concurrent?: number | null;
  /** What it may spend; by default what its organisation may. */
  budget?: KeyBudget | null;
  /** What there is to say of it, scalars by name: in logs, and for conditional routes. */
  metadata?: { [key: string]: JsonValue | null } | null;
  /** When it stops working, as `2027-01-01T00:00:00Z`. */
  expires_at?: string | null;
  /** `true` keeps it without letting it in. */
  disabled?: boolean | null;
}

/** Who is limited. */
export type LimitScope = 'organisation' | 'key' | 'user' | 'model' | (string & {});

/** What is counted. */
export type LimitUnit = 'requests' | 'tokens' | (string & {});

/** How the limits of a caller stand. What is not listed is not limited. */
export interface Limits {
  /** Always `limits`. */
  object: 'limits';
  /** Limits a minute. */
  rates: Array<RateStanding>;
  budgets: Array<BudgetStanding>;
  /** Absent where the key may have any number of requests in progress. */
  concurrency?: ConcurrencyStanding | null;
}

/** Whether the process is doing its work. Providers have no part in it: restarting the gateway does not mend them. */
export interface Liveness {
  status: LivenessStatus;
  /** The gateway's version. */
  version: string;
  /** Seconds since the process started. */
  uptime_seconds: number;
}

/** Whether the process is doing its work. */
export type LivenessStatus = 'alive' | (string & {});

/** Log probabilities. */
export interface Logprobs {
  /** Of the answer's tokens. */
  content: Array<TokenLogprob> | null;
  /** Of the refusal's tokens. */
  refusal: Array<TokenLogprob> | null;
}

/**
 * What a message contains: text, or parts. Developer, system and tool messages hold text parts, assistant messages text
 * and refusals, user messages everything but refusals.
 */
export type MessageContent = string | Array<ContentPart>;

/** What an answer may consist of. */
export type Modality = 'text' | 'audio' | (string & {});

/** One model. */
export interface ModelInfo {
  /** The name to ask for, `provider/model`. The part after the provider's name is understood alone, too. */
  id: string;
  /** Always `model`. */
  object: 'model';
  /** When the model was created, in seconds since 1970; 0 where the provider does not say. */
  created: number;
  /** Who offers the model. */
  owned_by: string;
  /** The day on which the model will be shut down, where that has been announced. */
  shutdown_date?: string | null;

  [key: string]: unknown;
}

/** All models that the caller may use. */
export interface ModelList {
  /** Always `list`. */
  object: 'list';
  data: Array<ModelInfo>;
}

/** What a moderation model looks at. */
export type ModeratedInputType = 'text' | 'image' | (string & {});

export interface ModerationErrorOutcome {
  code: string;
  message: string;
  type: 'error';
}

/** One finding. */
export interface ModerationFinding {
  /** Always `moderation_result`. */
  type: 'moderation_result';
  /** The model that found it. */
  model: string;
  /** Whether any category applies. */
  flagged: boolean;
  /** Whether each category applies. */
  categories: { [key: string]: boolean };
  /** How far each category applies, from 0 to 1. */
  category_scores: { [key: string]: number };
  /** What each category's score is about. */
  category_applied_input_types: { [key: string]: Array<ModeratedInputType> };
}

/** Whether findings are reported only, or block the answer. */
export type ModerationMode = 'score' | 'block' | (string & {});

/** Has the request and the answer checked by a moderation model. */
export interface ModerationOptions {
  /** Such as `omni-moderation-latest`. */
  model: string;
  /** What is done with what it finds. */
  policy?: ModerationPolicy | null;
}

/** Findings, or why there are none. */
export type ModerationOutcome = ModerationResultsOutcome | ModerationErrorOutcome;

/** What is done with what a moderation model finds. */
export interface ModerationPolicy {
  /** For the request. */
  input?: ModerationRule | null;
  /** For the answer. */
  output?: ModerationRule | null;
}

/** What the moderation model found. */
export interface ModerationReport {
  /** In the request. */
  input: ModerationOutcome;
  /** In the answer. */
  output: ModerationOutcome;
}

export interface ModerationResultsOutcome {
  /** The model that looked. */
  model: string;
  results: Array<ModerationFinding>;
  type: 'moderation_results';
}

/** What is done with a finding. */
export interface ModerationRule {
  mode: ModerationMode;
}

/** The tool that the model has to call, or those among which it chooses. */
export type NamedToolChoice = FunctionToolChoice | CustomToolChoice | AllowedToolsChoice;

/** What an organisation has configured. Secrets are never shown, only that they are set. */
export interface OrgConfig {
  /** Always `org.config`. */
  object: 'org.config';
  org_id: string;
  /** Counts its changes, from 1. */
  version: number;
  /** What `If-Match` takes: another one after every change. The header `ETag` has it too, in quotes. */
  etag: string;
  config: OrgConfigDocument;
  /** RFC 3339, in UTC. */
  created_at: string;
  /** RFC 3339, in UTC. */
  updated_at: string;
  /** Who made the last change. */
  updated_by: string;
}

/** How a version came to be. */
export type OrgConfigAction = 'create' | 'replace' | 'update' | 'rollback' | (string & {});

/** One place at which two versions differ. */
export interface OrgConfigChange {
  /** As in `providers.openai.base_url`. */
  path: string;
  /** What it was; absent when there was nothing. */
  before?: JsonValue | null;
  /** What it is; absent when there is nothing any more. */
  after?: JsonValue | null;
}

/** An organisation that is no more. */
export interface OrgConfigDeleted {
  /** Always `org.config.deleted`. */
  object: 'org.config.deleted';
  org_id: string;
  deleted: boolean;
}

/** What two versions differ in. A secret that was set again differs in its `updated_at`. */
export interface OrgConfigDiff {
  from: number;
  to: number;
  changes: Array<OrgConfigChange>;
}

/**
 * The blocks of the configuration file that are an organisation's own; unknown keys are refused with their path. A
 * secret (`api_key`, `client_secret`, the value of a header, …) is a text, or the marker that was read in its place,
 * `{"set": true, …}`, which leaves it as it is. Operators may also write a reference to one, `env://NAME` or
 * `file:///path`.
 */
export interface OrgConfigDocument {
  /** Providers by name, each with the fields that `GET /v1/provider-types` lists. */
  providers?: { [key: string]: JsonValue | null } | null;
  /** Alias → model, or model → provider. */
  model_map?: { [key: string]: JsonValue | null } | null;
  /** Which provider a request goes to, and to which next: `targets`, `failover`, `retry`, `conditional_routes`, …. */
  routing?: { [key: string]: JsonValue | null } | null;
  /**
   * How many requests and tokens a minute are let in: `global_rpm`, `global_tpm`, `per_user_rpm`, `per_model_rpm`, ….
   */
  rate_limiting?: { [key: string]: JsonValue | null } | null;
  /**
   * How many US dollars may be spent, and in which time: `limit`, `period`, `warn_threshold`, `hard`, and `users` by
   * their names.
   */
  budgets?: { [key: string]: JsonValue | null } | null;
  /** What answers cost: `enabled`, `custom_pricing`. */
  cost_tracking?: { [key: string]: JsonValue | null } | null;
}

/** One thing wrong with a configuration. */
export interface OrgConfigMistake {
  /** As in `providers.openai.models[1]`. */
  path: string;
  message: string;
}

/** Which version is to come back. */
export interface OrgConfigRollback {
  version: number;
}

/** What would be said of a configuration. Nothing has been changed. */
export interface OrgConfigValidation {
  valid: boolean;
  mistakes: Array<OrgConfigMistake>;
}

/** One version of a configuration. */
export interface OrgConfigVersion {
  version: number;
  action: OrgConfigAction;
  /** RFC 3339, in UTC. */
  at: string;
  /** Who made it. */
  author: string;
}

/** The last hundred versions, the latest first. */
export interface OrgConfigVersions {
  /** Always `list`. */
  object: 'list';
  data: Array<OrgConfigVersion>;
}

/** Organisations in the order of their ids. */
export interface OrgList {
  /** Always `list`. */
  object: 'list';
  data: Array<OrgSummary>;
  /** What `cursor` takes to go on; absent at the end. */
  next_cursor?: string | null;
}

/** A provider that an organisation may use. */
export interface OrgProvider {
  name: string;
  /** The type: `openai`, `anthropic`, …. */
  type: string;
  api_format: string;
  /** Whether it is one of the gateway's own, which organisations share. */
  shared: boolean;
  /** The models that it lists, or that were discovered. */
  models: Array<string>;
  /** How it is doing, in each of its regions. */
  health: Array<ProviderHealth>;
}

/** The providers that an organisation may use. */
export interface OrgProviderList {
  /** Always `list`. */
  object: 'list';
  data: Array<OrgProvider>;
}

/** An organisation, without what it has configured. */
export interface OrgSummary {
  org_id: string;
  version: number;
  /** Names of its providers. */
  providers: Array<string>;
  /** RFC 3339, in UTC. */
  updated_at: string;
  updated_by: string;
}

/** Text that most of the answer is expected to repeat. */
export interface Prediction {
  content: TextContent;
  type: 'content';
}

/** Marks the exact end of a prompt that is worth caching. */
export interface PromptCacheBreakpoint {
  /** Always `explicit`. */
  mode: PromptCacheMode;
  /** The least time that it is kept; that of the request's `prompt_cache_options` by default. */
  ttl?: PromptCacheTtl | null;
}

/** Whether the provider chooses a place where a cached prompt ends, besides those that the messages mark. */
export type PromptCacheMode = 'implicit' | 'explicit' | (string & {});

/** Where cached prompts end and how long they are kept. */
export interface PromptCacheOptions {
  /** `implicit` by default. */
  mode?: PromptCacheMode | null;
  /** The least time that cached prompts are kept; `30m` by default. */
  ttl?: PromptCacheTtl | null;
}

/** How long cached prompts are kept. */
export type PromptCacheRetention = 'in_memory' | '24h' | (string & {});

/** The least time that a cached prompt is kept. */
export type PromptCacheTtl = '30m' | '12h' | (string & {});

/** What the tokens read consist of. */
export interface PromptTokensDetails {
  audio_tokens?: number | null;
  /** Written to the provider's prompt cache. */
  cache_write_tokens?: number | null;
  /** Read from the provider's prompt cache. */
  cached_tokens?: number | null;
  image_tokens?: number | null;
  text_tokens?: number | null;

  [key: string]: unknown;
}

/** A provider's failure. */
export interface ProviderError {
  /** The class of the failure: `upstream`, `unreachable`, `upstream_timeout`, `rate_limited`, `credential`, … */
  cause: string;
  message: string;
  /** RFC 3339. */
  at: string;
}

/** The health of one provider. Counts are since the provider was (re)started; times are RFC 3339, in UTC. */
export interface ProviderHealth {
  /** The provider's name in the configuration. */
  name: string;
  /** Where it is, for a provider that has regions: each has an entry of its own. */
  region?: string | null;
  /** The kind of provider: `openai`, `anthropic`, … */
  type: string;
  /** The wire format that is spoken with it. */
  api_format: string;
  state: ProviderState;
  /** The last changes of its state, oldest first. */
  changes: Array<StateChange>;
  breaker: BreakerHealth;
  /** Requests that it is answering now. */
  in_flight: number;
  /** How many requests it is given at once at most. */
  max_concurrent: number;
  /** Requests sent to it. */
  requests: number;
  /** Requests that it failed. */
  failures: number;
  /** Failures since the last success. */
  consecutive_failures: number;
  /** The share of its recent requests that failed, from 0 to 1; absent before the first one. */
  error_rate?: number | null;
  availability: Availability;
  /** How long it takes to begin its answer, in milliseconds: a moving average that favours recent requests. */
  latency_ms?: number | null;
  /** Until the first content of a stream, over the last minutes; absent while too few are known. */
  first_content?: Quantiles | null;
  /** Until a whole answer that was not streamed, over the last minutes; absent while too few are known. */
  whole_answer?: Quantiles | null;
  /** What keys and models have used up, or nearly so; up to a hundred. */
  quotas: Array<QuotaHealth>;
  /** One entry for each key that it is called with. */
  credentials: Array<CredentialHealth>;
  /** The most recent failure. */
  last_error?: ProviderError | null;
  /** When it last answered a request well. */
  last_success_at?: string | null;
  /** How often its supervisor has restarted it. */
  restarts: number;
  /** The number of models it is known to have. */
  models: number;
  /** How listing its models goes; absent where that is switched off. */
  discovery?: DiscoveryHealth | null;
}

/** How a provider is doing. */
export type ProviderState = 'healthy' | 'degraded' | 'unhealthy' | 'recovering' | 'draining' | 'unknown' | (string & {});

/** What came of a look at a provider, which no provider bills. */
export interface ProviderTestResult {
  provider: string;
  /** Whether it answered its list of models with the credentials that it was given. */
  ok: boolean;
  took_ms: number;
  /** The models that it says it has. */
  models?: Array<string> | null;
  /** Why it did not. */
  error?: string | null;
}

/** A field of a provider's configuration. */
export interface ProviderTypeField {
  name: string;
  /** `string`, `integer`, `boolean`, `array`, `object` or `duration` (`30s`, or a number of seconds). */
  type: string;
  /** Whether it is, or holds, a secret: never shown again, only that it is set. */
  secret: boolean;
  /**
   * Whether the provider cannot do without it (or without what stands in for it: an Entra application for Azure's key).
   */
  required: boolean;
  description: string;
  /** What it can be, where that is a few words. */
  values?: Array<string>;
}

/** A type of provider, as `type` names it. */
export interface ProviderTypeInfo {
  name: string;
  /** The wire format that is spoken with it. */
  api_format: string;
  /** Where it is unless something else is said. */
  base_url?: string | null;
  /** What its `base_url` is or comes from, where there is no default. */
  note?: string | null;
  fields: Array<ProviderTypeField>;
}

/** Every type of provider. */
export interface ProviderTypeList {
  /** Always `list`. */
  object: 'list';
  data: Array<ProviderTypeInfo>;
}

/** The health of every configured provider. */
export interface ProvidersHealth {
  /** Always `list`. */
  object: 'list';
  data: Array<ProviderHealth>;
}

/** How durations are distributed, in milliseconds; each is at most 6 % off. */
export interface Quantiles {
  /** Half of the requests stay below. */
  p50_ms: number;
  /** Nineteen of twenty stay below. */
  p95_ms: number;
  /** Ninety-nine of a hundred stay below. */
  p99_ms: number;
  /** From how many requests. */
  samples: number;
}

/** A quota that is used up, or nearly so. Providers count by key and model. */
export interface QuotaHealth {
  /** The model, as the provider knows it. */
  model: string;
  /** Which of the provider's keys: its place in the configuration, from 1. */
  key: number;
  level: QuotaLevel;
  /** When it should be free again, RFC 3339, where that is known. */
  until?: string | null;
}

/** What is left of a quota. */
export type QuotaLevel = 'limited' | 'low' | (string & {});

/** One limit a minute. */
export interface RateStanding {
  scope: LimitScope;
  /** Of the organisation, key, user or pattern. */
  name: string;
  unit: LimitUnit;
  limit: number;
  /** Neither used nor reserved for requests in progress. */
  remaining: number;
  /** Until all of it is there again, in milliseconds. */
  reset_ms: number;
}

/** Whether the gateway should be sent requests. */
export interface Readiness {
  status: ReadinessStatus;
  /** What stands in the way; empty when it is ready. */
  reasons: Array<string>;
  /** What is not as it should be although requests are served: NATS is away, the spool is full. */
  warnings?: Array<string>;
}

/** Whether requests are welcome. */
export type ReadinessStatus = 'ready' | 'not_ready' | (string & {});

/** How much a reasoning model thinks before it answers. */
export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | (string & {});

/** What the model said instead of answering. */
export interface RefusalPart {
  type: 'refusal';
  refusal: string;
}

/** What the provider bills. */
export interface RerankBilledUnits {
  search_units?: number | null;

  [key: string]: unknown;
}

/** A document: its text, or an object that holds it. */
export type RerankDocument = string | RerankDocumentObject;

/** A document with more than its text. */
export interface RerankDocumentObject {
  /** What is ranked. Only some compatible servers take objects without it. */
  text?: string | null;
}

/** What Cohere says beside the results. */
export interface RerankMeta {
  billed_units?: RerankBilledUnits | null;

  [key: string]: unknown;
}

/** What to rank, and against what. */
export interface RerankRequest {
  /** The model's name, as `GET /v1/models` lists it. */
  model: string;
  /** What the documents are compared with. */
  query: string;
  /** What is ranked: texts, or objects with a `text`. */
  documents: Array<RerankDocument>;
  /** How many of the best are answered; all of them by default. */
  top_n?: number | null;
  /** Whether the answer repeats the documents. */
  return_documents?: boolean | null;
  /** Longer documents are cut to this many tokens. */
  max_tokens_per_doc?: number | null;
}

/** The documents by relevance, the best first. */
export interface RerankResponse {
  id?: string | null;
  /** The model that ranked them. */
  model?: string | null;
  results: Array<RerankResult>;
  usage?: RerankUsage | null;
  /** What was billed, as Cohere says it. */
  meta?: RerankMeta | null;

  [key: string]: unknown;
}

/** One document's place. */
export interface RerankResult {
  /** The document's position in the request. */
  index: number;
  /** Larger is more relevant; most models answer 0 to 1. */
  relevance_score: number;
  /** The document, where `return_documents` asks for it. */
  document?: RerankDocument | null;

  [key: string]: unknown;
}

/** What ranking took. */
export interface RerankUsage {
  prompt_tokens?: number | null;
  total_tokens?: number | null;
  /** Cohere's unit of price: one query with up to 100 documents. */
  search_units?: number | null;

  [key: string]: unknown;
}

/** A spoken answer. */
export interface ResponseAudio {
  /** To refer to it in a later request. */
  id: string;
  /** Base64, in the format that was asked for. */
  data: string;
  /** Until when it can be referred to, in seconds since 1970. */
  expires_at: number;
  /** What is said. */
  transcript: string;
}

/** The form of the answer. */
export type ResponseFormat = ResponseFormatText | ResponseFormatJsonObject | ResponseFormatJsonSchema;

/** Some JSON object. The messages have to ask for JSON, too. */
export interface ResponseFormatJsonObject {
  type: 'json_object';
}

/** JSON that satisfies a schema. */
export interface ResponseFormatJsonSchema {
  json_schema: JsonSchemaFormat;
  type: 'json_schema';
}

/** Text. */
export interface ResponseFormatText {
  type: 'text';
}

/** What the model said. */
export interface ResponseMessage {
  /** Always `assistant`. */
  role: 'assistant';
  /** The answer; `null` where the model only called tools. */
  content: string | null;
  /** What the model said instead of answering. */
  refusal: string | null;
  /** What the model thought. Not OpenAI's: an extension that many providers share. */
  reasoning_content?: string | null;
  /** The tools that the model calls. */
  tool_calls?: Array<ToolCall> | null;
  /** Where the answer is from, after a web search. */
  annotations?: Array<Annotation> | null;
  /** The spoken answer. */
  audio?: ResponseAudio | null;
  /** Replaced by `tool_calls`. */
  function_call?: FunctionCall | null;

  [key: string]: unknown;
}

/** One call of a provider. */
export interface RouteAttempt {
  place: RoutePlace;
  kind: AttemptKind;
  outcome: AttemptOutcome;
  /** The status that the provider answered a failed attempt with, where it did. */
  status?: number | null;
  /** Until its answer began, or it failed. */
  took_ms?: number | null;
}

/** A provider that may serve a request, and what the strategies know of it. */
export interface RouteCandidate {
  provider: string;
  region?: string | null;
  /** The model, as the provider knows it. */
  model: string;
  /** Lower goes first, whatever the strategy. */
  tier: number;
  weight: number;
  readiness: CandidateReadiness;
  /** What speaks against it, in words: its breaker, quota, credential or permits. */
  reasons: Array<string>;
  in_flight: number;
  max_concurrent: number;
  /** What its next answer should take to begin; absent before the first. */
  latency_ms?: number | null;
  /** Of the last minute's requests, from 0 to 1; absent without any. */
  success_rate?: number | null;
  /** US dollars for a million tokens in and a million out; absent where the price is not known. */
  price?: number | null;
}

/** What was decided for a request, and what came of it. */
export interface RouteDecision {
  request_id: string;
  /** The model that was asked for; absent when the request could not be read. */
  model?: string | null;
  /** `chat.completions`, `embeddings`, … */
  endpoint: string;
  /** When the request came, RFC 3339. */
  at: string;
  took_ms: number;
  /** The status that the client was sent. */
  status: number;
  /** What said who serves the model; absent when the request was refused before that. */
  source?: RouteSource | null;
  strategy: string;
  /** In the order of their turns; those for a model that stood in come behind. */
  candidates: Array<RoutePlace>;
  /** Those that were not asked when it was their turn. */
  passed_over: Array<RoutePassedOver>;
  /** In the order in which they began. */
  attempts: Array<RouteAttempt>;
}

/** The request that one would send. */
export interface RouteExplainRequest {
  /** The model that one would ask for. */
  model: string;
}

/** What the gateway would do with a request now. Nothing has been sent. */
export interface RouteExplanation {
  /** The model that was asked for. */
  model: string;
  /** `chat.completions`, `embeddings`, … */
  endpoint: string;
  /** What says who serves it. */
  source: RouteSource;
  /** The name of the conditional route that holds. */
  rule?: string | null;
  /** How equals are ordered. */
  strategy: string;
  /** In the order in which they would be tried. Where a strategy draws by chance, this is one draw. */
  candidates: Array<RouteCandidate>;
  /** Models that would stand in, one after the other, if nobody answered. */
  fallbacks: Array<RouteFallback>;
  /** When a second request would be sent beside a slow first one, in milliseconds; absent where none would be. */
  hedge_after_ms?: number | null;
  /** Whether something of the request binds it to one candidate. */
  bound: boolean;
  /** Who may get a copy. */
  mirrors: Array<RouteMirror>;
  /** Milliseconds until the first content must have come. */
  timeout_ms: number;
}

/** A model that stands in for another. */
export interface RouteFallback {
  model: string;
  candidates: Array<RouteCandidate>;
}

/** A rule by which a request is copied. */
export interface RouteMirror {
  provider: string;
  model: string;
  /** The share of requests that are copied, from 0 to 1. */
  sample_rate: number;
}

/** A candidate that was not asked when it was its turn. */
export interface RoutePassedOver {
  place: RoutePlace;
  /** Why, in words. */
  reason: string;
}

/** A provider and what it was to be asked for. */
export interface RoutePlace {
  provider: string;
  region?: string | null;
  /** The model, as the provider knows it. */
  model: string;
}

/** What says who serves a model. */
export type RouteSource = 'provider_lock' | 'conditional_route' | 'request_targets' | 'targets' | 'model_map' | 'listed' | 'prefix' | 'discovered' | 'family' | 'default_model' | (string & {});

/** Requests that meet a condition go where it says. */
export interface RoutingPolicy {
  /** Unique in the organisation. */
  name: string;
  /** Lower is tried first, by default 0. */
  priority?: number | null;
  /**
   * Which requests, as `routing.conditional_routes` of the configuration file has it: `{"metadata.tier": {"$in":
   * ["gold"]}}`.
   */
  condition: { [key: string]: JsonValue | null };
  /** Where they go: `provider`, `model_override`. */
  action: { [key: string]: JsonValue | null };
}

/** A policy that is no more. */
export interface RoutingPolicyDeleted {
  /** Always `routing.policy.deleted`. */
  object: 'routing.policy.deleted';
  name: string;
  deleted: boolean;
}

/** The policies of an organisation, in the order in which they are written. */
export interface RoutingPolicyList {
  /** Always `list`. */
  object: 'list';
  data: Array<RoutingPolicy>;
}

/** What is to be changed; what is not named stays. */
export interface RoutingPolicyUpdate {
  /** Lower is tried first. */
  priority?: number | null;
  /** Which requests: replaced as a whole. */
  condition?: { [key: string]: JsonValue | null } | null;
  /** Where they go: replaced as a whole. */
  action?: { [key: string]: JsonValue | null } | null;
}

/** How much of the context window search results may fill. */
export type SearchContextSize = 'low' | 'medium' | 'high' | (string & {});

/** How a request is processed and priced. OpenAI answers `priority` to `fast`. */
export type ServiceTier = 'auto' | 'default' | 'flex' | 'scale' | 'priority' | 'fast' | (string & {});

/** A provider went from one state to another. */
export interface StateChange {
  /** RFC 3339. */
  at: string;
  from_state: ProviderState;
  to_state: ProviderState;
  /** Why, in words. */
  reason: string;
}

/** Texts before which the answer ends; they are not part of it. */
export type Stop = string | Array<string>;

/** How the answer is streamed. */
export interface StreamOptions {
  /**
   * Adds a last event with the usage of the whole request and no choices; all others then have `usage: null`. A stream
   * that is cut may not get that far.
   */
  include_usage?: boolean | null;
  /** Whether events are padded to hide the length of tokens from those who watch the line; `true` at OpenAI. */
  include_obfuscation?: boolean | null;
}

/** Instructions that the model follows whatever the user says. */
export interface SystemMessage {
  role: 'system';
  content: MessageContent;
  /** Tells participants of the same role apart. */
  name?: string | null;
}

/** Text, or text parts. */
export type TextContent = string | Array<ContentPart>;

/** Text or token ids, one input or many. */
export type TextInput = string | Array<string> | Array<number> | Array<Array<number>>;

/** Text. */
export interface TextPart {
  type: 'text';
  text: string;
  /** Marks the end of a prompt that is worth caching. */
  prompt_cache_breakpoint?: PromptCacheBreakpoint | null;
}

/** A token and how likely it was. */
export interface TokenLogprob {
  token: string;
  /** The natural logarithm of its probability; -9999 for very unlikely ones. */
  logprob: number;
  /** The token's UTF-8, since characters may be split over tokens. */
  bytes: Array<number> | null;
  /** The likeliest tokens at this place. */
  top_logprobs: Array<TopLogprob>;
}

/** A tool that the model may call. */
export type Tool = FunctionTool | CustomTool;

/** A call of a tool. */
export type ToolCall = FunctionToolCall | CustomToolCall;

/** A piece of a tool call. */
export interface ToolCallDelta {
  /** Which of the answer's tool calls it belongs to. */
  index: number;
  /** In a call's first piece. */
  id?: string | null;
  /** In a call's first piece. */
  type?: ToolType | null;
  function?: FunctionCallDelta | null;
  /** For a custom tool. */
  custom?: CustomCallDelta | null;

  [key: string]: unknown;
}

/** Which tools the model calls. */
export type ToolChoice = ToolChoiceMode | NamedToolChoice;

/** Whether the model calls tools: never, if it wants to, or in any case. */
export type ToolChoiceMode = 'none' | 'auto' | 'required' | (string & {});

/** A grammar. */
export interface ToolGrammar {
  definition: string;
  syntax: GrammarSyntax;
}

/** What a tool answered. */
export interface ToolMessage {
  role: 'tool';
  content: MessageContent;
  /** The call that it answers. */
  tool_call_id: string;
}

/** A tool's name. */
export interface ToolName {
  name: string;
}

/** The kind of a tool. */
export type ToolType = 'function' | 'custom' | (string & {});

/** One of the likeliest tokens at a place. */
export interface TopLogprob {
  token: string;
  /** The natural logarithm of its probability. */
  logprob: number;
  /** The token's UTF-8. */
  bytes: Array<number> | null;
}

/** The page that a stretch of the answer is from. */
export interface UrlCitation {
  /** Where the stretch begins, in characters. */
  start_index: number;
  /** The stretch's last character. */
  end_index: number;
  /** The page's title. */
  title: string;
  /** The page's address. */
  url: string;

  [key: string]: unknown;
}

/** The tokens that a request took. */
export interface Usage {
  /** Tokens read. */
  prompt_tokens: number;
  /** Tokens generated. */
  completion_tokens: number;
  /** The sum of both. */
  total_tokens: number;
  /** What the tokens read consist of. */
  prompt_tokens_details?: PromptTokensDetails | null;
  /** What the tokens generated consist of. */
  completion_tokens_details?: CompletionTokensDetails | null;

  [key: string]: unknown;
}

/** How much of what has happened has been counted. */
export interface UsageFreshness {
  /** When the last event that has been counted was written (RFC 3339); absent when there was none yet. */
  counted_until?: string | null;
  /** For how long the oldest event that has not been counted has been waiting; 0 when none waits. */
  behind_ms?: number | null;
}

/** What half of all do not exceed, and 95 and 99 in a hundred; within 2 % of itself. */
export interface UsageQuantiles {
  p50: number;
  p95: number;
  p99: number;
}

/** A page of a report. */
export interface UsageReport {
  /** Always `list`. */
  object: 'list';
  /** One row for each group, in the order of `group_by`. */
  data: Array<UsageRow>;
  /** Ask for the next page with it as `cursor`; absent on the last. */
  next_cursor?: string | null;
  /** Of all pages. */
  totals: UsageRow;
  /** The first moment that is counted (RFC 3339): what was asked for, down to the hour. */
  since: string;
  /** The first moment that is not counted any more: what was asked for, up to the hour. */
  until: string;
  freshness: UsageFreshness;
}

/** What one group has used. Of the first members it has those that `group_by` names and the group's requests have. */
export interface UsageRow {
  /** In UTC: `2026-11-28`. */
  day?: string | null;
  /** In UTC: `2026-11-28T09:00:00Z`. */
  hour?: string | null;
  org?: string | null;
  /** Which client key; never the key itself. */
  key?: string | null;
  /** `x-prism-user-id`, else the body's `user`. */
  user?: string | null;
  /** As the provider knows it; as the client named it where no provider was asked. */
  model?: string | null;
  /** Who answered, or was asked last. */
  provider?: string | null;
  /** `chat.completions`, `completions`, `embeddings`, `rerank`. */
  endpoint?: string | null;
  /** `answered`, `failed`, `cancelled`, `cut`, `replayed`, `interrupted`. */
  status?: string | null;
  /** The grouped members of `x-prism-metadata`, by name. */
  metadata?: { [key: string]: string } | null;
  requests: number;
  /** Those that failed, broke off or were interrupted. */
  errors: number;
  /** Those whose client left. */
  cancelled: number;
  /** Those that were answered with an answer that had been kept. */
  replayed: number;
  /** Calls of providers. */
  attempts: number;
  /** Requests whose answers did not reach their end, so that their tokens may not be all. */
  incomplete: number;
  /** Requests whose tokens the gateway has estimated, because the provider had not counted them. */
  estimated: number;
  tokens: EventTokens;
  /** US dollars as a plain decimal, exact. Absent when no price is known: unknown is never 0. */
  cost_usd?: string | null;
  /** Requests that are not in `cost_usd` because their price is not known. */
  unpriced: number;
  /** From the request's head to the end of its answer. */
  latency_ms?: UsageQuantiles | null;
  /** From the request's head to a stream's first content. */
  first_token_ms?: UsageQuantiles | null;
}

/** Where the user is, roughly. */
export interface UserLocation {
  /** Always `approximate`. */
  type: 'approximate';
  approximate: ApproximateLocation;
}

/** What the user says. */
export interface UserMessage {
  role: 'user';
  content: MessageContent;
  /** Tells participants of the same role apart. */
  name?: string | null;
}

/** How long-winded the answer is. */
export type Verbosity = 'low' | 'medium' | 'high' | (string & {});

/** A key, without the key itself. */
export interface VirtualKey {
  /** Always `key`. */
  object: 'key';
  id: string;
  org_id: string;
  /** How the key begins, to recognise it by. */
  prefix: string;
  name: string;
  role: KeyRole;
  /** Models it may use, with `*` as wildcard; empty for all. */
  models: Array<string>;
  /** Providers it may use; empty for all. */
  providers: Array<string>;
  /** Addresses and networks it may come from; empty for all. */
  allowed_ips: Array<string>;
  /** Tools that its requests may offer; empty for all. */
  allowed_tools: Array<string>;
  /** Those that they may not offer. */
  denied_tools: Array<string>;
  /** Requests a minute; 0 for any number. */
  rate_limit_rpm: number;
  /** Tokens a minute; 0 for any number. */
  rate_limit_tpm: number;
  /** Requests in progress at once; 0 for any number. */
  max_concurrent: number;
  /** What it may spend; absent where only its organisation's budget holds. */
  budget?: KeyBudget | null;
  /** What its owner says of it. */
  metadata: { [key: string]: JsonValue | null };
  /** When it stops working. */
  expires_at?: string | null;
  /** Whether it is kept without being let in. */
  disabled: boolean;
  /** Until when the key before the last rotation works. */
  overlap_until?: string | null;
  /** RFC 3339, in UTC. */
  created_at: string;
  /** Who made it. */
  created_by: string;
  /** RFC 3339, in UTC. */
  updated_at: string;
  /** The key itself: only in the answer that makes it, and never again. */
  key?: string | null;
}

/** A key that opens nothing any more. */
export interface VirtualKeyDeleted {
  /** Always `key.deleted`. */
  object: 'key.deleted';
  id: string;
  deleted: boolean;
}

/** The keys of an organisation, the oldest first. */
export interface VirtualKeyList {
  /** Always `list`. */
  object: 'list';
  data: Array<VirtualKey>;
  /** What `cursor` takes to go on; absent at the end. */
  next_cursor?: string | null;
}

/** A voice: `alloy`, `ash`, `ballad`, `coral`, `echo`, `sage`, `shimmer`, `verse`, `marin`, `cedar`, …, or your own. */
export type Voice = string | CustomVoice;

/** How the model searches the web. */
export interface WebSearchOptions {
  /** How much of the context window results may fill; `medium` by default. */
  search_context_size?: SearchContextSize | null;
  /** Where the user is. */
  user_location?: UserLocation | null;
}
