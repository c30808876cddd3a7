// Operations that the gateway does not have yet: uploads, bytes, lists with a cursor, the control plane. The SDK of a
// document that has them is generated, compiled and used.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, createReadStream, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { failing, inTurn, json, startServer } from './support/server.js';

const HERE = import.meta.dirname;
const REPO = join(HERE, '../../..');
const run = promisify(execFile);
const generator = process.env.SDK_GEN ? [process.env.SDK_GEN] : ['cargo', 'run', '--quiet', '--locked', '-p', 'sdk-gen', '--'];

let folder, server, control, sdk, client;
before(async () => {
  folder = mkdtempSync(join(HERE, '.future-'));
  const output = join(folder, 'sdk');
  const [program, ...args] = [...generator, 'typescript', '--document', join(HERE, 'future/openapi.json'), '--output', output];
  await run(program, args, { cwd: REPO });
  symlinkSync(join(HERE, 'node_modules'), join(output, 'node_modules'));
  await run(process.execPath, [join(output, 'build.mjs')]).catch((error) => assert.fail(error.stdout + error.stderr));
  sdk = await import(pathToFileURL(join(output, 'dist/esm/index.js')));
  [server, control] = await Promise.all([startServer(), startServer()]);
  client = new sdk.Prism({ baseUrl: server.origin, controlPlaneUrl: `${control.origin}/v1`, apiKey: 'k' });
});
after(async () => {
  await Promise.all([server?.stop(), control?.stop()]);
  rmSync(folder, { recursive: true });
});

