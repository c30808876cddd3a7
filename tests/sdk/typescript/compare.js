// Side by side with OpenAI's SDK, on this machine, in one run: `node compare.js` prints a markdown table and fails
// where a bar is missed.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const HERE = import.meta.dirname;
const CHUNKS = 10_000;
const SDKS = {
  prism: { name: '@futureagi/prism', client: 'Prism', url: 'baseUrl' },
  openai: { name: 'openai', client: 'OpenAI', url: 'baseURL' },
};
const hello = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };

if (process.argv[2] === 'serve') await serve();
else await compare();

/** In a process of its own, so that it takes no time from the one that is measured. */
async function serve() {
  const chunk = (content) => `data: ${JSON.stringify({ id: 'chatcmpl-123', object: 'chat.completion.chunk', created: 1700000000, model: 'gpt-4o',
    choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }] })}\n\n`;
  const events = Array.from({ length: CHUNKS }, (_, i) => chunk(`word${i} `));
  const pieces = Array.from({ length: CHUNKS / 4 }, (_, i) => events.slice(i * 4, i * 4 + 4).join(''));
  const answer = JSON.stringify({ id: 'chatcmpl-123', object: 'chat.completion', created: 1700000000, model: 'gpt-4o',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello there', refusal: null }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } });
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => (body += data)).on('end', () => {
      const { stream, model } = JSON.parse(body);
      if (!stream) return response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (model === 'whole') return response.end(`${events.join('')}data: [DONE]\n\n`);
      for (const piece of pieces) response.write(piece);
      response.end('data: [DONE]\n\n');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send(server.address().port);
  process.on('disconnect', () => process.exit());
}

async function compare() {
  const server = fork(import.meta.filename, ['serve']);
  const [port] = await once(server, 'message');
  const base = `http://127.0.0.1:${port}/v1`;
  const clients = {};
  for (const [key, sdk] of Object.entries(SDKS)) {
    const { default: Client } = await import(sdk.name);
    clients[key] = new Client({ apiKey: 'sk-x', [sdk.url]: base, maxRetries: 0 });
  }
  const call = (client) => client.chat.completions.create(hello);
  const stream = (model) => async (client) => {
    let chunks = 0;
    for await (const chunk of await client.chat.completions.create({ ...hello, model, stream: true })) chunks += chunk.choices.length;
    if (chunks !== CHUNKS) throw new Error(`${chunks} chunks`);
  };
  const rows = [
    ['bundle, minified', 'kB', bundles((code) => code.length / 1000), 3],
    ['bundle, minified and gzipped', 'kB', bundles((code) => gzipSync(code, { level: 9 }).length / 1000), 3],
    ['installed', 'kB', both((sdk) => size(realpathSync(join(HERE, 'node_modules', sdk.name))) / 1000), 3],
    ['import and client, best of 15', 'ms', alternating(15, (key) => start(SDKS[key])), 3],
    ['time per call', 'ms', await timed(clients, 300, call), 1],
    [`${CHUNKS.toLocaleString('en')}-chunk stream, 4 chunks a write`, 'ms', await timed(clients, 15, stream('pieces')), 1],
    [`${CHUNKS.toLocaleString('en')}-chunk stream, all at once`, 'ms', await timed(clients, 15, stream('whole')), 1],
  ];
  server.disconnect();

  const digits = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(1));
  console.log(`| Node ${process.versions.node} | @futureagi/prism | openai | ratio | bar |\n|---|---|---|---|---|`);
  let missed = 0;
  for (const [what, unit, { prism, openai }, bar] of rows) {
    const met = prism * bar <= openai;
    missed += met ? 0 : 1;
    const wanted = bar === 1 ? 'at most equal' : 'at most a third';
    console.log(`| ${what} | ${digits(prism)} ${unit} | ${digits(openai)} ${unit} | ${(prism / openai).toFixed(2)} | ${wanted}: ${met ? 'met' : '**missed**'} |`);
  }
  process.exitCode = missed ? 1 : 0;
}

function both(measure) {
  return Object.fromEntries(Object.entries(SDKS).map(([key, sdk]) => [key, measure(sdk, key)]));
}

/** A program that makes a client and a call, for a browser. */
function bundles(measure) {
  return both(({ name, client }) => {
    const program = `import { ${client} } from '${name}'; new ${client}({}).chat.completions.create({});`;
    const options = ['--bundle', '--minify', '--format=esm', '--platform=browser', '--log-level=error'];
    return measure(execFileSync(join(HERE, 'node_modules/.bin/esbuild'), options, { input: program, cwd: HERE }));
  });
}

/** What npm installs: of ours, what the manifest lists. */
function size(folder, top = true) {
  const ours = top && folder.includes('clients');
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !ours || ['dist', 'README.md', 'api.md', 'package.json'].includes(name));
  return entries.reduce((sum, entry) => sum + (entry.isDirectory() ? size(join(folder, entry.name), false) : statSync(join(folder, entry.name)).size), 0);
}

/** In a fresh process, without the start of Node itself. */
function start({ name, client }) {
  const program = `const began = performance.now(); const { ${client}: C } = await import('${name}'); const c = new C({ apiKey: 'x' }); c.chat.completions; console.log(performance.now() - began);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: HERE, encoding: 'utf8' }));
}

function alternating(times, measure) {
  const taken = { prism: [], openai: [] };
  for (let i = 0; i < times; i++) for (const key of Object.keys(SDKS)) taken[key].push(measure(key));
  return both((_, key) => Math.min(...taken[key])); // a busy machine only ever adds
}

/** The median of measurements in turn, after a warm-up. */
async function timed(clients, times, work) {
  const taken = { prism: [], openai: [] };
  for (let i = -Math.ceil(times / 5); i < times; i++) {
    for (const key of i % 2 ? ['prism', 'openai'] : ['openai', 'prism']) {
      const began = performance.now();
      await work(clients[key]);
      if (i >= 0) taken[key].push(performance.now() - began);
    }
  }
  return both((_, key) => median(taken[key]));
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
