import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { APIConnectionError, BadRequestError, InternalServerError, Prism, RateLimitError } from '@futureagi/prism';

import { failing, inTurn, json, startServer } from './support/server.js';

const hello = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };
const soon = { 'retry-after-ms': '1' };
let server, client;
before(async () => {
  server = await startServer();
  client = new Prism({ baseUrl: server.origin, apiKey: 'k' });
});
after(() => server.stop());

const broken = (request) => request.socket.destroy();

for (const status of [408, 409, 429, 500, 502, 503, 504, 529]) {
  test(`${status} is repeated`, async () => {
    server.play(inTurn(failing(status, soon), failing(status, soon), json({ id: 'third' })));
    assert.equal((await client.chat.completions.create(hello)).id, 'third');
    assert.equal(server.requests.length, 3);
  });
}

for (const status of [400, 401, 403, 404, 413, 422]) {
  test(`${status} is not repeated`, async () => {
    server.play(failing(status, soon));
    await assert.rejects(client.chat.completions.create(hello));
    assert.equal(server.requests.length, 1);
  });
}

test('x-should-retry decides either way', async () => {
  server.play(inTurn(failing(400, { ...soon, 'x-should-retry': 'true' }), failing(503, { ...soon, 'x-should-retry': 'false' })));
  await assert.rejects(client.models.list(), InternalServerError);
  assert.equal(server.requests.length, 2);
});

test('the last failure is thrown', async () => {
  server.play(inTurn(failing(503, soon), failing(503, soon), failing(429, soon)));
  await assert.rejects(client.models.list(), RateLimitError);
  assert.equal(server.requests.length, 3);
});

for (const [where, options, calls] of [['the call', { maxRetries: 1 }, 2], ['the call, none', { maxRetries: 0 }, 1]]) {
  test(`maxRetries of ${where}`, async () => {
    server.play(failing(503, soon));
    await assert.rejects(client.models.list(options));
    assert.equal(server.requests.length, calls);
  });
}

test('maxRetries of the client', async () => {
  server.play(failing(503, soon));
  await assert.rejects(client.withOptions({ maxRetries: 4 }).models.list());
  assert.equal(server.requests.length, 5);
});

test('a broken connection is repeated, and the wait is half a second less jitter, then a second', async () => {
  server.play(inTurn(broken, broken, json({ object: 'list' })));
  await client.models.list();
  const [first, second, third] = server.requests.map((request) => request.at);
  assert.ok(second - first >= 370 && second - first < 750, `${second - first} ms`);
  assert.ok(third - second >= 745 && third - second < 1400, `${third - second} ms`);
});

test('a broken connection that stays broken is APIConnectionError', async () => {
  server.play(broken);
  await assert.rejects(client.models.list({ maxRetries: 1 }), APIConnectionError);
  assert.equal(server.requests.length, 2);
});

for (const [name, header, wait] of [
  ['seconds', { 'retry-after': '1' }, 1000], ['a date', () => ({ 'retry-after': new Date(Date.now() + 2000).toUTCString() }), 1000],
  ['milliseconds', { 'retry-after-ms': '300', 'retry-after': '20' }, 300], ['fractions', { 'retry-after': '0.3' }, 300],
  ['a date that has passed', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 0],
]) {
  test(`Retry-After in ${name}`, async () => {
    server.play(inTurn((...args) => failing(429, typeof header === 'function' ? header() : header)(...args), json({})));
    await client.models.list();
    const waited = server.requests[1].at - server.requests[0].at;
    assert.ok(waited >= wait - 10 && waited < wait + 1200, `${waited} ms`);
  });
}

test('a wait never exceeds a minute, nor what is left of the total', async () => {
  server.play(failing(429, { 'retry-after': '86400' }));
  const waits = [];
  const logger = { error() {}, warn() {}, debug() {}, info: (line) => waits.push(Number(/in (\d+) ms/.exec(line)[1])) };
  const stop = new AbortController();
  const call = client.withOptions({ logger, logLevel: 'info' }).models.list({ signal: stop.signal });
  setTimeout(() => stop.abort(), 200);
  await assert.rejects(call);
  assert.deepEqual(waits, [60_000]);
  const began = Date.now();
  await assert.rejects(client.models.list({ timeout: { total: 5_000 } }), RateLimitError);
  assert.ok(Date.now() - began < 1000, 'it is known at once that there is no time');
});

