// Every operation of the document, against the real gateway.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { Page, Prism } from '@futureagi/prism';

import { startGateway, startUpstream } from '../../node/prism.js';

const document = JSON.parse(readFileSync(new URL('../../../openapi/openapi.json', import.meta.url), 'utf8'));
// organisations.test.js has those of the control plane
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })))
  .filter((operation) => operation['x-sdk-server'] !== 'control_plane');

let gateway, upstream, client;
before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway({
    providers: { simulator: {}, acme: { base_url: upstream.baseURL, models: ['acme-large'], discover: false } },
    cost_tracking: { custom_pricing: { 'acme-large': { input_per_mtok: 2.5, output_per_mtok: 10 } } },
  });
  client = new Prism({ baseUrl: gateway.baseURL, maxRetries: 0, timeout: 20_000 });
  const { prism } = await client.chat.completions.create(hello);
  ARGUMENTS['route.decisions.retrieve'] = { requestId: prism.requestId };
});
after(async () => {
  await gateway?.stop();
  await upstream?.stop();
});

const hello = { model: 'simulator/echo', messages: [{ role: 'user', content: 'hello there' }] };

const method = (name) => {
  const path = name.split('.').map((part) => part.replace(/_(.)/g, (_, letter) => letter.toUpperCase()));
  const last = path.pop();
  const resource = path.reduce((at, part) => at?.[part], client);
  return resource?.[last]?.bind(resource);
};

/** What an operation needs to be called, if it needs anything. */
const ARGUMENTS = {
  'chat.completions.create': hello,
  'completions.create': { model: 'simulator/echo', prompt: 'hello' },
  'embeddings.create': { model: 'simulator/embedding', input: 'hello' },
  'rerank.create': { model: 'simulator/rerank', query: 'a b', documents: ['c', { text: 'a b' }], top_n: 1 },
  'route.explain': { request: hello },
  'models.retrieve': { model: 'simulator/echo' },
};

for (const operation of operations) {
  const name = operation['x-sdk-method'];
  test(`client.${name} answers`, async () => {
    const call = method(name);
    assert.ok(call, `${name} is not in the SDK`);
    const needs = operation.requestBody?.required || operation.parameters?.some((parameter) => parameter.required);
    assert.ok(!needs || ARGUMENTS[name], `say in ARGUMENTS how to call ${name}`);
    const args = ARGUMENTS[name] ? [ARGUMENTS[name]] : [];
    const { data, response } = await call(...args).withResponse();
    assert.equal(response.status, 200);
    const ok = Object.entries(operation.responses).find(([status]) => status.startsWith('2'))[1].content;
    if (!ok['application/json']) return assert.ok(data instanceof Response && (await data.text()).length > 0);
    const schema = document.components.schemas[ok['application/json'].schema.$ref.split('/').pop()];
    const body = data instanceof Page ? data.body : data;
    for (const member of schema.required) assert.ok(member in body, `${member} of ${JSON.stringify(body)}`);
  });

  if (Object.values(operation.responses).some((response) => response.content?.['text/event-stream'])) {
    test(`client.${name} streams`, async () => {
      let events = 0;
      for await (const event of await method(name)({ ...ARGUMENTS[name], stream: true })) events += event.choices.length;
      assert.ok(events > 0);
    });
  }
}

test('the way of a request, before and after', async () => {
  const plan = await client.route.explain({ request: hello });
  assert.deepEqual(plan.candidates.map((one) => [one.provider, one.readiness]), [['simulator', 'ready']]);
  const answer = await client.chat.completions.create(hello);
  const done = await client.route.decisions.retrieve({ requestId: answer.prism.requestId });
  assert.deepEqual(done.attempts.map((one) => [one.place.provider, one.kind, one.outcome]), [['simulator', 'first', 'answered']]);
  const { data } = await client.providers.health();
  assert.equal(data.find((one) => one.name === 'simulator').breaker.state, 'closed');
});

