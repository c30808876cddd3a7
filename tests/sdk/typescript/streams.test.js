import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError, Prism, PrismError, Stream } from '@futureagi/prism';

import { eventually, startGateway, startUpstream } from '../../node/prism.js';
import { chunk, endless, event, events, startServer } from './support/server.js';
import { SSEDecoder } from '../../../clients/typescript/dist/esm/core/sse.js';

const hello = { model: 'simulator/lorem', messages: [{ role: 'user', content: 'hello' }], stream: true };
let server, upstream, gateway, client, scripted;
before(async () => {
  [server, upstream] = await Promise.all([startServer(), startUpstream()]);
  gateway = await startGateway({
    providers: { simulator: {}, acme: { base_url: upstream.baseURL, models: ['acme-large'], discover: false } },
  });
  client = new Prism({ baseUrl: gateway.origin, maxRetries: 0 });
  scripted = new Prism({ baseUrl: server.origin, maxRetries: 0 });
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

const TEXT = ': c\r\n\r\ndata: a\r\ndata: é✓😀\r\n\r\nevent: ping\ndata:x\n\nid: 7\rdata: y\r\rdata\n\ndata: {"k": "a: b"}\n\nretry: 5\n\n\uFEFFdata: z\n\ndata: end';
const BYTES = new TextEncoder().encode(`\uFEFF${TEXT}`);
const EVENTS = [
  { event: null, data: 'a\né✓😀', id: null }, { event: 'ping', data: 'x', id: null }, { event: null, data: 'y', id: '7' },
  { event: null, data: '', id: '7' }, { event: null, data: '{"k": "a: b"}', id: '7' }, { event: null, data: 'end', id: '7' },
];
function decode(pieces) {
  const decoder = new SSEDecoder();
  return [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.end()];
}

test('events are the same however their bytes are cut', () => {
  assert.deepEqual(decode([BYTES]), EVENTS);
  assert.deepEqual(decode([...BYTES].map((byte) => Uint8Array.of(byte))), EVENTS, 'one byte at a time');
  for (let a = 0; a <= BYTES.length; a++) {
    for (let b = a; b <= BYTES.length; b++) {
      assert.deepEqual(decode([BYTES.subarray(0, a), BYTES.subarray(a, b), BYTES.subarray(b)]), EVENTS, `cut at ${a} and ${b}`);
    }
  }
});

test('a very long event takes time in proportion, and an endless one is refused', () => {
  const decoder = new SSEDecoder();
  const piece = new TextEncoder().encode('x'.repeat(65_536));
  decoder.push(new TextEncoder().encode('data: '));
  const began = performance.now();
  for (let i = 0; i < 512; i++) decoder.push(piece);
  assert.equal(decoder.push(new TextEncoder().encode('\n\n'))[0].data.length, 512 * 65_536);
  assert.ok(performance.now() - began < 2_000);
  assert.throws(() => { for (;;) decoder.push(piece); }, PrismError);
});

test('a whole response is read the same at every cut', async () => {
  const body = new TextEncoder().encode(`${event(chunk('é😀'))}: ping\n\n${event(chunk('b'))}${event('[DONE]')}`);
  for (let cut = 0; cut <= body.length; cut++) {
    const fetch = async () => new Response(new ReadableStream({
      start(sink) {
        for (const piece of [body.slice(0, cut), body.slice(cut)]) if (piece.length) sink.enqueue(piece);
        sink.close();
      },
    }), { headers: { 'content-type': 'text/event-stream' } });
    assert.equal(await read(await new Prism({ fetch }).chat.completions.create(hello)), 'é😀b', `cut at ${cut}`);
  }
});

test('ten thousand chunks', async () => {
  const words = await read(await client.chat.completions.create({ ...hello, model: 'simulator/lorem?tokens=10000' }));
  assert.equal(words.trim().split(/\s+/).length, 10_000);
});

test('the connection is used again after a stream', async () => {
  const ports = new Set();
  server.play((request, response) => {
    ports.add(request.socket.remotePort);
    return events([event(chunk('a')), event('[DONE]')])(request, response);
  });
  for (let i = 0; i < 5; i++) {
    await read(await scripted.chat.completions.create(hello));
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.equal(ports.size, 1);
});

for (const [name, model] of [['an error event', 'error=2'], ['an end without [DONE]', 'cut=2'], ['a reset', 'reset=2']]) {
  test(`the provider's ${name} in mid-stream is an APIError`, async () => {
    let parts = 0;
    await assert.rejects(async () => {
      for await (const part of await client.chat.completions.create({ ...hello, model: `simulator/lorem?${model}` })) parts += text(part) ? 1 : 0;
    }, APIError);
    assert.equal(parts, 2);
  });
}

test('a connection that breaks in mid-stream is APIConnectionError', async () => {
  server.play(events([event(chunk('a'))], (response) => setTimeout(() => response.destroy(), 20)));
  await assert.rejects(scripted.chat.completions.create(hello).then(read), APIConnectionError);
});

test('an event that is cut in two is APIConnectionError', async () => {
  server.play(events([event(chunk('a')), event(chunk('b')).slice(0, 30)]));
  await assert.rejects(scripted.chat.completions.create(hello).then(read), (error) => error instanceof APIConnectionError && /middle of an event/.test(error.message));
});

test('an event that is not JSON is an APIError', async () => {
  server.play(events([event('nonsense'), event('[DONE]')]));
  await assert.rejects(scripted.chat.completions.create(hello).then(read), /not JSON/);
});

test('where the last event is known, an end without it is APIConnectionError', async () => {
  const call = { method: 'POST', path: '/v1/chat/completions', body: hello, stream: true, streamEnd: '[DONE]' };
  server.play(events([event(chunk('a'))]));
  await assert.rejects(scripted.request(call).then(read), (error) => error instanceof APIConnectionError && /without `\[DONE\]`/.test(error.message));
  server.play(events([event(chunk('a')), event('[DONE]')]));
  assert.equal(await read(await scripted.request(call)), 'a');
});

test('silence in mid-stream is APIConnectionTimeoutError after `idle`', async () => {
  const began = Date.now();
  let parts = 0;
  await assert.rejects(async () => {
    const stream = await client.chat.completions.create({ ...hello, model: 'simulator/lorem?stall=2' }, { timeout: { idle: 200 } });
    for await (const part of stream) parts += text(part) ? 1 : 0;
  }, APIConnectionTimeoutError);
  assert.equal(parts, 2);
  assert.ok(Date.now() - began < 2_000);
});

test('a slow stream is cut by no total', async () => {
  const slow = { ...hello, model: 'simulator/lorem?tokens=10&pace=50ms' };
  const all = await read(await client.chat.completions.create(slow, { timeout: { attempt: 250, total: 250, idle: 250 } }));
  assert.equal(all.trim().split(/\s+/).length, 10);
});

/** A stream that goes on for ever, behind the real gateway. */
function endlessUpstream(_, response) {
  endless(_, response);
}

for (const [name, leave] of [
  ['breaking out of the loop', (_stream, _abort) => 'break'],
  ['throwing out of the loop', () => { throw new Error('enough'); }],
  ['the stream\'s own controller', (stream) => stream.controller.abort()],
  ['the caller\'s signal', (_, abort) => abort.abort()],
]) {
  test(`leaving in mid-stream by ${name} closes the connection`, async () => {
    server.play(endless);
    upstream.answer = endlessUpstream;
    const closedBefore = upstream.closed;
    const leaveOne = async (client, model) => {
      const abort = new AbortController();
      const stream = await client.chat.completions.create({ ...hello, model }, { signal: abort.signal });
      let parts = 0;
      for await (const part of stream) if (text(part) && ++parts === 3 && leave(stream, abort) === 'break') break;
      return parts;
    };
    for (const [who, model] of [[scripted, 'm'], [client, 'acme-large']]) {
      const left = leaveOne(who, model);
      if (name.includes('signal')) await assert.rejects(left, APIUserAbortError);
      else if (name.includes('throwing')) await assert.rejects(left, /enough/);
      else assert.ok((await left) >= 3);
    }
    await eventually(() => server.closed === 1, 'the connection to close', 3);
    await eventually(() => upstream.closed > closedBefore, 'the upstream call to end', 5);
  });
}

test('an abort while a stream is silent is heard at once', async () => {
  server.play(events([event(chunk('a'))], () => {}));
  for (const own of [false, true]) {
    const abort = new AbortController();
    const stream = await scripted.chat.completions.create(hello, { signal: abort.signal });
    setTimeout(() => (own ? stream.controller : abort).abort(), 50);
    const began = Date.now();
    if (own) assert.equal(await read(stream), 'a');
    else await assert.rejects(read(stream), APIUserAbortError);
    assert.ok(Date.now() - began < 500);
  }
  await eventually(() => server.closed === 2, 'the connections to close', 3);
});

test('tee gives the same events twice, at any pace, and closes when both leave', async () => {
  const [a, b] = (await client.chat.completions.create({ ...hello, model: 'simulator/lorem?tokens=50' })).tee();
  const whole = await read(a);
  assert.equal(await read(b), whole);
  assert.ok(whole.length > 50 && b.prism.provider === 'simulator');
  server.play(endless);
  const [c, d] = (await scripted.chat.completions.create(hello)).tee();
  for await (const _ of c) break;
  await new Promise((done) => setTimeout(done, 50));
  assert.equal(server.closed, 0);
  let parts = 0;
  for await (const _ of d) if (++parts === 5) break;
  await eventually(() => server.closed === 1, 'the connection to close', 3);
});

test('both halves of a tee hear of an error', async () => {
  server.play(events([event(chunk('a')), event({ error: { message: 'no' } })]));
  const halves = (await scripted.chat.completions.create(hello)).tee();
  for (const half of halves) await assert.rejects(read(half), APIError);
});

test('toReadableStream and fromReadableStream are inverse, and cancelling closes the connection', async () => {
  const make = () => client.chat.completions.create({ ...hello, model: 'simulator/lorem?tokens=20' });
  const plain = await read(await make());
  const again = Stream.fromReadableStream(new Response((await make()).toReadableStream()).body);
  assert.equal(await read(again), plain);
  server.play(endless);
  const readable = (await scripted.chat.completions.create(hello)).toReadableStream();
  const reader = readable.getReader();
  const { value } = await reader.read();
  assert.deepEqual(JSON.parse(new TextDecoder().decode(value)), chunk('a'));
  await reader.cancel();
  await eventually(() => server.closed === 1, 'the connection to close', 3);
});

test('next() may be called without waiting', async () => {
  server.play(events([event(chunk('a')), event(chunk('b')), event('[DONE]')]));
  const iterator = (await scripted.chat.completions.create(hello))[Symbol.asyncIterator]();
  const got = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()]);
  assert.deepEqual(got.map(({ value, done }) => (done ? done : text(value))), ['a', 'b', true, true]);
});
