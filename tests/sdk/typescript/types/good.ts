// Has to compile.
import Prism, {
  APIError, createHeaders, Prism as Named, Stream, toFile,
  type Answer, type APIPromise, type ChatCompletion, type ChatCompletionChunk, type ChatCompletionRequest, type ChatMessage,
  type GatewayOptions, type Page, type PrismMetadata, type RequestOptions, type Tool, type ToolCall, type Uploadable,
} from '@futureagi/prism';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};
const controlled: AbortSignal = new AbortController().signal;

const client: Prism = new Named({ apiKey: process.env['KEY'], baseUrl: undefined, fetch: (input, init) => fetch(input, init), logger: console });
const messages: ChatMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: [{ type: 'text', text: 'Hi' }, { type: 'image_url', image_url: { url: 'https://x' } }] },
  { role: 'tool', tool_call_id: '1', content: 'sun' },
];
const tools: Tool[] = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
const params: ChatCompletionRequest = { model: 'm', messages, tools, temperature: 0.5, stop: ['a'], response_format: { type: 'json_object' } };

export async function chat(): Promise<void> {
  const answer = await client.chat.completions.create({ ...params, stream: false }, { signal: controlled, timeout: { idle: 5 } });
  same<typeof answer, Answer<ChatCompletion>>(true);
  const content: string | null | undefined = answer.choices[0]?.message.content;
  const cost: number | null = answer.prism.cost;
  const unknown: unknown = answer['from_the_future'];
  const plain: ChatCompletion = answer;
  for (const call of answer.choices[0]?.message.tool_calls ?? []) same<typeof call, ToolCall>(true);

  const stream = await client.chat.completions.create({ ...params, stream: true });
  same<typeof stream, Stream<ChatCompletionChunk>>(true);
  for await (const chunk of stream) {
    same<typeof chunk, ChatCompletionChunk>(true);
    // Enums are open: known values are suggested, others are strings.
    const reason: string | null | undefined = chunk.choices[0]?.finish_reason;
    if (chunk.choices[0]?.finish_reason === 'stop') void reason;
  }
  const [left]: [Stream<ChatCompletionChunk>, Stream<ChatCompletionChunk>] = stream.tee();
  const readable: ReadableStream<Uint8Array> = left.toReadableStream();

  const either = await client.chat.completions.create({ ...params, stream: Math.random() > 0.5 });
  if (either instanceof Stream) for await (const chunk of either) void chunk.id;
  else void either.choices;

  const { data, response, prism, requestId } = await client.chat.completions.create(params).withResponse();
  same<typeof prism, PrismMetadata>(true);
  same<typeof requestId, string | null>(true);
  void [content, cost, unknown, plain, readable, data.id, response.headers, left];
}

export function narrowing(message: ChatMessage, call: ToolCall): string {
  if (call.type === 'function') return call.function.name;
  switch (message.role) {
    case 'tool': return message.tool_call_id;
    case 'assistant': return String(message.tool_calls?.length);
    default: return '';
  }
}

export async function others(options: RequestOptions, wishes: GatewayOptions, page: Page<{ id: string }>): Promise<void> {
  const list = await client.models.list(options);
  for (const model of list.data) void model.id.length;
  const text: string = await (await client.health.metrics()).text();
  const raw: Response = await client.models.retrieve({ model: 'x' }).asResponse();
  const made: APIPromise<{ id: string }> = client.request<{ id: string }>({ method: 'POST', path: '/v1/new', body: {} });
  const vectors = await client.embeddings.create({ model: 'm', input: [[1, 2], [3]] }, { prism: wishes });
  const ranked = await client.rerank.create({ model: 'm', query: 'q', documents: ['a', { text: 'b' }], top_n: 1 });
  const headers: Record<string, string> = createHeaders({ providerLock: 'openai', strict: true, requestTimeout: 5_000 });
  for await (const { id } of page) void id;
  const file: Uploadable = await toFile(new Uint8Array(1), 'a.bin', { type: 'audio/mpeg' });
  const patient: Prism = client.withOptions({ timeout: 1 });
  void [text, raw, (await made).id, vectors.data[0]?.embedding, ranked.results[0]?.relevance_score.toFixed(), headers, file, patient];
}

export function caught(error: unknown): number | undefined {
  if (error instanceof Prism.RateLimitError) return error.prism?.rateLimit?.remainingRequests ?? undefined;
  if (error instanceof APIError) return error.status;
  return undefined;
}
