import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as sdk from '@futureagi/prism';

import { startGateway } from '../../node/prism.js';
import { chunk, event, events, failing, json, startServer } from './support/server.js';

const { Prism } = sdk;
const hello = { model: 'simulator/echo', messages: [{ role: 'user', content: 'hello' }] };
let gateway, server, client, scripted;
before(async () => {
  server = await startServer();
  gateway = await startGateway({ auth: { keys: [{ name: 'app', key: 'sk-prism-good-key' }] }, providers: { simulator: {} } });
  client = new Prism({ baseUrl: gateway.origin, apiKey: 'sk-prism-good-key', maxRetries: 0, timeout: 20_000 });
  scripted = new Prism({ baseUrl: server.origin, apiKey: 'k', maxRetries: 0 });
});
after(async () => {
  await gateway?.stop();
  await server?.stop();
});

const KINDS = [
  [400, 'BadRequestError'], [401, 'AuthenticationError'], [403, 'PermissionDeniedError'], [404, 'NotFoundError'],
  [408, 'APIError'], [409, 'ConflictError'], [413, 'APIError'], [422, 'UnprocessableEntityError'], [429, 'RateLimitError'],
  [500, 'InternalServerError'], [502, 'InternalServerError'], [503, 'InternalServerError'], [504, 'InternalServerError'],
];

for (const stream of [false, true]) {
  for (const [status, kind] of KINDS) {
    test(`${status} is ${kind}${stream ? ' of a stream' : ''}`, async () => {
      server.play(failing(status, { 'x-prism-request-id': 'req_1', 'x-prism-provider': 'acme' }));
      await assert.rejects(scripted.chat.completions.create({ ...hello, stream }), (error) => {
        assert.equal(error.constructor, sdk[kind]);
        assert.equal(error.constructor, Prism[kind]);
        assert.ok(error instanceof sdk.APIError && error instanceof sdk.PrismError && error instanceof Error);
        assert.equal(error.name, kind);
        assert.equal(error.message, `${status} because`);
        assert.deepEqual(
          { status: error.status, type: error.type, code: error.code, param: error.param, id: error.requestId, ID: error.requestID },
          { status, type: 'scripted', code: 'some_code', param: 'model', id: 'req_1', ID: 'req_1' },
        );
        assert.equal(error.error.message, 'because');
        assert.equal(error.prism.provider, 'acme');
        return true;
      });
      assert.equal(server.requests.length, 1);
    });
  }
}

for (const [model, kind, status] of [
  ['echo?status=400', 'BadRequestError', 400], ['echo?status=404', 'NotFoundError', 404], ['echo?status=409', 'ConflictError', 409],
  ['echo?status=422', 'UnprocessableEntityError', 422], ['echo?status=429&retry_after=3', 'RateLimitError', 429],
  ['echo?status=500', 'InternalServerError', 502], ['echo?status=503', 'InternalServerError', 503],
]) {
  for (const stream of [false, true]) {
    test(`the simulator's ${model} is ${kind}${stream ? ' of a stream' : ''}`, async () => {
      // a name of its own: a quota that is used up is remembered
      const name = stream ? model.replace('retry_after=3', 'retry_after=4') : model;
      await assert.rejects(client.chat.completions.create({ ...hello, model: `simulator/${name}`, stream }), (error) => {
        assert.ok(error instanceof sdk[kind], `${error.name}: ${error.message}`);
        assert.equal(error.status, status);
        assert.match(error.requestId, /^req_/);
        assert.equal(error.prism.provider, 'simulator');
        if (status === 429) assert.ok(Number(error.headers.get('retry-after')) >= 1);
        return true;
      });
    });
  }
}

test('a wrong key is AuthenticationError, a right one is not', async () => {
  await client.models.list();
  await assert.rejects(client.withOptions({ apiKey: 'sk-prism-wrong' }).models.list(), sdk.AuthenticationError);
  await assert.rejects(client.withOptions({ apiKey: async () => 'sk-prism-wrong' }).models.list(), sdk.AuthenticationError);
  await client.withOptions({ apiKey: async () => 'sk-prism-good-key' }).models.list();
});

