// A stream whose connection is lost goes on where it was lost: one upstream call, each chunk once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError, Prism } from '@futureagi/prism';

import { startGateway, startUpstream } from '../../node/prism.js';
import { startCutting } from './support/cutting.js';
import { chunk, event, events, failing, inTurn, startServer } from './support/server.js';

const hello = { model: 'acme-large', messages: [{ role: 'user', content: 'hello' }], stream: true };
const words = Array.from({ length: 200 }, (_, i) => `wörd${i} `);
const resumable = { prism: { resumable: 20 } };
let server, upstream, gateway, scripted, calls;
before(async () => {
  [server, upstream] = await Promise.all([startServer(), startUpstream()]);
  gateway = await startGateway({ providers: { acme: { base_url: upstream.baseURL, models: ['acme-large'], discover: false } } });
  scripted = new Prism({ baseUrl: server.origin, maxRetries: 0 });
  upstream.answer = (...args) => (calls++, events([...words.map((word) => event(chunk(word))), event('[DONE]')])(...args));
});
after(async () => {
  await gateway?.stop();
  await Promise.all([server?.stop(), upstream?.stop()]);
});

const text = (part) => part.choices[0]?.delta.content ?? '';
async function read(stream) {
  let all = '';
  for await (const part of stream) all += text(part);
  return all;
}

for (const [how, client, call] of [['by an option of the call', {}, resumable], ['by one of the client', resumable, {}]]) {
  test(`a stream that is cut four times is one stream, ${how}`, async () => {
    calls = 0;
    const proxy = await startCutting(gateway.origin, 2500, 3100, 900, 4000);
    const stream = await new Prism({ baseUrl: proxy.origin, ...client }).chat.completions.create(hello, call);
    assert.equal(await read(stream), words.join(''));
    assert.deepEqual([proxy.connections, calls, stream.prism.replayed], [5, 1, false]);
    await proxy.stop();
  });
}

test('cut wherever it may be', async () => {
  await Promise.all(Array.from({ length: 12 }, async (_, i) => {
    const proxy = await startCutting(gateway.origin, 400 + 211 * i, 300 + 97 * i);
    assert.equal(await read(await new Prism({ baseUrl: proxy.origin }).chat.completions.create(hello, resumable)), words.join(''));
    await proxy.stop();
  }));
});

test('without the wish it is an error', async () => {
  const proxy = await startCutting(gateway.origin, 2500);
  await assert.rejects(new Prism({ baseUrl: proxy.origin }).chat.completions.create(hello).then(read), APIConnectionError);
  assert.equal(proxy.connections, 1);
  await proxy.stop();
});

const numbered = (first, ...texts) => texts.map((each, i) => `id: s:${first + i}\n${event(chunk(each))}`);
const lost = (pieces) => events(pieces, (response) => setTimeout(() => response.destroy(), 20));
const soon = { 'retry-after-ms': '1' };

for (const [how, cut] of [['broken off', lost], ['ended without [DONE]', events]]) {
  test(`the last id is asked for with the same request when the stream was ${how}`, async () => {
    server.play(inTurn(cut(numbered(0, 'a', 'b')), failing(503, soon), events([...numbered(2, 'c'), event('[DONE]')])));
    assert.equal(await read(await scripted.chat.completions.create(hello, resumable)), 'abc');
    assert.deepEqual(server.requests.map(({ headers }) => headers['last-event-id']), [undefined, 's:1', 's:1']);
    assert.equal(new Set(server.requests.map(({ body, headers }) => body + headers['idempotency-key'])).size, 1);
    assert.ok(server.requests[0].headers['idempotency-key']);
  });
}

test('half an event is asked for again', async () => {
  const [a, b] = numbered(0, 'a', 'b');
  server.play(inTurn(events([a, b.slice(0, 30)]), events([b, event('[DONE]')])));
  assert.equal(await read(await scripted.chat.completions.create(hello, resumable)), 'ab');
  assert.equal(server.requests[1].headers['last-event-id'], 's:0');
});