test('its types', async () => {
  cpSync(join(HERE, 'future/use.ts'), join(folder, 'use.ts'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const compilerOptions = { noEmit: true, strict: true, module: 'nodenext', target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable'], types: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
  await run(process.execPath, [join(HERE, 'node_modules/typescript/bin/tsc'), '-p', folder]).catch((error) => assert.fail(error.stdout));
});

/** The parts of a multipart body, in order. */
async function parts({ headers, body }) {
  const form = await new Response(body, { headers: { 'content-type': headers['content-type'] } }).formData();
  return Promise.all([...form].map(async ([name, value]) =>
    typeof value === 'string' ? [name, value] : [name, value.name, value.type, await value.text()]));
}

test('an upload is multipart, and whole again when it is repeated', async () => {
  server.play(inTurn(failing(503, { 'retry-after-ms': '1' }), json({ text: 'hello', extra: 1 })));
  const file = await sdk.toFile(new TextEncoder().encode('sound'), 'a.mp3', { type: 'audio/mpeg' });
  const answer = await client.audio.transcriptions.create({ file, model: 'm', temperature: 0.5, language: undefined }, { extraBody: { more: ['a', 'b'], deep: { a: 1 } } });
  assert.deepEqual({ ...answer }, { text: 'hello', extra: 1 });
  const expected = [['file', 'a.mp3', 'audio/mpeg', 'sound'], ['model', 'm'], ['temperature', '0.5'], ['more[]', 'a'], ['more[]', 'b'], ['deep', '{"a":1}']];
  assert.deepEqual(await parts(server.requests[0]), expected);
  assert.deepEqual(await parts(server.requests[1]), expected);
  assert.equal(server.requests[0].headers['idempotency-key'], server.requests[1].headers['idempotency-key']);
});

for (const [what, make, expected] of [
  ['a File', () => new File(['x'], 'f.wav', { type: 'audio/wav' }), ['file', 'f.wav', 'audio/wav', 'x']],
  ['a Blob', () => new Blob(['x']), ['file', 'file', 'application/octet-stream', 'x']],
  ['a Response', () => new Response('x', { headers: { 'content-type': 'audio/ogg' } }), ['file', 'file', 'audio/ogg', 'x']],
  ['a stream of a file', () => createReadStream(join(HERE, '.npmrc')), ['file', '.npmrc', 'application/octet-stream', 'omit-lockfile-registry-resolved=true\n']],
]) {
  test(`${what} can be uploaded as it is`, async () => {
    server.play(inTurn(failing(503, { 'retry-after-ms': '1' }), json({ text: '' })));
    await client.audio.transcriptions.create({ file: make(), model: 'm' });
    for (const request of server.requests) assert.deepEqual((await parts(request))[0], expected);
    assert.equal(server.requests.length, 2);
  });
}

test('toFile takes what has bytes, and nothing else', async () => {
  async function* generated() {
    yield new Uint8Array([97]);
    yield 'b';
  }
  for (const content of ['ab', new TextEncoder().encode('ab'), new TextEncoder().encode('ab').buffer, generated(), [new Uint8Array([97]), new Uint8Array([98])], Promise.resolve('ab')]) {
    const file = await sdk.toFile(content, 'n.txt');
    assert.deepEqual([await file.text(), file.name], ['ab', 'n.txt']);
  }
  assert.equal((await sdk.toFile(new File(['x'], 'own.txt', { type: 'text/plain' }))).name, 'own.txt');
  await assert.rejects(sdk.toFile(7), sdk.PrismError);
});

test('bytes come as a Response', async () => {
  server.play((_, response) => response.writeHead(200, { 'content-type': 'audio/mpeg', 'x-prism-provider': 'acme' }).end(Buffer.from([0, 255, 1])));
  const answer = await client.audio.speech.create({ input: 'hello' });
  assert.deepEqual([...new Uint8Array(await answer.arrayBuffer())], [0, 255, 1]);
  assert.equal(answer.prism.provider, 'acme');
  assert.deepEqual([server.requests[0].headers.accept, server.requests[0].body.toString()], ['*/*', '{"input":"hello"}']);
  server.play(failing(400));
  await assert.rejects(client.audio.speech.create({ input: '' }), sdk.BadRequestError);
});

const three = (request, response) => {
  const cursor = new URL(request.url, 'http://x').searchParams.get('cursor');
  const at = Number(cursor ?? 0);
  json({ data: [{ id: `a${at}` }, { id: `b${at}` }], next_cursor: at < 2 ? String(at + 1) : null }, 200, { 'x-prism-request-id': `req_${at}` })(request, response);
};

test('a list is walked to its end, or page by page', async () => {
  server.play(three);
  const ids = [];
  for await (const { id } of client.batches.list({ pageSize: 2 })) ids.push(id);
  assert.deepEqual(ids, ['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
  assert.deepEqual(server.requests.map((request) => request.url), ['/v1/batches?page_size=2', '/v1/batches?cursor=1&page_size=2', '/v1/batches?cursor=2&page_size=2']);
  const pages = [];
  for await (const page of (await client.batches.list()).iterPages()) pages.push([page.data.length, page.prism.requestId]);
  assert.deepEqual(pages, [[2, 'req_0'], [2, 'req_1'], [2, 'req_2']]);
  let page = await client.batches.list();
  assert.deepEqual(JSON.parse(JSON.stringify(page)), { data: [{ id: 'a0' }, { id: 'b0' }], nextCursor: '1' });
  while (page.hasNextPage()) page = await page.getNextPage();
  assert.throws(() => page.getNextPage(), sdk.PrismError);
  const { data, requestId } = await client.batches.list({ cursor: '2' }).withResponse();
  assert.deepEqual([data.data[0].id, requestId], ['a2', 'req_2']);
});

test('leaving a list early asks for no more pages, and options hold for all of them', async () => {
  server.play(three);
  for await (const { id } of client.batches.list({}, { headers: { 'x-mine': '1' } })) if (id === 'a1') break;
  assert.deepEqual(server.requests.map((request) => request.headers['x-mine']), ['1', '1']);
});

test('the control plane has its own address, the organisation is in the path, the body one argument', async () => {
  control.play(json({ providers: {} }));
  const config = { providers: { openai: { api_key: 'x' } } };
  await client.orgConfigs.create({ orgId: 'a/c me', config });
  assert.equal(control.requests[0].url, '/v1/orgs/a%2Fc%20me/config');
  assert.deepEqual(JSON.parse(control.requests[0].body.toString()), config);
  await client.orgConfigs.retrieve({ orgId: 'acme', withSecrets: false });
  assert.equal(control.requests[1].url, '/v1/orgs/acme/config?with_secrets=false');
  control.play((_, response) => response.writeHead(204).end());
  assert.equal(await client.orgConfigs.delete({ orgId: 'acme' }), undefined);
  await assert.rejects(client.orgConfigs.delete({ orgId: '..' }), sdk.PrismError);
});