test('an unknown model is NotFoundError with a code', async () => {
  await assert.rejects(client.chat.completions.create({ ...hello, model: 'no-such-model' }), (error) => {
    assert.ok(error instanceof sdk.NotFoundError);
    assert.equal(error.code, 'model_not_found');
    return true;
  });
});

for (const [what, answer, pattern] of [
  ['text', (_, response) => response.writeHead(502).end('<h1>Bad gateway</h1>'), /502 <h1>Bad gateway/],
  ['nothing', (_, response) => response.writeHead(502).end(), /502 without a body/],
  ['a message without an error', json({ message: 'no' }, 502), /502 no/],
  ['an error that is text', json({ error: 'no' }, 502), /502 no/],
  ['JSON that is no object', json([1], 502), /502 \[1\]/],
]) {
  test(`an error page of ${what} can be read`, async () => {
    server.play(answer);
    await assert.rejects(scripted.models.list(), (error) => error instanceof sdk.InternalServerError && pattern.test(error.message));
  });
}

test('an answer that is not JSON is an APIError', async () => {
  server.play((_, response) => response.writeHead(200).end('<html>'));
  await assert.rejects(scripted.models.list(), (error) => error instanceof sdk.APIError && error.status === 200 && /not JSON/.test(error.message));
});

test('JSON in place of a stream is an APIError', async () => {
  server.play(json({ id: 'x' }));
  await assert.rejects(scripted.chat.completions.create({ ...hello, stream: true }), /instead of an event stream/);
});

test('nobody there is APIConnectionError', async () => {
  const lost = new Prism({ baseUrl: 'http://127.0.0.1:1', maxRetries: 0 });
  await assert.rejects(lost.models.list(), (error) => {
    assert.equal(error.constructor, sdk.APIConnectionError);
    assert.match(error.message, /ECONNREFUSED|bad port/);
    return error.status === undefined && error.headers === undefined && error.prism === null && error.cause !== undefined;
  });
});

test('an answer that breaks off is APIConnectionError', async () => {
  server.play((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('{"a":', () => response.destroy());
  });
  await assert.rejects(scripted.models.list(), sdk.APIConnectionError);
});

test('an error event ends a stream with an APIError, after what came before it', async () => {
  for (const last of [event({ error: { message: 'cut', type: 'upstream_error', code: 'stream_cut' } }),
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"cut"}}\n\n', 'event: error\ndata: cut\n\n']) {
    server.play(events([event(chunk('a')), last]));
    let text = '';
    await assert.rejects(async () => {
      for await (const part of await scripted.chat.completions.create({ ...hello, stream: true })) text += part.choices[0].delta.content;
    }, (error) => error instanceof sdk.APIError && error.message.includes('cut'));
    assert.equal(text, 'a');
  }
});

test('mistakes of the caller are PrismErrors and nothing is sent', async () => {
  server.play(json({}));
  for (const [mistake, pattern] of [
    [() => new Prism({ baseUrl: 'nowhere' }), /`baseUrl`/],
    [() => new Prism({ controlPlaneUrl: 'ftp://x' }), /`controlPlaneUrl`/],
    [() => new Prism({ baseUrl: 'http://u:secret@x' }), /password/],
    [() => scripted.models.retrieve({ model: '' }), /`model` is missing/],
    [() => scripted.models.retrieve({ model: '..' }), /`model` is `\.\.`/],
    [() => scripted.models.list({ headers: { 'bad name': 'x' } }), /`bad name`/],
  ]) {
    await assert.rejects(async () => mistake(), (error) => error instanceof sdk.PrismError && !(error instanceof sdk.APIError) && pattern.test(error.message));
  }
  assert.equal(server.requests.length, 0);
});