test('lost before its first event, a stream is joined by its key', async () => {
  server.play(inTurn(lost([]), events([...numbered(0, 'a'), event('[DONE]')])));
  assert.equal(await read(await scripted.chat.completions.create(hello, resumable)), 'a');
  const [first, again] = server.requests.map(({ headers }) => headers);
  assert.equal(again['last-event-id'], undefined);
  assert.equal(again['idempotency-key'], first['idempotency-key']);
});

for (const [what, pieces, again, most] of [
  ['is not kept', numbered(0, 'a'), failing(404), 2], ['is refused', numbered(0, 'a'), failing(401), 2],
  ['never comes', numbered(0, 'a'), failing(503, soon), 11], ['cannot be named', [event(chunk('a'))], failing(503), 1],
]) {
  test(`a rest that ${what} is the lost connection`, async () => {
    server.play(inTurn(lost(pieces), again));
    await assert.rejects(scripted.chat.completions.create(hello, resumable).then(read), (error) => error instanceof APIConnectionError && !error.status);
    assert.equal(server.requests.length, most);
  });
}

test('no longer than the gateway waits', async () => {
  server.play(inTurn(lost(numbered(0, 'a')), failing(503, { 'retry-after': '30' })));
  const began = Date.now();
  await assert.rejects(scripted.chat.completions.create(hello, { prism: { resumable: 5 } }).then(read), APIConnectionError);
  assert.ok(Date.now() - began < 3_000);
});

test('an error event and a limit on silence are no lost connections', async () => {
  server.play(events([...numbered(0, 'a'), event({ error: { message: 'died' } })]));
  await assert.rejects(scripted.chat.completions.create(hello, resumable).then(read), /died/);
  server.play(events(numbered(0, 'a'), () => {}));
  await assert.rejects(scripted.chat.completions.create(hello, { ...resumable, timeout: { idle: 100 } }).then(read), APIConnectionTimeoutError);
  assert.equal(server.requests.length, 1);
});

for (const [how, leave, end] of [
  ['its own controller', (stream) => stream.controller.abort(), 'a'], ['the signal', (_, abort) => abort.abort(), APIUserAbortError],
]) {
  test(`what was left by ${how} does not come back`, async () => {
    server.play(lost(numbered(0, 'a')));
    const abort = new AbortController();
    const stream = await scripted.chat.completions.create(hello, { ...resumable, signal: abort.signal });
    setTimeout(() => leave(stream, abort), 150); // while it waits to reconnect
    if (end === 'a') assert.equal(await read(stream), 'a');
    else await assert.rejects(read(stream), end);
    await new Promise((done) => setTimeout(done, 600));
    assert.equal(server.requests.length, 1);
  });
}

test('a stream that goes on is left like any other', async () => {
  server.play(inTurn(lost(numbered(0, 'a')), events(numbered(1, 'b'), () => {})));
  for await (const part of await scripted.chat.completions.create(hello, resumable)) if (text(part) === 'b') break;
  await new Promise((done) => setTimeout(done, 700));
  assert.deepEqual([server.requests.length, server.closed], [2, 2]);
});

test('the key of a call; an object as configuration', async () => {
  calls = 0;
  const client = new Prism({ baseUrl: gateway.origin });
  upstream.answer = (_, response) => (calls++, response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"x","choices":[]}'));
  const plain = { ...hello, stream: false };
  const replayed = [];
  for (let i = 0; i < 2; i++) replayed.push((await client.chat.completions.create(plain, { idempotencyKey: 'mine' })).prism.replayed);
  assert.deepEqual([replayed, calls], [[false, true], 1]);
  const config = { model_fallbacks: ['modèle'], retry: { max_retries: 'é' } };
  await assert.rejects(
    client.withOptions({ prism: { config } }).chat.completions.create(plain),
    (error) => error instanceof APIError && error.status === 400 && /retry\.max_retries/.test(error.message),
  );
});