test('an answer has its metadata, and prints without it', async () => {
  const answer = await client.chat.completions.create(hello, { prism: { traceId: 'my-trace', providerLock: 'simulator' } });
  assert.equal(answer.choices[0].message.content, 'hello there');
  assert.match(answer.prism.requestId, /^req_/);
  assert.equal(answer.prism.traceId, 'my-trace');
  assert.equal(answer.prism.provider, 'simulator');
  assert.equal(answer.prism.modelUsed, 'echo');
  assert.equal(answer.prism.attempts, 1);
  assert.equal(answer.prism.fallbackUsed, false);
  assert.equal(typeof answer.prism.latencyMs, 'number');
  assert.equal(answer.prism.cost, null, 'unknown is never 0');
  assert.deepEqual(answer.prism.translation, []);
  assert.equal(typeof answer.prism.rateLimit.remainingRequests, 'number');
  assert.equal(answer.prism.rateLimit.limitTokens, null);
  assert.ok(!Object.keys(answer).includes('prism') && !JSON.stringify(answer).includes('my-trace'));
});

test('the cost of an answer is a number', async () => {
  upstream.answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 } }));
  };
  const answer = await client.chat.completions.create({ ...hello, model: 'acme-large' });
  assert.equal(answer.prism.cost, 0.00045);
});

test('a stream has its metadata too', async () => {
  const stream = await client.chat.completions.create({ ...hello, stream: true });
  assert.equal(stream.prism.provider, 'simulator');
  assert.match(stream.requestId, /^req_/);
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
  assert.equal(text, 'hello there');
  await assert.rejects(async () => { for await (const _ of stream); }, /read once/);
});

test('the response itself can be had', async () => {
  const raw = await client.models.list().asResponse();
  assert.equal(raw.bodyUsed, false);
  assert.ok((await raw.json()).data.length > 0);
  const both = await client.chat.completions.create(hello).withResponse();
  assert.equal(both.requestId, both.response.headers.get('x-prism-request-id'));
  assert.equal(both.prism.requestId, both.requestId);
});

test('the base URL may end in /v1, /v1/ or nothing', async () => {
  for (const end of ['', '/', '/v1', '/v1/']) {
    assert.ok((await client.withOptions({ baseUrl: gateway.origin + end }).models.list()).data.length > 0, end);
  }
});

test('usage is walked over its pages', async () => {
  for (const user of ['ann', 'bob']) await client.chat.completions.create({ ...hello, user });
  const users = async () => {
    const found = [];
    for await (const row of client.usage.list({ groupBy: 'user', limit: 1 })) found.push(row.user);
    return found;
  };
  const deadline = Date.now() + 30_000;
  for (let found = []; !(found.includes('ann') && found.includes('bob')); found = await users()) {
    assert.ok(Date.now() < deadline, 'it is counted within about a second');
  }
  const page = await client.usage.list({ groupBy: 'user', limit: 1 });
  assert.equal(page.data.length, 1);
  assert.ok(page.hasNextPage() && page.body.totals.requests > page.data[0].requests);
  assert.equal(page.body.object, 'list');
});

test('a model with slashes is one segment', async () => {
  assert.equal((await client.models.retrieve({ model: 'simulator/echo' })).id, 'simulator/echo');
});

test('what the SDK does not know gets through in both directions', async () => {
  let asked;
  upstream.answer = (_, response, body) => {
    asked = body;
    response.writeHead(200, { 'content-type': 'application/json', 'x-ratelimit-remaining-requests': '7' });
    response.end(JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm', from_the_future: { a: 1 },
      choices: [{ index: 0, message: { role: 'assistant', content: 'hi', mood: 'good' }, finish_reason: 'new_reason', logprobs: null }] }));
  };
  const answer = await client.chat.completions.create({ ...hello, model: 'acme-large', top_k: 3 }, { extraBody: { from_me: true } });
  assert.equal(asked.top_k, 3);
  assert.equal(asked.from_me, true);
  assert.deepEqual(answer.from_the_future, { a: 1 });
  assert.equal(answer.choices[0].message.mood, 'good');
  assert.equal(answer.choices[0].finish_reason, 'new_reason');
  assert.equal(answer.prism.rateLimit.remainingRequests, 7);
});

test('endpoints without a method can be asked', async () => {
  assert.ok((await client.request({ method: 'GET', path: '/v1/models' })).data.length > 0);
});
