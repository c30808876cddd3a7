// A canary key, and every way in which it could come out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import { Prism } from '@futureagi/prism';

import { chunk, event, events, failing, inTurn, json, startServer } from './support/server.js';

const CANARY = 'sk-prism-canary-7f3a91';
const hello = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };
let server, client;
const lines = [];
const logger = Object.fromEntries(['error', 'warn', 'info', 'debug'].map((level) => [level, (...args) => lines.push([level, ...args])]));
before(async () => {
  server = await startServer();
  client = new Prism({ baseUrl: server.origin, apiKey: CANARY, defaultHeaders: { 'x-api-key': CANARY }, logger, logLevel: 'debug' });
});
after(() => server.stop());

/** Everything that can be seen of a value without knowing its class. */
function seen(value) {
  const found = [inspect(value, { depth: Infinity, showHidden: true, getters: true }), String(value)];
  try {
    found.push(JSON.stringify(value));
  } catch (error) {
    found.push(error.message);
  }
  const visit = (at, known = new Set()) => {
    if (typeof at === 'string') found.push(at);
    if (typeof at !== 'object' || at === null || known.has(at)) return;
    known.add(at);
    for (const name of Reflect.ownKeys(at)) {
      found.push(String(name));
      try {
        visit(at[name], known);
      } catch {
        // a getter that throws shows nothing
      }
    }
  };
  visit(value);
  return found.join('\n');
}
const silent = (value) => assert.ok(!seen(value).includes(CANARY), `shown in\n${seen(value)}`);

test('the canary does get out by the one way it should', async () => {
  server.play(json({}));
  await client.models.list();
  assert.equal(server.requests[0].headers.authorization, `Bearer ${CANARY}`);
});

test('a client shows no key, printed, serialised, enumerated or copied', () => {
  silent(client);
  silent({ ...client });
  silent(Object.assign({}, client));
  silent(client.chat.completions);
  silent(client.withOptions({ maxRetries: 1 }));
  for (const name in client) silent(client[name]);
  assert.ok(JSON.stringify(client).includes(server.origin), 'it can be serialised');
});

test('nothing that the client gives shows it', async () => {
  server.play(json({ object: 'list', data: [{ id: 1 }], next_cursor: 'c' }));
  const promise = client.models.list();
  silent(promise);
  silent(await promise);
  silent(await client.models.list().withResponse());
  silent(await client.request({ method: 'GET', path: '/v1/models', binary: true }));
  const page = client.requestPage({ method: 'GET', path: '/v1/things' });
  silent(page);
  silent(await page);
  assert.ok(JSON.stringify(await page).includes('"nextCursor":"c"'));
  server.play(events([event(chunk('a')), event('[DONE]')]));
  const stream = await client.chat.completions.create({ ...hello, stream: true });
  silent(stream);
  for await (const part of stream) silent(part);
  silent(stream);
});

test('no error shows it', async () => {
  const caught = [];
  const attempt = async (call) => call().then(() => assert.fail('it should fail'), (error) => caught.push(error));
  server.play(failing(401));
  await attempt(() => client.models.list());
  server.play((request) => request.socket.destroy());
  await attempt(() => client.models.list({ maxRetries: 0 }));
  server.play(() => {});
  await attempt(() => client.models.list({ timeout: 50, maxRetries: 0 }));
  await attempt(() => client.models.list({ signal: AbortSignal.abort() }));
  server.play(events([event({ error: { message: 'no' } })]));
  await attempt(async () => { for await (const _ of await client.chat.completions.create({ ...hello, stream: true })); });
  const other = { baseUrl: server.origin };
  await attempt(() => new Prism({ ...other, apiKey: `${CANARY}\nx` }).models.list());
  await attempt(() => new Prism({ ...other, apiKey: `${CANARY}é` }).models.list());
  await attempt(() => new Prism({ ...other, defaultHeaders: { 'x-secret': `${CANARY}\n` } }).models.list());
  await attempt(() => new Prism(other).models.list({ headers: { 'x-secret': `${CANARY}\u0000` } }));
  await attempt(async () => new Prism({ baseUrl: `http://user:${CANARY}@127.0.0.1` }));
  await attempt(async () => new Prism({ baseUrl: `nonsense ${CANARY}` }));
  assert.equal(caught.length, 11);
  caught.forEach(silent);
});

test('no log line shows it, nor a body, nor a query', async () => {
  lines.length = 0;
  server.play(inTurn(failing(503, { 'retry-after-ms': '1' }), json({ secret: CANARY })));
  await client.chat.completions.create({ ...hello, messages: [{ role: 'user', content: CANARY }] }, { query: { token: CANARY }, headers: { 'x-other': CANARY } });
  server.play((request) => request.socket.destroy());
  await client.models.list({ maxRetries: 0 }).catch(() => {});
  assert.ok(lines.length >= 6, 'it does log');
  assert.ok(lines.some(([level, line]) => level === 'info' && /503/.test(line)));
  silent(lines);
});

test('levels', async () => {
  for (const [level, least] of [['off', 0], ['error', 0], ['warn', 0], ['info', 1], ['debug', 4]]) {
    lines.length = 0;
    server.play(inTurn(failing(503, { 'retry-after-ms': '1' }), json({})));
    await client.withOptions({ logLevel: level }).models.list();
    assert.ok(least === 0 ? lines.length === 0 : lines.length >= least, `${level}: ${lines.length}`);
  }
});

test('a browser is refused, unless one insists', () => {
  globalThis.window = { document: {} };
  const had = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  if (!had) globalThis.navigator = {};
  try {
    assert.throws(() => new Prism({ apiKey: CANARY }), (error) => /dangerouslyAllowBrowser/.test(error.message) && (silent(error), true));
    new Prism({ apiKey: CANARY, dangerouslyAllowBrowser: true });
    new Prism(); // no key, nothing to lose
  } finally {
    delete globalThis.window;
    if (!had) delete globalThis.navigator;
  }
});
