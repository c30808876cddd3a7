// The official `openai` package against the gateway: what an application does that only changes its base URL.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import OpenAI from 'openai';

import { eventually, failing, startGateway, startUpstream } from './prism.js';

let gateway, upstream, client;
const hello = { model: 'simulator/echo', messages: [{ role: 'user', content: 'hello there' }] };
const scripted = { model: 'acme-large', messages: [{ role: 'user', content: 'ping' }] };
const failures = [
  [400, OpenAI.BadRequestError, 400],
  [404, OpenAI.NotFoundError, 404],
  [409, OpenAI.ConflictError, 409],
  [422, OpenAI.UnprocessableEntityError, 422],
  [429, OpenAI.RateLimitError, 429],
  [500, OpenAI.InternalServerError, 502],
  [503, OpenAI.InternalServerError, 503],
  [401, OpenAI.InternalServerError, 502],
];
const tools = [{
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}];

before(async () => {
  upstream = await startUpstream();
  // a failure is remembered of its provider, so each has one of its own
  const provider = (model) => ({ base_url: upstream.baseURL, models: [model], discover: false });
  const failing = failures.map(([status]) => [`fails-${status}`, provider(`acme-${status}`)]);
  gateway = await startGateway({
    providers: { simulator: {}, acme: provider('acme-large'), ...Object.fromEntries(failing) },
  });
  client = new OpenAI({ baseURL: gateway.baseURL, apiKey: 'unused', maxRetries: 0, timeout: 20_000 });
});

after(async () => {
  await gateway?.stop();
  await upstream?.stop();
});

test('chat answers', async () => {
  const { data, response } = await client.chat.completions.create(hello).withResponse();
  assert.equal(data.choices[0].message.content, 'hello there');
  assert.equal(data.choices[0].finish_reason, 'stop');
  assert.ok(data.usage.total_tokens > 0);
  assert.match(response.headers.get('x-prism-request-id'), /^req_/);
});

test('chat streams, with usage when asked', async () => {
  const stream = await client.chat.completions.create({ ...hello, stream: true, stream_options: { include_usage: true } });
  let text = '';
  let usage;
  for await (const part of stream) {
    text += part.choices[0]?.delta.content ?? '';
    usage = part.usage ?? usage;
  }
  assert.equal(text, 'hello there');
  assert.ok(usage.completion_tokens > 0);
});

test('the stream helper puts a stream together', async () => {
  const final = await client.chat.completions.stream({ ...hello, model: 'simulator/tool', tools }).finalChatCompletion();
  assert.equal(final.choices[0].message.tool_calls[0].function.name, 'get_weather');
});

test('tools are called and their results read', async () => {
  const messages = [{ role: 'user', content: 'weather in Oslo?' }];
  const answer = await client.chat.completions.create({ model: 'simulator/tool', messages, tools });
  assert.equal(answer.choices[0].finish_reason, 'tool_calls');
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
  messages.push(answer.choices[0].message, { role: 'tool', tool_call_id: call.id, content: 'rain, 7 degrees' });
  const final = await client.chat.completions.create({ model: 'simulator/tool', messages, tools });
  assert.ok(final.choices[0].message.content.includes('rain, 7 degrees'));
});

test('embeddings are made, base64 and plain alike', async () => {
  const made = await client.embeddings.create({ model: 'simulator/embedding', input: ['a', 'b'] }); // asks for base64
  const plain = await client.embeddings.create({ model: 'simulator/embedding', input: 'a', encoding_format: 'float' });
  assert.equal(made.data.length, 2);
  assert.equal(made.data[0].embedding.length, plain.data[0].embedding.length);
  made.data[0].embedding.forEach((value, i) => assert.ok(Math.abs(value - plain.data[0].embedding[i]) < 1e-5));
});

test('completions are made', async () => {
  const answer = await client.completions.create({ model: 'simulator/echo', prompt: 'hello' });
  assert.equal(answer.choices[0].text, 'hello');
});

test('models are listed and retrieved, slashes and all', async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes('simulator/echo') && ids.includes('acme/acme-large'), ids.join());
  assert.equal((await client.models.retrieve('simulator/echo')).id, 'simulator/echo');
  assert.match((await client.models.retrieve('acme-large')).id, /^(acme\/)?acme-large$/);
  await assert.rejects(client.models.retrieve('nothing/like/that'), OpenAI.NotFoundError);
});

for (const [status, kind, shown] of failures) {
  for (const stream of [false, true]) {
    test(`an upstream ${status} is a ${kind.name}${stream ? ', streamed too' : ''}`, async () => {
      upstream.answer = failing(status, { 'retry-after': '3' });
      await assert.rejects(client.chat.completions.create({ ...scripted, model: `acme-${status}`, stream }), (error) => {
        assert.ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
        assert.equal(error.status, shown);
        assert.ok(error.error.message && error.type);
        if (status === 429) assert.ok(Number(error.headers.get('retry-after')) >= 1);
        return true;
      });
    });
  }
}

test('an unknown model is a NotFoundError that names a near one', async () => {
  await assert.rejects(client.chat.completions.create({ ...scripted, model: 'acme-larg' }), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, 'model_not_found');
    assert.equal(error.param, 'model');
    assert.match(error.message, /acme-large/);
    return true;
  });
});

test('bad input is a BadRequestError', async () => {
  await assert.rejects(client.chat.completions.create({ model: 'acme-large', messages: 'hi' }), OpenAI.BadRequestError);
});

test('a retry after 429 gets through', async () => {
  let calls = 0;
  upstream.answer = (request, response) => {
    calls += 1;
    if (calls === 1) return failing(429, { 'retry-after': '1' })(request, response);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'pong' }, finish_reason: 'stop' }] }));
  };
  const answer = await client.chat.completions.create(scripted, { maxRetries: 1 });
  assert.equal(answer.choices[0].message.content, 'pong');
  assert.equal(calls, 2);
});

/** A stream that goes on for ever, one chunk every 20 ms. */
function endless(_, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const chunk = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content: 'a' }, finish_reason: null }] };
  const timer = setInterval(() => response.write(`data: ${JSON.stringify(chunk)}\n\n`), 20);
  response.on('close', () => clearInterval(timer));
}

for (const [name, leave] of [
  ['breaking out of the loop', () => {}],
  ['the abort controller', (stream) => stream.controller.abort()],
]) {
  test(`leaving in mid-stream by ${name} ends the upstream call`, async () => {
    upstream.answer = endless;
    const closedBefore = upstream.closed;
    const stream = await client.chat.completions.create({ ...scripted, stream: true });
    let parts = 0;
    for await (const part of stream) {
      assert.equal(part.choices[0].delta.content, 'a');
      if (++parts === 3) {
        leave(stream);
        break;
      }
    }
    const left = Date.now();
    await eventually(() => upstream.closed > closedBefore, 'the upstream call to end', 5);
    assert.ok(Date.now() - left < 500, `${Date.now() - left} ms`);
  });
}

test('a cut stream is an APIError', async () => {
  upstream.answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const chunk = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content: 'Hel' }, finish_reason: null }] };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`, () => setTimeout(() => response.destroy(), 50));
  };
  let text = '';
  await assert.rejects(async () => {
    for await (const part of await client.chat.completions.create({ ...scripted, stream: true })) text += part.choices[0].delta.content;
  }, OpenAI.APIError);
  assert.equal(text, 'Hel');
});
