import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { APIConnectionTimeoutError, APIUserAbortError, Prism } from '@futureagi/prism';

import { eventually, startGateway } from '../../node/prism.js';
import { failing, json, startServer } from './support/server.js';

const slow = { model: 'simulator/echo?latency=5s', messages: [{ role: 'user', content: 'hello' }] };
let server, gateway, client, scripted;
before(async () => {
  server = await startServer();
  gateway = await startGateway({ providers: { simulator: {} } });
  client = new Prism({ baseUrl: gateway.origin, maxRetries: 0 });
  scripted = new Prism({ baseUrl: server.origin, maxRetries: 0 });
});
after(async () => {
  await gateway?.stop();
  await server?.stop();
});

async function lasts(call, kind, from, to) {
  const began = Date.now();
  await assert.rejects(call, (error) => error instanceof kind || assert.fail(`${error.name}: ${error.message}`));
  const took = Date.now() - began;
  assert.ok(took >= from && took <= to, `${took} ms`);
}

for (const [name, timeout] of [['a number', 150], ['connect', { connect: 150 }], ['attempt', { attempt: 150 }], ['total', { total: 150 }]]) {
  test(`no answer within ${name}`, async () => {
    await lasts(client.chat.completions.create(slow, { timeout }), APIConnectionTimeoutError, 140, 1000);
    await lasts(client.withOptions({ timeout }).chat.completions.create({ ...slow, stream: true }), APIConnectionTimeoutError, 140, 1000);
  });
}

const drip = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
};

for (const [name, timeout] of [['a number', 200], ['attempt', { attempt: 200 }], ['total', { total: 200 }]]) {
  test(`a body that never ends is bounded by ${name}`, async () => {
    server.play(drip);
    await lasts(scripted.models.list({ timeout }), APIConnectionTimeoutError, 190, 1000);
    await eventually(() => server.closed === 1, 'the connection to close', 3);
  });
}

test('an error page that never ends is an error in time', async () => {
  server.play((_, response) => response.writeHead(503, { 'content-type': 'application/json' }).write('{'));
  await assert.rejects(scripted.models.list({ timeout: 200 }), (error) => error.status === 503);
});

test('a timeout is repeated, within the total', async () => {
  server.play(() => {});
  await lasts(scripted.models.list({ timeout: 100, maxRetries: 1 }), APIConnectionTimeoutError, 560, 1500);
  assert.equal(server.requests.length, 2);
  server.play(() => {});
  await lasts(scripted.models.list({ timeout: { attempt: 100, total: 300 }, maxRetries: 5 }), APIConnectionTimeoutError, 90, 800);
});

test('the call\'s timeout goes before the client\'s, part by part', async () => {
  const own = client.withOptions({ timeout: { total: 150 } });
  await lasts(own.chat.completions.create(slow, { timeout: 3_000 }), APIConnectionTimeoutError, 140, 1000);
  await lasts(client.withOptions({ timeout: 5_000 }).chat.completions.create(slow, { timeout: 150 }), APIConnectionTimeoutError, 140, 1000);
});

test('a raw response is read at the caller\'s pace', async () => {
  server.play((_, response) => { response.write('a'); setTimeout(() => response.end('b'), 300); });
  assert.equal(await (await scripted.models.list({ timeout: 150 }).asResponse()).text(), 'ab');
});

for (const [name, answer] of [['the answer', () => {}], ['the body', drip], ['the next attempt', failing(503, { 'retry-after': '20' })]]) {
  test(`an abort while waiting for ${name} is heard at once`, async () => {
    server.play(answer);
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    await lasts(scripted.models.list({ signal: abort.signal, maxRetries: 3 }), APIUserAbortError, 90, 600);
    assert.equal(server.requests.length, 1);
  });
}

test('a signal that is aborted already sends nothing', async () => {
  server.play(json({}));
  await assert.rejects(scripted.models.list({ signal: AbortSignal.abort('why') }), (error) => error instanceof APIUserAbortError && error.cause === 'why');
  assert.equal(server.requests.length, 0);
});

test('a signal that lives on keeps no listeners', async () => {
  server.play(json({ object: 'list' }));
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = function (...args) { listeners += 1; return addEventListener.apply(this, args); };
  signal.removeEventListener = function (...args) { listeners -= 1; return removeEventListener.apply(this, args); };
  for (let i = 0; i < 5; i++) await scripted.models.list({ signal });
  server.play(failing(400));
  await assert.rejects(scripted.models.list({ signal }));
  assert.equal(listeners, 0);
});