test('an attempt carries its number, and all the same idempotency key', async () => {
  server.play(inTurn(failing(503, soon), failing(503, soon), json({})));
  await client.chat.completions.create(hello, { idempotencyKey: 'mine' });
  assert.deepEqual(server.requests.map((request) => request.headers['idempotency-key']), ['mine', 'mine', 'mine']);
  assert.deepEqual(server.requests.map((request) => request.headers['x-prism-retry-count']), [undefined, '1', '2']);
  assert.deepEqual(new Set(server.requests.map((request) => request.body.toString())).size, 1);
  server.play(json({}));
  await client.chat.completions.create(hello);
  assert.equal(server.requests[0].headers['idempotency-key'], undefined, 'none is made up: the gateway would keep the answer');
  await client.models.list({ idempotencyKey: 'mine' });
  assert.equal(server.requests[1].headers['idempotency-key'], undefined);
});

test('a stream is repeated until it begins', async () => {
  server.play(inTurn(failing(503, soon), (_, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {"a":1}\n\ndata: [DONE]\n\n')));
  const seen = [];
  for await (const part of await client.chat.completions.create({ ...hello, stream: true })) seen.push(part);
  assert.deepEqual(seen, [{ a: 1 }]);
});

test('headers: client, gateway options, call; null leaves one out', async () => {
  server.play(json({}));
  const own = client.withOptions({ defaultHeaders: { 'x-a': '1', 'x-b': '1', 'x-c': '1' }, defaultQuery: { q: 1, r: 1 }, prism: { traceId: 't', strict: true } });
  await own.models.list({ headers: { 'X-B': '2', 'x-c': null, authorization: null }, query: { r: [2, 3], s: undefined }, prism: { strict: false, metadata: { a: 1 } } });
  const { headers, url } = server.requests[0];
  assert.deepEqual([headers['x-a'], headers['x-b'], headers['x-c'], headers.authorization], ['1', '2', undefined, undefined]);
  assert.deepEqual([headers['x-prism-trace-id'], headers['x-prism-strict'], headers['x-prism-metadata']], ['t', 'false', '{"a":1}']);
  assert.equal(url, '/v1/models?q=1&r=2&r=3');
  assert.match(headers['user-agent'], /^prism-js\/\d/);
  await client.models.list();
  assert.equal(server.requests[1].headers.authorization, 'Bearer k');
});

test('a client without a key sends none', async () => {
  server.play(json({}));
  await new Prism({ baseUrl: server.origin }).models.list();
  assert.equal(server.requests[0].headers.authorization, undefined);
});

test('the environment', async () => {
  server.play(json({}));
  Object.assign(process.env, { PRISM_API_KEY: 'from-env', PRISM_BASE_URL: `${server.origin}/v1`, PRISM_CONTROL_PLANE_URL: `${server.origin}/control/v1/` });
  try {
    const own = new Prism();
    await own.models.list();
    assert.equal(server.requests[0].headers.authorization, 'Bearer from-env');
    assert.equal(own.controlPlaneUrl, `${server.origin}/control`);
    await own.request({ method: 'GET', path: '/v1/orgs', server: 'control_plane' });
    assert.equal(server.requests[1].url, '/control/v1/orgs');
  } finally {
    for (const name of ['PRISM_API_KEY', 'PRISM_BASE_URL', 'PRISM_CONTROL_PLANE_URL']) delete process.env[name];
  }
  assert.equal(new Prism().baseUrl, 'http://127.0.0.1:8080');
});

test('a fetch of your own', async () => {
  const seen = [];
  const own = new Prism({ apiKey: 'k', fetch: async (url, init) => (seen.push([url, init.method]), Response.json({ object: 'list', data: [] })) });
  assert.deepEqual((await own.models.list()).data, []);
  assert.deepEqual(seen, [['http://127.0.0.1:8080/v1/models', 'GET']]);
});

test('bad requests are not repeated by a stream either', async () => {
  server.play(failing(400));
  await assert.rejects(client.chat.completions.create({ ...hello, stream: true }), BadRequestError);
  assert.equal(server.requests.length, 1);
});
